//! The lock files: crates that cost too much or come twice.

use crate::{check, read};

/// Name and version of every locked crate.
fn locked() -> Vec<(String, String)> {
    let text = read("Cargo.lock");
    let packages = text.split("[[package]]").skip(1);
    packages
        .map(|package| {
            let field = |name: &str| {
                let line = package.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
                line.split('"').nth(1).unwrap().to_owned()
            };
            (field("name"), field("version"))
        })
        .collect()
}

#[test]
fn banned_crates_are_not_locked() {
    let banned = [
        ("aws-lc-sys", "a long C build; rustls uses ring here"),
        ("openssl-sys", "a system library more; rustls is enough"),
        ("native-tls", "a second TLS"),
    ];
    let locked = locked();
    let found = banned.iter().filter(|(name, _)| locked.iter().any(|(locked, _)| locked == name));
    check("Cargo.lock, banned crates", found.map(|(name, why)| format!("{name}: {why}")).collect());
}

#[test]
fn some_crates_are_locked_once() {
    let once = [
        ("zbus", "two D-Bus stacks in one process"),
        ("rusqlite", "two SQLite builds, and two library versions on one WAL damage it"),
        ("libsqlite3-sys", "two SQLite builds, and two library versions on one WAL damage it"),
        ("wasm-bindgen", "the tool and the library must agree to the digit"),
    ];
    let locked = locked();
    let mut findings = Vec::new();
    for (name, why) in once {
        let versions: Vec<&str> =
            locked.iter().filter(|(locked, _)| locked == name).map(|(_, version)| version.as_str()).collect();
        if versions.len() > 1 {
            findings.push(format!("{name} {}: {why}", versions.join(" and ")));
        }
    }
    let version = |name: &str| locked.iter().find(|(locked, _)| locked == name).map(|(_, version)| version.clone());
    if version("wasm-bindgen") != version("wasm-bindgen-cli-support") {
        findings.push("wasm-bindgen and wasm-bindgen-cli-support differ: the JS would not fit the wasm".into());
    }
    check("Cargo.lock, crates that must come once", findings);
}
