//! The desktop sink against a real notification service: python3-dbusmock's, on a private session bus.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use orrery_alerts::sinks::desktop::{Act, DesktopSink, Word};
use orrery_alerts::{Sink, SinkError};
use orrery_types::{Alert, AlertKind, Asks, Urgency};
use zbus::blocking::Connection;
use zbus::zvariant::{OwnedValue, Value};

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const MOCK: &str = "org.freedesktop.DBus.Mock";
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn without_a_bus_delivery_fails_in_words() {
    let inside = std::env::var_os("ORRERY_TEST_WITHOUT_BUS").is_some();
    if !inside {
        let nowhere = "unix:path=/nonexistent/orrery-test-bus";
        let again = [("ORRERY_TEST_WITHOUT_BUS", "1"), ("DBUS_SESSION_BUS_ADDRESS", nowhere)];
        rerun(Command::new(std::env::current_exe().unwrap()), "without_a_bus_delivery_fails_in_words", &again);
        return;
    }
    let sink = DesktopSink::start(|_| {}).unwrap();
    assert_eq!(sink.deliver(&budget()), Err(SinkError::NoBus));
}

#[test]
fn a_bus_without_a_service_is_named() {
    if !on_private_bus("a_bus_without_a_service_is_named") {
        return;
    }
    let sink = DesktopSink::start(|_| {}).unwrap();
    assert_eq!(sink.deliver(&budget()), Err(SinkError::NoService));
}

#[test]
fn a_click_opens_the_session_and_markup_stays_text() {
    if !on_private_bus("a_click_opens_the_session_and_markup_stays_text") {
        return;
    }
    let service = Service::start("actions body body-markup");
    let (opened, opens) = mpsc::channel();
    let sink = DesktopSink::start(move |act| opened.send(act).unwrap()).unwrap();

    sink.deliver(&task("s1", "lattice-api has worked for 5 m on '<img src=x> & more'")).unwrap();
    let first = service.notifications().remove(0);
    assert_eq!(first.app, "Orrery");
    assert_eq!(first.title, "Still working");
    assert_eq!(first.text, "lattice-api has worked for 5 m on '&lt;img src=x&gt; &amp; more'");
    assert_eq!(first.actions, ["default", "Open", "open", "Open", "snooze", "Snooze 1 h"]);
    assert_eq!(first.desktop_entry, "dev.orrery.desktop");
    assert_eq!(first.replaces, 0);

    sink.deliver(&budget()).unwrap();
    sink.deliver(&task("s1", "lattice-api has worked for 10 m")).unwrap();
    let replaces: Vec<u32> = service.notifications().iter().map(|note| note.replaces).collect();
    assert_eq!(replaces, [0, 0, 1], "only the same session's notification is replaced");

    // The body of the session's notification, then the button of the budget's.
    assert_eq!(service.click_until_acted(1, "default", &opens), Act::Open("s1".to_owned()));
    let window = Act::Open(String::new());
    assert_eq!(service.click_until_acted(2, "open", &opens), window, "a budget has no session: the window comes up");
    assert!(opens.try_recv().is_err(), "the replaced notification does not open a second time");
}

#[test]
fn a_service_without_actions_or_markup_gets_neither() {
    if !on_private_bus("a_service_without_actions_or_markup_gets_neither") {
        return;
    }
    let service = Service::start("body");
    let sink = DesktopSink::start(|_| {}).unwrap();
    sink.deliver(&task("s1", "a < b\nand c")).unwrap();
    let note = service.notifications().remove(0);
    assert_eq!(note.text, "a < b and c");
    assert!(note.actions.is_empty());
}

#[test]
fn a_question_is_answered_from_its_notification_and_groups_take_the_place_of_single_ones() {
    if !on_private_bus("a_question_is_answered_from_its_notification_and_groups_take_the_place_of_single_ones") {
        return;
    }
    let service = Service::start("actions body");
    let (acted, acts) = mpsc::channel();
    let sink = DesktopSink::start(move |act| acted.send(act).unwrap()).unwrap();

    let asks = Asks { seq: 41, ask: "permission".to_owned(), choices: Vec::new() };
    let question = Alert { asks: Some(asks), urgency: Urgency::Critical, ..task("s1", "lattice-api wants to publish") };
    sink.deliver(&question).unwrap();
    let shown = service.notifications().remove(0);
    assert_eq!(shown.actions[2..], ["answer-0", "Approve", "answer-1", "Deny", "open", "Open", "snooze", "Snooze 1 h"]);
    assert_eq!(shown.urgency, 2);
    let deny = Act::Answer { seq: 41, word: Word::Permission(false) };
    assert_eq!(service.click_until_acted(1, "answer-1", &acts), deny);

    sink.deliver(&task("s2", "still working")).unwrap();
    assert_eq!(service.click_until_acted(2, "snooze", &acts), Act::Snooze("session/s2".to_owned()));
    let group = ["s1", "s2", "s3"].map(str::to_owned).to_vec();
    sink.deliver(&Alert { group, session_id: None, ..task("s3", "lattice-api, shop, web") }).unwrap();
    assert_eq!(service.closed(), [1, 2], "one word for all three");
    sink.deliver(&task("s4", "waits")).unwrap();
    sink.withdraw("s4");
    let start = Instant::now();
    while service.closed() != [1, 2, 4] {
        assert!(start.elapsed() < PATIENCE, "{:?}", service.closed());
        std::thread::yield_now();
    }
}

fn budget() -> Alert {
    Alert {
        key: "budget/daily/2026-11-22/4000".to_owned(),
        kind: AlertKind::BudgetExceeded,
        at_ms: 1_795_380_000_000,
        title: "Budget exceeded".to_owned(),
        text: "Budget exceeded: $50.12 of $40.00 today".to_owned(),
        rule: "budget".to_owned(),
        ..Alert::default()
    }
}

fn task(session_id: &str, text: &str) -> Alert {
    Alert {
        key: format!("long-task/{session_id}/1"),
        kind: AlertKind::LongTask,
        title: "Still working".to_owned(),
        text: text.to_owned(),
        session_id: Some(session_id.to_owned()),
        ..budget()
    }
}

/// The bus is found through the environment, which a test cannot change in its own process: the test runs itself again
/// under `dbus-run-session`. True inside that second run.
fn on_private_bus(test: &str) -> bool {
    if std::env::var_os("ORRERY_TEST_ON_BUS").is_some() {
        return true;
    }
    let missing = ["dbus-run-session --version", "/usr/bin/python3 -c import\u{a0}dbusmock"]
        .into_iter()
        .find(|probe| !succeeds(probe));
    if let Some(probe) = missing {
        eprintln!("skipped: `{}` fails here (Debian: dbus-daemon, python3-dbusmock)", probe.replace('\u{a0}', " "));
        return false;
    }
    let mut command = Command::new("dbus-run-session");
    command.arg("--").arg(std::env::current_exe().unwrap());
    rerun(command, test, &[("ORRERY_TEST_ON_BUS", "1")]);
    false
}

fn succeeds(probe: &str) -> bool {
    let words: Vec<String> = probe.split(' ').map(|word| word.replace('\u{a0}', " ")).collect();
    Command::new(&words[0]).args(&words[1..]).output().is_ok_and(|output| output.status.success())
}

fn rerun(mut command: Command, test: &str, env: &[(&str, &str)]) {
    let output = command.args(["--exact", test, "--nocapture"]).envs(env.iter().copied()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("1 passed"), "{words}");
}

struct Service {
    daemon: Child,
    bus: Connection,
}

struct Notification {
    app: String,
    replaces: u32,
    title: String,
    text: String,
    actions: Vec<String>,
    desktop_entry: String,
    urgency: u8,
}

impl Service {
    fn start(capabilities: &str) -> Service {
        let parameters = format!(r#"{{"capabilities": "{capabilities}"}}"#);
        let daemon = Command::new("/usr/bin/python3")
            .args(["-m", "dbusmock", "--session", "--template", "notification_daemon", "--parameters", &parameters])
            .args(["--logfile", "/dev/null"])
            .spawn()
            .unwrap();
        let bus = Connection::session().unwrap();
        let service = Service { daemon, bus };
        let start = Instant::now();
        while service.calls().is_none() {
            assert!(start.elapsed() < PATIENCE, "the mock service did not start");
            std::thread::yield_now();
        }
        service
    }

    fn calls(&self) -> Option<Vec<(u64, Vec<OwnedValue>)>> {
        self.calls_of("Notify")
    }

    fn calls_of(&self, method: &str) -> Option<Vec<(u64, Vec<OwnedValue>)>> {
        let answer = self.bus.call_method(Some(SERVICE), PATH, Some(MOCK), "GetMethodCalls", &method).ok()?;
        answer.body().deserialize().ok()
    }

    /// Numbers of the notifications that were taken back.
    fn closed(&self) -> Vec<u32> {
        let calls = self.calls_of("CloseNotification").unwrap();
        // The mock logs its integers as the smallest kind that holds them.
        let number = |value: OwnedValue| match &*value {
            Value::I32(id) => u32::try_from(*id).unwrap(),
            Value::I64(id) => u32::try_from(*id).unwrap(),
            Value::U32(id) => *id,
            Value::U64(id) => u32::try_from(*id).unwrap(),
            other => panic!("{other:?}"),
        };
        calls.into_iter().map(|(_, mut args)| number(args.remove(0))).collect()
    }

    fn notifications(&self) -> Vec<Notification> {
        self.calls().unwrap().into_iter().map(|(_, args)| notification(args)).collect()
    }

    /// Clicks until the sink says so: the service may be asked to emit before the click is listened for.
    fn click_until_acted(&self, id: u32, action: &str, acts: &mpsc::Receiver<Act>) -> Act {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let args = vec![Value::from(id), Value::from(action)];
            let signal = (SERVICE, "ActionInvoked", "us", args);
            self.bus.call_method(Some(SERVICE), PATH, Some(MOCK), "EmitSignal", &signal).unwrap();
            if let Ok(act) = acts.recv_timeout(Duration::from_millis(200)) {
                return act;
            }
        }
        panic!("no click reached the sink");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// `Notify(app_name, replaces_id, app_icon, summary, body, actions, hints, expire_timeout)`
fn notification(args: Vec<OwnedValue>) -> Notification {
    let text = |place: usize| String::try_from(args[place].clone()).unwrap();
    let hints = std::collections::HashMap::<String, OwnedValue>::try_from(args[6].clone()).unwrap();
    Notification {
        app: text(0),
        replaces: u32::try_from(args[1].clone()).unwrap(),
        title: text(3),
        text: text(4),
        actions: Vec::<String>::try_from(args[5].clone()).unwrap(),
        desktop_entry: String::try_from(hints["desktop-entry"].clone()).unwrap(),
        urgency: match &*hints["urgency"] {
            Value::U8(urgency) => *urgency,
            other => panic!("{other:?}"),
        },
    }
}
