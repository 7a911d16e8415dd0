//! The desktop program as a person starts it, with a pointer that moves: no WebDriver in between.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Api, Bus, Display, Home, program, python, tool, until, until_some, work_tree};

/// The running program; ended when dropped.
pub struct Desktop<'a> {
    child: Child,
    home: &'a Home,
    display: &'a Display,
}

impl<'a> Desktop<'a> {
    pub fn start(home: &'a Home, display: &'a Display, bus: &Bus, arguments: &[&str]) -> Desktop<'a> {
        Desktop::start_program(&program("orrery-desktop"), home, display, bus, arguments)
    }

    pub fn start_program(
        program: &Path,
        home: &'a Home,
        display: &'a Display,
        bus: &Bus,
        arguments: &[&str],
    ) -> Desktop<'a> {
        let mut command = Command::new(program);
        own(&mut command, home, display, bus);
        let child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Desktop { child, home, display }
    }

    /// Its server, once that has written its port down.
    pub fn api(&self) -> Api {
        let port = until_some("the window's server names its port", 60, || {
            let text = std::fs::read_to_string(self.home.data_dir().join("port")).ok()?;
            text.trim().parse::<u16>().ok()
        });
        let api = Api::new(&format!("http://127.0.0.1:{port}"), &self.home.data_dir());
        until("the window's server answers", 60, || api.answers());
        api
    }

    /// The program's own process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The window's left and top on the screen, once it is shown.
    pub fn place(&self) -> (i32, i32) {
        until_some("the window is on the screen", 60, || {
            let found = self.pointer(&["search", "--onlyvisible", "--name", "^Orrery$"]);
            let id = found.lines().next()?.to_owned();
            let told = self.pointer(&["getwindowgeometry", "--shell", &id]);
            let number = |name: &str| {
                let line = told.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|text| text.parse::<i32>().ok())
            };
            Some((number("X=")?, number("Y=")?))
        })
    }

    pub fn is_visible(&self) -> bool {
        !self.pointer(&["search", "--onlyvisible", "--name", "^Orrery$"]).trim().is_empty()
    }

    /// Moves the pointer, presses and lets go, as `xdotool` names it.
    pub fn pointer(&self, words: &[&str]) -> String {
        let output = Command::new(tool("xdotool")).args(words).env("DISPLAY", &self.display.name).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Carries what is at `from` to `to`, slowly enough for both windows to follow.
    pub fn carry(&self, from: (i32, i32), to: (i32, i32)) {
        let at = |(x, y): (i32, i32)| [x.to_string(), y.to_string()];
        let move_to = |place: (i32, i32)| {
            let [x, y] = at(place);
            self.pointer(&["mousemove", "--sync", &x, &y, "sleep", "0.03"]);
        };
        move_to(from);
        self.pointer(&["sleep", "0.2", "mousedown", "1", "sleep", "0.1"]);
        // The first steps start the drag inside the page, which then prepares the files.
        for step in 1..=8 {
            move_to((from.0 + 4 * step, from.1 + step));
        }
        self.pointer(&["sleep", "1.5"]);
        for step in 1..=20 {
            move_to((from.0 + (to.0 - from.0) * step / 20, from.1 + (to.1 - from.1) * step / 20));
        }
        self.pointer(&["sleep", "0.5", "mouseup", "1"]);
    }

    /// Ends as the system's own signal ends it, with a good exit code.
    pub fn terminate(mut self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "the program ended with {ended}");
    }
}

impl Drop for Desktop<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn own(command: &mut Command, home: &Home, display: &Display, bus: &Bus) {
    home.own(command);
    command
        .env("DISPLAY", &display.name)
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
        .env("ORRERY_PORT", "0");
}

/// A window that takes files and keeps copies of them, as a file manager does.
pub struct DropTarget {
    child: Child,
}

impl DropTarget {
    /// Opens it with its corner at `place`; copies land in `folder`.
    pub fn open(display: &Display, bus: &Bus, folder: &Path, place: (i32, i32)) -> DropTarget {
        let mut child = Command::new(python())
            .arg(work_tree().join("tests/drop/target.py"))
            .arg(folder)
            .args([place.0.to_string(), place.1.to_string()])
            .env("DISPLAY", &display.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the drop target opened");
        DropTarget { child }
    }
}

impl Drop for DropTarget {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A panel that shows tray icons.
pub struct Panel<'a> {
    child: Child,
    bus: &'a Bus,
}

impl<'a> Panel<'a> {
    pub fn start(bus: &'a Bus) -> Panel<'a> {
        let mut command = script(bus, &["serve"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the panel is on the bus");
        Panel { child, bus }
    }

    /// Words of the tray's menu, from top to bottom. Empty until the icon is there.
    pub fn menu(&self) -> Vec<String> {
        let output = script(self.bus, &["menu"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Bytes of the picture that is shown.
    pub fn icon(&self) -> Vec<u8> {
        script(self.bus, &["icon"]).output().unwrap().stdout
    }

    /// Presses the first entry that starts with these words.
    pub fn press(&self, words: &str) {
        let output = script(self.bus, &["press", words]).output().unwrap();
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Panel<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn script(bus: &Bus, arguments: &[&str]) -> Command {
    let mut command = Command::new(python());
    command.arg(work_tree().join("tests/dbus/tray.py")).args(arguments);
    command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address).stderr(Stdio::piped());
    command
}
