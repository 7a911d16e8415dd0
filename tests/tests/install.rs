//! Installing, as a person does it: through the real binaries and the script, in a home that is no simple one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use orrery_tests::{Home, program, until, work_tree};

/// A home whose path has a space and a quote, with dotfiles that are links, and a `claude` that says its version.
struct Person {
    home: Home,
}

const SETTINGS: &str = "{\r\n\t// mine\r\n\t\"model\": \"opus\",\r\n\t\"hooks\": {\r\n\t\t\"Stop\": [ { \"hooks\": [ { \"type\": \"command\", \"command\": \"true\" } ] } ]\r\n\t}\r\n}";

impl Person {
    fn new() -> Person {
        let person = Person { home: Home::new() };
        let home = person.path();
        for folder in [".claude", "dot files", "bin", "data"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        fs::write(home.join("dot files/claude.json"), SETTINGS).unwrap();
        symlink("../dot files/claude.json", home.join(".claude/settings.json")).unwrap();
        let claude = home.join("bin/claude");
        fs::write(&claude, "#!/bin/sh\necho '2.1.240 (Claude Code)'\n").unwrap();
        fs::set_permissions(&claude, fs::Permissions::from_mode(0o755)).unwrap();
        person
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("Ada's home")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.home.own(&mut command);
        for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "ZDOTDIR"] {
            command.env_remove(name);
        }
        let path = format!("{}:{}", self.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("PATH", path).env("SHELL", "/bin/bash").current_dir(self.path());
        command.stdin(Stdio::null());
        command
    }

    fn orrery(&self, args: &[&str]) -> Output {
        self.command(program("orrery")).args(args).output().unwrap()
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.path().join(".claude/settings.json")).unwrap()
    }

    /// `orrery serve` of this person, until it is dropped.
    fn serve(&self) -> Served {
        let args = ["serve", "--port", "0", "--no-open", "--no-watch"];
        let child =
            self.command(program("orrery")).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let port = self.path().join(".local/share/orrery/port");
        let served = Served { child };
        until("the server wrote its port", 20, || port.exists() && self.orrery(&["doctor", "--json"]).status.success());
        served
    }
}

struct Served {
    child: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn hooks_are_verified_through_the_settings_and_leave_no_trace() {
    let person = Person::new();
    let server = person.serve();
    for way in [&[][..], &["--http"]] {
        let args = [&["install", "--agent", "claude-code", "--yes", "--verify"], way].concat();
        let installed = person.orrery(&args);
        assert!(installed.status.success(), "{}", said(&installed));
        assert!(said(&installed).contains("Claude Code: verified"), "{}", said(&installed));
        let settings = person.settings();
        assert_eq!(settings.contains("/hooks/claude-code"), way.contains(&"--http"), "{settings}");
        assert!(settings.contains("\"command\": \"true\"") && settings.contains("// mine"), "{settings}");
        assert!(settings.contains("PostToolBatch") && !settings.contains("PreModelSwitch"), "what 2.1.240 knows");
        assert!(fs::symlink_metadata(person.path().join(".claude/settings.json")).unwrap().is_symlink());
        // Again changes nothing, and says so.
        let again = person.orrery(&args);
        assert!(said(&again).contains("nothing to change") && person.settings() == settings, "{}", said(&again));
    }
    // Without a server the post cannot get through; the commands can, into the spool, and the doctor's server fetches them.
    drop(server);
    let verdict = person.orrery(&["install", "--agent", "claude-code", "--http", "--yes", "--verify"]);
    assert_eq!(verdict.status.code(), Some(1));
    assert!(
        said(&verdict).contains("NOT verified") && said(&verdict).contains("nothing takes events at"),
        "{}",
        said(&verdict)
    );
    assert!(person.orrery(&["uninstall", "--agent", "claude-code", "--yes"]).status.success());
    assert_eq!(person.settings(), SETTINGS);
}

#[test]
fn what_may_not_be_changed_is_refused_in_words() {
    let person = Person::new();
    let file = person.path().join("dot files/claude.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let refused = person.orrery(&["install", "--agent", "claude-code", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("claude.json is read-only") && said(&refused).contains("chmod u+w"),
        "{}",
        said(&refused)
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, "{\n  \"model\": \"opus\",\n  \"hooks\": oops\n}\n").unwrap();
    let refused = person.orrery(&["install", "--agent", "claude-code", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("line 3, column 12"), "{}", said(&refused));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\n  \"model\": \"opus\",\n  \"hooks\": oops\n}\n");
    let left: Vec<_> =
        fs::read_dir(person.path().join("dot files")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["claude.json"], "no backup, no half-written file");
}

/// Every file and link of a home with what is in it.
fn contents(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if let Ok(target) = fs::read_link(&path) {
            found.insert(path, format!("-> {}", target.display()));
        } else if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.insert(path, text);
        }
    }
    found
}

#[test]
fn the_script_installs_once_and_gives_everything_back() {
    let person = Person::new();
    let home = person.path();
    // Three shells: a file without an end, a link into dotfiles, and fish's folder.
    fs::write(home.join(".bashrc"), "alias ll='ls -l'").unwrap();
    fs::write(home.join("dot files/zshrc"), "# mine\n").unwrap();
    symlink("dot files/zshrc", home.join(".zshrc")).unwrap();
    fs::create_dir_all(home.join(".config/fish")).unwrap();
    let before = contents(&home);
    let from = program("orrery").parent().unwrap().to_owned();
    let script = |args: &[&str]| {
        let output = person
            .command(work_tree().join("scripts/install-global-tracking.sh"))
            .args(args)
            .arg("--from")
            .arg(&from)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        said(&output)
    };
    assert!(script(&["--dry-run"]).contains("nothing was changed"));
    assert_eq!(contents(&home), before);
    let words = script(&["--yes", "--alias"]);
    assert!(words.contains("Orrery is installed. Next:"), "{words}");
    let installed = contents(&home);
    let bashrc = fs::read_to_string(home.join(".bashrc")).unwrap();
    assert!(
        bashrc.starts_with("alias ll='ls -l'\n# >>> orrery >>>\n") && bashrc.contains("alias codex=codex-tracked"),
        "{bashrc}"
    );
    assert!(fs::read_to_string(home.join("dot files/zshrc")).unwrap().contains("# >>> orrery >>>"));
    assert!(fs::symlink_metadata(home.join(".zshrc")).unwrap().is_symlink());
    assert!(fs::read_to_string(home.join(".config/fish/conf.d/orrery.fish")).unwrap().contains("set -gx PATH"));
    assert!(person.settings().contains("orrery-hook"));
    for shell in ["bash", "zsh", "fish"] {
        let rc = ["bash", "zsh", "fish"].iter().zip([".bashrc", ".zshrc", ".config/fish/conf.d/orrery.fish"]);
        let (_, rc) = rc.into_iter().find(|(name, _)| **name == shell).unwrap();
        let line = format!(". '{}'; command -v orrery", home.join(rc).display().to_string().replace('\'', r"'\''"));
        match person.command(shell).args(["-c", &line]).output() {
            Ok(found) => {
                assert!(String::from_utf8_lossy(&found.stdout).contains(".local/bin/orrery"), "{shell}: {found:?}")
            }
            Err(_) => eprintln!("skipped: {shell} is not installed"),
        }
    }
    script(&["--yes", "--alias"]);
    let again = contents(&home);
    let changed: Vec<_> = installed
        .keys()
        .filter(|path| again.get(*path) != installed.get(*path))
        .filter(|path| !path.starts_with(home.join(".local/share")))
        .collect();
    assert!(changed.is_empty(), "running it twice changed {changed:?}");
    script(&["--yes", "--uninstall"]);
    let mut after = contents(&home);
    // What was recorded stays, and the copies of the settings before each change.
    after.retain(|path, _| {
        !path.starts_with(home.join(".local/share")) && !path.to_string_lossy().contains("orrery-backup")
    });
    after.retain(|path, _| !path.starts_with(home.join(".config/orrery")));
    assert_eq!(after, before);
}
