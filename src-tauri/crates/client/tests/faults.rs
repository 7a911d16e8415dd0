//! The real hook binary against real sockets, in every way a server can fail it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use orrery_client::spool;

const PAYLOAD: &[u8] = br#"{"session_id":"s1","hook_event_name":"Stop","text":"a\nb"}"#;

/// A server that answers each connection through `answer` and passes on what it received.
fn server(answer: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    port
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
            if body.len() >= length.parse::<usize>().expect("a number") {
                return text;
            }
        }
        match stream.read(&mut chunk).expect("readable") {
            0 => return text,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

fn answering(status: &'static str) -> (u16, Receiver<String>) {
    let (seen, requests) = channel();
    let port = server(move |mut stream| {
        let _ = seen.send(read_request(&mut stream));
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    });
    (port, requests)
}

fn hook(data_dir: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orrery-hook"));
    for name in ["ORRERY_SERVER", "OBSERVABILITY_SERVER", "CODEX_OBSERVABILITY_SERVER", "SERVER_PORT"] {
        command.env_remove(name);
    }
    command.env("ORRERY_DATA_DIR", data_dir).args(["--server", &format!("http://127.0.0.1:{port}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn feed(command: &mut Command, payload: &[u8]) -> Output {
    let mut child = command.spawn().expect("the hook starts");
    let mut stdin = child.stdin.take().expect("piped");
    let _ = stdin.write_all(payload);
    drop(stdin);
    child.wait_with_output().expect("the hook ends")
}

fn check_silent(output: &Output) {
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0));
}

fn spooled(data_dir: &Path) -> Vec<spool::Spooled> {
    spool::list(&spool::dir(data_dir)).iter().map(|path| spool::read(path).expect("well-formed")).collect()
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temp dir")
}

#[test]
fn a_server_that_takes_it_gets_the_payload_once() {
    let (port, requests) = answering("200 OK");
    let dir = temp();
    check_silent(&feed(hook(dir.path(), port).args(["--agent", "codex"]), PAYLOAD));
    let request = requests.recv_timeout(Duration::from_secs(5)).expect("a request");
    assert!(request.starts_with("POST /hooks/codex HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(std::str::from_utf8(PAYLOAD).expect("text")));
    let header = |name: &str| {
        let line = request.lines().find(|line| line.starts_with(name)).expect("the header is there");
        line[name.len() + 2..].to_owned()
    };
    assert_eq!(header("X-Orrery-Id").len(), 32);
    assert!(header("X-Orrery-At").parse::<i64>().expect("a number") > 1_700_000_000_000);
    assert_eq!(header("Host"), format!("127.0.0.1:{port}"));
    assert!(spooled(dir.path()).is_empty());
}

#[test]
fn refusals_go_to_the_spool_unchanged() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let dir = temp();
    check_silent(&feed(&mut hook(dir.path(), nobody), PAYLOAD));
    for status in ["503 Service Unavailable", "404 Not Found", "400 Bad Request", "302 Found"] {
        check_silent(&feed(&mut hook(dir.path(), answering(status).0), PAYLOAD));
    }
    let garbage = server(|mut stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n")));
    check_silent(&feed(&mut hook(dir.path(), garbage), PAYLOAD));
    let all = spooled(dir.path());
    assert_eq!(all.len(), 6);
    for one in all {
        assert_eq!(one.payload, PAYLOAD);
        assert_eq!((one.header.agent.as_str(), one.header.kind.as_str()), ("claude-code", "hook"));
        assert_eq!(one.header.id.len(), 32);
    }
}

#[test]
fn a_hung_server_costs_little_and_the_spooled_copy_has_the_sent_id() {
    let (seen, requests) = channel();
    let port = server(move |mut stream| {
        let seen = seen.clone();
        thread::spawn(move || {
            let _ = seen.send(read_request(&mut stream));
            let _ = stream.read(&mut [0]);
        });
    });
    let dir = temp();
    let start = Instant::now();
    check_silent(&feed(&mut hook(dir.path(), port), PAYLOAD));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let request = requests.recv_timeout(Duration::from_secs(5)).expect("a request");
    let all = spooled(dir.path());
    assert_eq!(all.len(), 1);
    assert!(request.contains(&format!("X-Orrery-Id: {}\r\n", all[0].header.id)));
    // The ones behind it wait less.
    assert!(spool::was_slow(&spool::dir(dir.path())));
    check_silent(&feed(&mut hook(dir.path(), port), PAYLOAD));
    assert_eq!(spooled(dir.path()).len(), 2);
}

#[test]
fn a_server_that_never_reads_does_not_stop_a_large_payload() {
    let (keep, _kept) = channel();
    let port = server(move |stream| drop(keep.send(stream)));
    let dir = temp();
    let body = format!("{{\"session_id\":\"s\",\"x\":\"{}\"}}", "y".repeat(1_900_000));
    let start = Instant::now();
    check_silent(&feed(&mut hook(dir.path(), port), body.as_bytes()));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(spooled(dir.path())[0].payload, body.as_bytes());
}

#[test]
fn a_huge_payload_is_streamed_whole_to_the_spool() {
    let (port, requests) = answering("200 OK");
    let dir = temp();
    let body = vec![b'z'; 9 * 1024 * 1024 + 7];
    check_silent(&feed(&mut hook(dir.path(), port), &body));
    assert!(requests.try_recv().is_err());
    assert!(spooled(dir.path())[0].payload == body, "the payload differs");
}

#[test]
fn order_is_kept() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let dir = temp();
    for number in 0..30 {
        check_silent(&feed(&mut hook(dir.path(), nobody), format!("{{\"n\":{number}}}").as_bytes()));
    }
    let order: Vec<_> =
        spooled(dir.path()).into_iter().map(|one| String::from_utf8(one.payload).expect("text")).collect();
    assert_eq!(order, (0..30).map(|number| format!("{{\"n\":{number}}}")).collect::<Vec<_>>());
}

#[test]
fn a_payload_as_argument_needs_no_stdin() {
    let (port, requests) = answering("200 OK");
    let dir = temp();
    let mut command = hook(dir.path(), port);
    command.args(["--agent", "codex", r#"{"type":"agent-turn-complete"}"#]);
    let mut child = command.spawn().expect("the hook starts");
    let open_stdin = child.stdin.take();
    assert!(child.wait().expect("the hook ends").success());
    drop(open_stdin);
    assert!(
        requests
            .recv_timeout(Duration::from_secs(5))
            .expect("a request")
            .ends_with(r#"{"type":"agent-turn-complete"}"#)
    );
}

#[test]
fn other_machines_and_tls_are_for_the_spool() {
    for url in ["https://127.0.0.1:1", "http://example.org:4000", "nonsense"] {
        let dir = temp();
        let mut command = hook(dir.path(), 1);
        check_silent(&feed(command.args(["--server", url]), PAYLOAD));
        assert_eq!(spooled(dir.path()).len(), 1, "{url}");
    }
}

#[test]
fn odd_surroundings_stay_silent() {
    let dir = temp();
    check_silent(&feed(hook(dir.path(), 1).args(["--agent", "../../etc", "--junk", "\u{1b}[2J"]), PAYLOAD));
    assert_eq!(spooled(dir.path())[0].header.agent, "claude-code");
    check_silent(&feed(&mut hook(dir.path(), 1), b""));
    check_silent(&feed(&mut hook(dir.path(), 1), b" \n"));
    assert_eq!(spooled(dir.path()).len(), 1);
    // A data directory that is a file, one below a file, and one that cannot be made.
    let file = dir.path().join("file");
    fs::write(&file, "x").expect("writable");
    for bad in [file.clone(), file.join("below"), PathBuf::from("/proc/nowhere"), PathBuf::from("/dev/full")] {
        check_silent(&feed(&mut hook(&bad, 1), PAYLOAD));
    }
    // Nothing in the environment at all.
    check_silent(&feed(hook(dir.path(), 1).env_clear().env("ORRERY_DATA_DIR", dir.path()), PAYLOAD));
    // Stdin, stdout and stderr that lead nowhere.
    let mut command = hook(dir.path(), 1);
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the hook runs");
    assert_eq!(status.code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_and_closed_descriptors_stay_silent() {
    let dir = temp();
    let hook = env!("CARGO_BIN_EXE_orrery-hook");
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh", hook])
            .env("ORRERY_DATA_DIR", dir.path())
            .env("ORRERY_SERVER", "http://127.0.0.1:1");
        command.stdin(Stdio::null()).output().expect("sh runs")
    };
    check_silent(&run("echo '{}' | \"$1\" >&- 2>&-"));
    check_silent(&run("\"$1\" <&- >&- 2>&-"));
    // A file size limit of zero makes every write fail as a full disk does.
    let before = spooled(dir.path()).len();
    check_silent(&run("trap '' XFSZ; ulimit -f 0; echo '{}' | \"$1\""));
    assert_eq!(spooled(dir.path()).len(), before);
    let left: Vec<_> = fs::read_dir(spool::dir(dir.path()))
        .expect("there")
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
