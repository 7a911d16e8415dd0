//! Makes the folder that `rust-embed` reads, so that the server compiles before the interface was ever built.

use std::path::Path;

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/dist");
    if !dist.exists() {
        // A read-only source tree is no reason to fail here: rust-embed says what is missing.
        let _ = std::fs::create_dir_all(&dist);
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", dist.display());
}
