//! The Debian package that `cargo xtask dist` made: what is in it, and its life from install to purge in a root of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use orrery_tests::{Bus, Desktop, Display, Home, program, tool, until};

/// The package, in `dist` beside the built programs.
fn package() -> PathBuf {
    let dist = program("orrery").ancestors().nth(2).unwrap().join("dist");
    let made = std::fs::read_dir(&dist).unwrap_or_else(|_| panic!("no {}: cargo xtask dist --debug", dist.display()));
    let mut packages: Vec<PathBuf> = made.map(|entry| entry.unwrap().path()).collect();
    packages.retain(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let [package] = packages.as_slice() else { panic!("one package, and no more: {packages:?}") };
    package.clone()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {words}");
    output
}

/// A system with nothing in it but a package database.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Root {
        let root = tempfile::tempdir().unwrap();
        let admin = root.path().join("var/lib/dpkg");
        for folder in ["info", "updates", "triggers"] {
            std::fs::create_dir_all(admin.join(folder)).unwrap();
        }
        std::fs::write(admin.join("status"), "").unwrap();
        Root(root)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// dpkg on this root alone. The libraries that the package asks for are the machine's.
    fn dpkg(&self, arguments: &[&str]) {
        let mut command = Command::new(tool("fakeroot"));
        command.arg(tool("dpkg")).arg(format!("--root={}", self.path().display()));
        run(command.args(["--force-depends", "--force-script-chrootless"]).args(arguments));
    }

    /// Every file outside the package database.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let place = format!("/{}", path.strip_prefix(self.path()).unwrap().display());
                if place == "/var/lib/dpkg" {
                    continue;
                }
                if path.is_dir() { folders.push(path) } else { found.push(place) }
            }
        }
        found.sort();
        found
    }
}

/// The same package as an older version that had one file more.
fn older(package: &Path, scratch: &Path) -> PathBuf {
    let tree = scratch.join("older");
    run(Command::new(tool("dpkg-deb")).arg("--raw-extract").arg(package).arg(&tree));
    let control = tree.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let version = text.lines().find(|line| line.starts_with("Version:")).unwrap().to_owned();
    std::fs::write(&control, text.replace(&version, "Version: 0.0.1")).unwrap();
    std::fs::write(tree.join("usr/bin/orrery-gone"), "old").unwrap();
    let made = scratch.join("older.deb");
    run(Command::new(tool("dpkg-deb")).args(["--root-owner-group", "-Znone", "--build"]).arg(&tree).arg(&made));
    made
}

#[test]
fn it_installs_upgrades_starts_from_the_menu_and_leaves_nothing() {
    let (package, root, scratch) = (package(), Root::new(), tempfile::tempdir().unwrap());
    root.dpkg(&["--install", older(&package, scratch.path()).to_str().unwrap()]);
    assert!(root.files().contains(&"/usr/bin/orrery-gone".to_owned()));
    root.dpkg(&["--install", package.to_str().unwrap()]);
    let files = root.files();
    assert!(!files.contains(&"/usr/bin/orrery-gone".to_owned()), "the upgrade takes the old version's files away");
    for wanted in [
        "/usr/bin/orrery",
        "/usr/bin/orrery-desktop",
        "/usr/bin/orrery-hook",
        "/usr/lib/systemd/user/orrery.service",
        "/usr/share/applications/dev.orrery.desktop.desktop",
        "/usr/share/bash-completion/completions/orrery",
        "/usr/share/fish/vendor_completions.d/orrery.fish",
        "/usr/share/icons/hicolor/16x16/apps/dev.orrery.desktop.png",
        "/usr/share/icons/hicolor/512x512/apps/dev.orrery.desktop.png",
        "/usr/share/icons/hicolor/scalable/apps/dev.orrery.desktop.svg",
        "/usr/share/man/man1/orrery-hook.1.gz",
        "/usr/share/man/man1/orrery-install.1.gz",
        "/usr/share/man/man1/orrery.1.gz",
        "/usr/share/metainfo/dev.orrery.desktop.metainfo.xml",
        "/usr/share/zsh/vendor-completions/_orrery",
    ] {
        assert!(files.contains(&wanted.to_owned()), "{wanted} is missing: {files:#?}");
    }

    let at = |place: &str| root.path().join(place);
    run(Command::new(tool("desktop-file-validate")).arg(at("usr/share/applications/dev.orrery.desktop.desktop")));
    let metainfo = at("usr/share/metainfo/dev.orrery.desktop.metainfo.xml");
    run(Command::new(tool("appstreamcli")).args(["validate", "--no-net"]).arg(metainfo));
    let version = run(Command::new(at("usr/bin/orrery")).arg("--version"));
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("orrery "));

    starts_from_the_menu(&root);

    root.dpkg(&["--purge", "orrery"]);
    assert_eq!(root.files(), Vec::<String>::new(), "nothing is left");
}

/// The desktop file's own command, found on the PATH that the package would be on.
fn starts_from_the_menu(root: &Root) {
    let entry = root.path().join("usr/share/applications/dev.orrery.desktop.desktop");
    let text = std::fs::read_to_string(entry).unwrap();
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap();
    let (name, arguments) = exec.split_once(' ').unwrap();
    assert_eq!(arguments, "%u", "an address is handed on");
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let desktop = Desktop::start_program(&root.path().join("usr/bin").join(name), &home, &display, &bus, &[]);
    until("its window opens", 60, || desktop.is_visible());
    assert!(desktop.api().answers());
    desktop.terminate();
}
