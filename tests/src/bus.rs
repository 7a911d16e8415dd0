//! A session bus with a notification service on it that writes down what it is asked to show.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{Home, python, tool, until, work_tree};

/// A private D-Bus session bus; ended when dropped.
pub struct Bus {
    child: Child,
    pub address: String,
}

impl Bus {
    pub fn start() -> Bus {
        let mut child = Command::new(tool("dbus-daemon"))
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Bus { child, address: address.trim().to_owned() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One call of `Notify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub title: String,
    pub text: String,
    /// Keys and labels of its buttons, in turn.
    pub actions: String,
}

/// python3-dbusmock's notification service.
pub struct Notifications<'a> {
    child: Child,
    bus: &'a Bus,
    log: PathBuf,
}

impl<'a> Notifications<'a> {
    pub fn start(bus: &'a Bus, home: &Home) -> Notifications<'a> {
        let log = home.path().join("notifications.txt");
        let child = Command::new(python())
            .args(["-u", "-m", "dbusmock", "--session", "--template", "notification_daemon"])
            .args(["--parameters", r#"{"capabilities": "body actions"}"#])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .stdout(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let service = Notifications { child, bus, log };
        until("the notification service is on the bus", 20, || service.script("wait", &[]));
        service
    }

    /// Everything shown so far, oldest first.
    pub fn shown(&self) -> Vec<Notification> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        // 1700000000.123 Notify "orrery" 0 "icon" "title" "text" ["default", "Open"] {...} -1
        let call = regex::Regex::new(
            r#"(?m)^[\d.]+ Notify "(?:[^"\\]|\\.)*" \d+ "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)" \[([^\]]*)\]"#,
        )
        .unwrap();
        call.captures_iter(&log)
            .map(|found| Notification {
                title: found[1].to_owned(),
                text: found[2].to_owned(),
                actions: found[3].to_owned(),
            })
            .collect()
    }

    /// The person clicks on the `number`th notification (from 1).
    pub fn click(&self, number: usize) {
        assert!(self.script("click", &[&number.to_string()]), "the click could not be sent");
    }

    fn script(&self, task: &str, args: &[&str]) -> bool {
        Command::new(python())
            .arg(work_tree().join("tests/dbus/notifications.py"))
            .arg(task)
            .args(args)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus.address)
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }
}

impl Drop for Notifications<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- notifications shown:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
