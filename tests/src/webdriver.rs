//! The real window, driven through WebKitWebDriver: <https://www.w3.org/TR/webdriver2/>.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::{Bus, Display, Home, program, tool, until};

/// Key of an element's id in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One WebDriver with the window it opened; both end when dropped.
pub struct Driver {
    child: Child,
    client: Client,
    session: String,
}

/// An element of the page.
pub struct Element(String);

impl Driver {
    /// Opens the desktop program's window.
    pub fn open(home: &Home, display: &Display, bus: &Bus) -> Driver {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(tool("WebKitWebDriver"));
        home.own(&mut command);
        command
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("DISPLAY", &display.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("ORRERY_PORT", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        until("WebKitWebDriver listens", 10, || TcpStream::connect(("127.0.0.1", port)).is_ok());

        let client = Client::builder().timeout(Duration::from_secs(60)).no_proxy().build().unwrap();
        let base = format!("http://127.0.0.1:{port}/session");
        let mut driver = Driver { child, client, session: base };
        // With a browserName no session is made.
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "webkitgtk:browserOptions": {"binary": program("orrery-desktop"), "args": []}
        }}});
        let made = driver.call("POST", "", &wanted).unwrap_or_else(|error| panic!("no window: {error}"));
        let id = made["sessionId"].as_str().unwrap().to_owned();
        driver.session = format!("{}/{id}", driver.session);
        driver
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.session));
        if method == reqwest::Method::POST {
            request = request.json(body);
        }
        let answer = request.send().map_err(|error| error.to_string())?;
        let is_ok = answer.status().is_success();
        let value = answer.json::<Value>().map_err(|error| error.to_string())?["value"].clone();
        if is_ok { Ok(value) } else { Err(value.to_string()) }
    }

    pub fn title(&self) -> String {
        self.call("GET", "/title", &Value::Null).unwrap().as_str().unwrap_or_default().to_owned()
    }

    pub fn url(&self) -> String {
        self.call("GET", "/url", &Value::Null).unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// The first element a CSS selector finds.
    pub fn find(&self, selector: &str) -> Option<Element> {
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": selector})).ok()?;
        Some(Element(found[ELEMENT].as_str()?.to_owned()))
    }

    pub fn click(&self, element: &Element) {
        self.call("POST", &format!("/element/{}/click", element.0), &json!({})).unwrap();
    }

    /// The value of a script's `return`.
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []})).unwrap()
    }

    /// The value that a script hands to `done(...)`.
    pub fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.call("POST", "/execute/async", &json!({"script": script, "args": []})).unwrap()
    }

    /// All text a person can read.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Types into whatever has the focus; `held` is held down meanwhile.
    pub fn press(&self, held: Option<char>, key: char) {
        let mut actions = vec![json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})];
        if let Some(held) = held {
            actions.insert(0, json!({"type": "keyDown", "value": held}));
            actions.push(json!({"type": "keyUp", "value": held}));
        }
        let keys = json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]});
        self.call("POST", "/actions", &keys).unwrap();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.call("DELETE", "", &Value::Null);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
