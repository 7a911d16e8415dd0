//! The server's HTTP and WebSocket interface, as a client with the token speaks it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tungstenite::WebSocket;
use tungstenite::client::IntoClientRequest;

pub struct Api {
    client: Client,
    base: String,
    data_dir: PathBuf,
}

impl Api {
    pub fn new(base: &str, data_dir: &Path) -> Api {
        let client = Client::builder().timeout(Duration::from_secs(20)).no_proxy().build().unwrap();
        Api { client, base: base.to_owned(), data_dir: data_dir.to_owned() }
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("token")).unwrap().trim().to_owned()
    }

    /// Whether the server is there and well.
    pub fn answers(&self) -> bool {
        self.client.get(format!("{}/health", self.base)).send().is_ok_and(|answer| answer.status() == 200)
    }

    /// The JSON of a page that must answer 200.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.base)).bearer_auth(self.token()).send().unwrap();
        let status = answer.status();
        let text = answer.text().unwrap();
        assert_eq!(status, 200, "GET {path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
    }

    /// Status and JSON of a change.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(self.token());
        let answer = request.json(body).send().unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Posts one event in the family's shape, as a program without a token does, and returns what was answered.
    pub fn post_event(&self, session: &str, kind: &str, payload: &Value) -> Value {
        let event = json!({
            "source_app": "journey", "session_id": session, "hook_event_type": kind, "payload": payload,
        });
        let answer = self.client.post(format!("{}/events", self.base)).json(&event).send().unwrap();
        assert_eq!(answer.status(), 200, "POST /events");
        answer.json().unwrap()
    }

    /// Posts one hook payload of Claude Code, as its own http hooks do.
    pub fn post_hook(&self, payload: &Value) {
        let answer = self.client.post(format!("{}/hooks/claude-code", self.base)).json(payload).send().unwrap();
        assert_eq!(answer.status(), 200, "POST /hooks/claude-code");
        assert_eq!(answer.text().unwrap(), "", "any text would be read as the hook's output");
    }

    /// Events of one session, oldest first, in the family's shape.
    pub fn events_of(&self, session: &str) -> Vec<Value> {
        let recent = self.get("/events/recent?limit=1000");
        let events = recent.as_array().unwrap().iter();
        events.filter(|event| event["session_id"] == session).cloned().collect()
    }

    /// The socket the pages use, from now on.
    pub fn live(&self) -> Live {
        let address = self.base.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let mut request = format!("ws://{address}/api/v1/live").into_client_request().unwrap();
        let protocol = format!("orrery.{}", self.token());
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        let (socket, _) =
            tungstenite::client(request, stream).unwrap_or_else(|error| panic!("the live socket: {error}"));
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        Live { socket }
    }
}

/// A live socket with a short patience per read.
pub struct Live {
    socket: WebSocket<TcpStream>,
}

impl Live {
    /// The next frame, if one arrives within a moment.
    pub fn next(&mut self) -> Option<Value> {
        match self.socket.read() {
            Ok(message) => serde_json::from_str(message.to_text().ok()?).ok(),
            Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("the live socket closed: {error}"),
        }
    }

    /// The next frame of that type.
    pub fn frame(&mut self, kind: &str, seconds: u64) -> Value {
        crate::until_some(&format!("a {kind} frame"), seconds, || self.next().filter(|frame| frame["type"] == kind))
    }
}
