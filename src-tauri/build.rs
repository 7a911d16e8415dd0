//! Reads `tauri.conf.json`, the capabilities and the permissions of our commands.

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern("src-tauri/permissions/*");
    let attributes =
        tauri_build::Attributes::new().app_manifest(manifest).capabilities_path_pattern("src-tauri/capabilities/**/*");
    tauri_build::try_build(attributes).expect("tauri.conf.json, capabilities and permissions are well-formed");

    // Editor schemas that Tauri writes beside the manifest; the top level stays free of generated folders.
    let _ = std::fs::remove_dir_all("gen/schemas");
    let _ = std::fs::remove_dir("gen");
}
