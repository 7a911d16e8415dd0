//! wasm-bindgen and wasm-opt: from what the compiler wrote to what a browser loads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use super::Profile;
use crate::paths;

/// What a browser loads, before names are hashed.
pub struct Bound {
    pub js: String,
    pub wasm: Vec<u8>,
    /// Inline and local JS modules that `js` imports, by their path relative to it.
    pub modules: BTreeMap<String, Vec<u8>>,
}

/// Name of the wasm file inside the generated JS.
pub const WASM_NAME: &str = "orrery-ui_bg.wasm";

/// Generates the JS around `compiled` and, for a release, shrinks the wasm.
pub fn bind(compiled: &Path, profile: Profile) -> anyhow::Result<Bound> {
    let out = compiled.with_file_name("orrery-ui-bound");
    let _ = fs::remove_dir_all(&out);
    Bindgen::new()
        .input_path(compiled)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(false)
                .out_name("orrery-ui")
                .remove_name_section(profile == Profile::Release)
                .remove_producers_section(true)
                .generate(&out)
        })
        .context("wasm-bindgen failed")?;

    let wasm_file = out.join(WASM_NAME);
    if profile == Profile::Release {
        shrink(&wasm_file)?;
    }
    Ok(Bound {
        js: fs::read_to_string(out.join("orrery-ui.js"))?,
        wasm: fs::read(&wasm_file)?,
        modules: modules(&out)?,
    })
}

fn modules(out: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut modules = BTreeMap::new();
    for entry in walkdir::WalkDir::new(out).min_depth(2) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(out).expect("walked from out").to_string_lossy().replace('\\', "/");
            modules.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(modules)
}

/// Runs wasm-opt where there is one, and keeps its result only when it is valid and smaller.
fn shrink(file: &Path) -> anyhow::Result<()> {
    let Some(tool) = wasm_opt() else {
        println!("wasm-opt not found (npm install in scripts/node brings it): the wasm stays about a tenth larger");
        return Ok(());
    };
    let small = file.with_extension("opt.wasm");
    let ran = paths::run(Command::new(&tool).arg(file).arg("-o").arg(&small).arg("-Oz").args([
        "--enable-bulk-memory",
        "--enable-nontrapping-float-to-int",
        "--enable-sign-ext",
        "--enable-mutable-globals",
        "--enable-reference-types",
        "--enable-multivalue",
    ]));
    let result = ran.and_then(|()| {
        let bytes = fs::read(&small)?;
        wasmparser::Validator::new().validate_all(&bytes).context("wasm-opt wrote an invalid module")?;
        Ok(bytes)
    });
    match result {
        Ok(bytes) if bytes.len() as u64 <= fs::metadata(file)?.len() => fs::write(file, bytes)?,
        Ok(_) => println!("wasm-opt made the module no smaller: left as it was"),
        Err(error) => println!("wasm-opt is of no use here ({error:#}): the wasm stays as compiled"),
    }
    let _ = fs::remove_file(&small);
    Ok(())
}

/// npm's binaryen is current; a distribution's may be too old for the compiler, which validation then finds.
fn wasm_opt() -> Option<PathBuf> {
    paths::node_bin("wasm-opt").or_else(|| paths::on_path("wasm-opt"))
}
