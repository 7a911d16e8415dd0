//! Rust to wasm, with whichever compiler on this machine can do it.
//!
//! rustup's toolchain with the wasm target is the plain way. Where the target cannot be added, Debian's compiler builds
//! the standard library from Debian's sources; it lives in its own target directory because two compilers in one
//! directory evict each other's work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::Profile;
use crate::paths;

const TRIPLE: &str = "wasm32-unknown-unknown";

/// Debian's compiler and the sources of its standard library (packages rustc-web, cargo-web, rust-web-src).
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

enum Toolchain {
    /// The sysroot has the target.
    Plain,
    /// Debian's compiler builds std; `linker` is a linker that understands wasm.
    BuildStd { linker: PathBuf },
}

/// Compiles `orrery-ui` and returns the raw wasm file.
pub fn compile(profile: Profile, target: &Path) -> anyhow::Result<PathBuf> {
    let toolchain = find_toolchain()?;
    let mut command = match &toolchain {
        Toolchain::Plain => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        Toolchain::BuildStd { linker } => debian_cargo(linker, target)?,
    };
    command
        .current_dir(paths::root())
        .args(["build", "--package", "orrery-ui", "--target", TRIPLE])
        .args(["--profile", profile.cargo_name()])
        .env("CARGO_TARGET_DIR", target)
        // Flags of the native build mean nothing to a wasm linker.
        .env_remove("RUSTFLAGS");
    if let Toolchain::BuildStd { .. } = toolchain {
        command.arg("-Zbuild-std=std,panic_abort");
    }
    match profile {
        // Leptos erases component types: much less to compile, a little slower to run.
        Profile::Dev => command.env("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}erase_components"),
        Profile::Release => command.env_remove("CARGO_ENCODED_RUSTFLAGS"),
    };
    paths::run(&mut command).context("compiling the interface to wasm failed")?;
    Ok(target.join(TRIPLE).join(profile.cargo_name()).join("orrery-ui.wasm"))
}

fn find_toolchain() -> anyhow::Result<Toolchain> {
    let sysroot = PathBuf::from(paths::output(Command::new("rustc").args(["--print", "sysroot"]))?);
    if sysroot.join("lib/rustlib").join(TRIPLE).join("lib").is_dir() {
        return Ok(Toolchain::Plain);
    }
    let has_debian = Path::new(DEBIAN_CARGO).exists() && debian_std_sources();
    let linker = wasm_linker(&sysroot);
    match (has_debian, linker) {
        (true, Some(linker)) => Ok(Toolchain::BuildStd { linker }),
        _ => bail!(
            "no compiler for {TRIPLE} found\n  try: rustup target add {TRIPLE}\n  or, on Debian: apt install rustc-web cargo-web rust-web-src"
        ),
    }
}

/// Whether Debian's compiler has its standard library's sources beside it.
fn debian_std_sources() -> bool {
    paths::output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").exists())
}

/// rustup's toolchain carries an LLD; Debian packages one under a versioned name.
fn wasm_linker(sysroot: &Path) -> Option<PathBuf> {
    let host = fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    let in_sysroot = host.flatten().map(|entry| entry.path().join("bin/rust-lld")).find(|file| file.exists());
    in_sysroot
        .or_else(|| ["rust-lld", "lld-22", "lld-21", "lld-20", "lld-19", "lld"].into_iter().find_map(paths::on_path))
}

/// Debian's cargo, shielded from what rustup's cargo put into our environment.
fn debian_cargo(linker: &Path, target: &Path) -> anyhow::Result<Command> {
    let bin = target.join("bin");
    fs::create_dir_all(&bin)?;
    let link = bin.join("rust-lld");
    let _ = fs::remove_file(&link);
    #[cfg(unix)]
    std::os::unix::fs::symlink(linker, &link).context("the linker cannot be put on the PATH")?;
    #[cfg(not(unix))]
    bail!("building std needs Debian; run rustup target add {TRIPLE} ({} unused)", linker.display());

    let mut search = vec![bin];
    search.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(DEBIAN_CARGO);
    command
        .env("PATH", std::env::join_paths(search)?)
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTDOC");
    Ok(command)
}
