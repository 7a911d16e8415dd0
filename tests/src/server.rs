//! `orrery serve` as a person would start it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::{Api, Bus, Home, program, until_some};

/// How to start it. The default takes a free port and follows no transcripts.
#[derive(Default)]
pub struct Start<'a> {
    pub port: Option<u16>,
    pub watch: bool,
    /// A session bus for notifications.
    pub bus: Option<&'a Bus>,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    words: PathBuf,
    data_dir: PathBuf,
}

impl Server {
    pub fn start(home: &Home) -> Server {
        Start::default().in_home(home)
    }

    pub fn api(&self) -> Api {
        Api::new(&self.base, &self.data_dir)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The link that logs a browser in, as the server says it on stderr.
    pub fn one_time_link(&self) -> String {
        until_some("the server names a link", 10, || {
            self.words().lines().find_map(|line| line.strip_prefix("open ").map(str::to_owned))
        })
    }

    /// Everything it said on stderr so far.
    pub fn words(&self) -> String {
        std::fs::read_to_string(&self.words).unwrap_or_default()
    }

    /// As a power cut would: no chance to finish anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the way it ended.
    pub fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
        until_some("the server ends after SIGTERM", 15, || self.child.try_wait().unwrap())
    }
}

impl Start<'_> {
    /// Starts the server and waits until it accepts events.
    pub fn in_home(self, home: &Home) -> Server {
        let words = home.path().join(format!("serve-{}.txt", std::process::id()));
        let mut command = Command::new(program("orrery"));
        home.own(&mut command);
        command.args(["serve", "--no-open", "--port", &self.port.unwrap_or(0).to_string()]);
        if !self.watch {
            command.arg("--no-watch");
        }
        if let Some(bus) = self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
        }
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&words).unwrap()).spawn().unwrap();

        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let Some(base) = first.strip_prefix("listening on ") else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("orrery serve did not start: {first}{}", std::fs::read_to_string(&words).unwrap_or_default());
        };
        let base = base.trim_end_matches('/').to_owned();
        // A full pipe must not stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, base, words, data_dir: home.data_dir() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- orrery serve said:\n{}", self.words());
        }
    }
}
