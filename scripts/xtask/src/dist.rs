//! `cargo xtask dist`: the packages people install, made from what was built.
//!
//! The programs are built first, then npm's Tauri CLI bundles them with everything that stands beside them in a system:
//! man pages, completions, the unit that serves without a window. AppImage, dmg and the Windows installer are configured
//! in `tauri.conf.json` and need a release machine: see docs/releasing.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

use crate::{paths, ui};

const HAND_WRITTEN: [&str; 2] = ["orrery-hook.1", "orrery-desktop.1"];
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "/usr/share/bash-completion/completions/orrery"),
    ("zsh", "/usr/share/zsh/vendor-completions/_orrery"),
    ("fish", "/usr/share/fish/vendor_completions.d/orrery.fish"),
];
const ICON_SIZES: [(&str, &str); 8] = [
    ("16x16", "16x16.png"),
    ("24x24", "24x24.png"),
    ("32x32", "32x32.png"),
    ("48x48", "48x48.png"),
    ("64x64", "64x64.png"),
    ("128x128", "128x128.png"),
    ("256x256", "256x256.png"),
    ("512x512", "512x512.png"),
];
const ID: &str = "dev.orrery.desktop";

/// Builds and bundles. `debug` takes the quick build: the same files in larger programs, for the tests of the packages.
pub fn run(debug: bool, bundles: &[String]) -> anyhow::Result<()> {
    let bundler = paths::node_bin("tauri")
        .context("the bundler is missing: scripts/test sets it up, or npm install in scripts/node")?;
    let target = paths::target();
    let built = build(debug, &target)?;
    let stage = target.join("dist/stage");
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    fs::create_dir_all(&stage)?;
    let files = stage_files(&stage, &built)?;
    let config = target.join("dist/bundle.json");
    let both = json!({ "files": files });
    let settings = json!({
        "build": { "beforeBundleCommand": "" },
        "bundle": { "linux": { "deb": both, "rpm": both } },
    });
    fs::write(&config, serde_json::to_vec_pretty(&settings)?)?;

    let wanted = if bundles.is_empty() { "deb,rpm".to_owned() } else { bundles.join(",") };
    let mut command = Command::new(bundler);
    command.current_dir(paths::root()).env("CARGO_TARGET_DIR", &target).args(["bundle", "--ci", "--bundles", &wanted]);
    if debug {
        command.arg("--debug");
    }
    paths::run(command.arg("--config").arg(&config)).context("the bundler made no packages")?;
    let made = collect(&target.join(if debug { "debug" } else { "release" }).join("bundle"), &target.join("dist"))?;
    ensure!(!made.is_empty(), "the bundler left no packages");
    for package in made {
        println!("{} {:.1} MB", paths::shown(&package), fs::metadata(&package)?.len() as f64 / 1e6);
    }
    Ok(())
}

/// The programs that stand beside the window's own in a package.
struct Built {
    orrery: PathBuf,
    hook: PathBuf,
}

fn build(debug: bool, target: &Path) -> anyhow::Result<Built> {
    ui::build(if debug { ui::Profile::Dev } else { ui::Profile::Release }, false)?;
    let profile = if debug { "dev" } else { "release" };
    cargo(&["build", "--profile", profile, "--package", "orrery-cli", "--package", "orrery-client"])?;
    cargo(&["build", "--profile", profile, "--package", "orrery-desktop", "--bin", "orrery-desktop"])?;
    let folder = target.join(if debug { "debug" } else { "release" });
    if !debug {
        // The hook blocks an agent at every call: it has a profile of its own.
        cargo(&["build", "--profile", "hook", "--package", "orrery-client"])?;
    }
    let hook = if debug { folder.join("orrery-hook") } else { target.join("hook/orrery-hook") };
    Ok(Built { orrery: folder.join("orrery"), hook })
}

/// Makes what is generated, and answers with every file's place in the system and where it comes from.
fn stage_files(stage: &Path, built: &Built) -> anyhow::Result<Map<String, Value>> {
    let mut files = Map::new();
    let mut place = |place: &str, from: &Path| files.insert(place.to_owned(), json!(from));
    place("/usr/bin/orrery", &built.orrery);
    place("/usr/bin/orrery-hook", &built.hook);

    let pages = stage.join("man");
    fs::create_dir_all(&pages)?;
    paths::run(Command::new(&built.orrery).arg("man").arg(&pages))?;
    let written = paths::root().join("src-tauri/dist");
    for name in HAND_WRITTEN {
        fs::copy(written.join(name), pages.join(name))?;
    }
    let mut names: Vec<_> = fs::read_dir(&pages)?.collect::<Result<_, _>>()?;
    names.sort_by_key(|entry| entry.file_name());
    for entry in names {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Distributions want them compressed.
        let packed = stage.join(format!("{name}.gz"));
        let mut gzip = flate2::GzBuilder::new().write(fs::File::create(&packed)?, flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, &fs::read(entry.path())?)?;
        gzip.finish()?;
        place(&format!("/usr/share/man/man1/{name}.gz"), &packed);
    }
    for (shell, to) in COMPLETIONS {
        let script = stage.join(format!("orrery.{shell}"));
        fs::write(&script, paths::output(Command::new(&built.orrery).args(["completions", shell]))? + "\n")?;
        place(to, &script);
    }
    place("/usr/lib/systemd/user/orrery.service", &written.join("orrery.service"));
    place(&format!("/usr/share/applications/{ID}.desktop"), &written.join(format!("{ID}.desktop")));
    place(&format!("/usr/share/metainfo/{ID}.metainfo.xml"), &written.join(format!("{ID}.metainfo.xml")));
    let icons = paths::root().join("icons");
    for (size, name) in ICON_SIZES {
        place(&format!("/usr/share/icons/hicolor/{size}/apps/{ID}.png"), &icons.join(name));
    }
    place(&format!("/usr/share/icons/hicolor/scalable/apps/{ID}.svg"), &icons.join("icon.svg"));
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        place(&format!("/usr/share/doc/orrery/{name}"), &paths::root().join(name));
    }
    Ok(files)
}

/// Copies the packages to where a person looks for them.
fn collect(from: &Path, into: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    for entry in walkdir::WalkDir::new(from).max_depth(2) {
        let entry = entry?;
        let ending = entry.path().extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if entry.file_type().is_file() && ["deb", "rpm", "AppImage", "dmg", "exe"].contains(&ending) {
            let to = into.join(entry.file_name());
            fs::copy(entry.path(), &to)?;
            made.push(to);
        }
    }
    Ok(made)
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    paths::run(Command::new(cargo).current_dir(paths::root()).args(args))
}
