//! A real browser, without a window, driven over its DevTools protocol.
//!
//! The protocol comes through pipes (`--remote-debugging-pipe`): JSON with a NUL behind each message, so it
//! needs no WebSocket.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Root, ms, wait_for};

/// Chromium reads messages from descriptor 3 and writes them to 4. A shell puts our pipes there.
const WITH_PIPES: &str = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#;

/// A browser with a profile of its own; it ends with the test, and after two minutes in any case.
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    sent: u64,
    profile: Root,
}

/// One of its tabs.
pub struct Tab {
    target: String,
    session: String,
}

impl Chromium {
    /// Starts it, with no tab that matters.
    pub fn start() -> Chromium {
        let profile = Root::new();
        let mut process = Command::new("timeout")
            .args(["--kill-after=5", "120", "sh", "-c", WITH_PIPES, "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio", "--lang=en-US"])
            .args(["--disable-background-networking", "--no-proxy-server"])
            .args(["--remote-debugging-pipe", "--remote-debugging-port=0", "--remote-allow-origins=*"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        let to = process.stdin.take().expect("standard input is piped");
        let from = BufReader::new(process.stdout.take().expect("standard output is piped"));
        Chromium { process, to, from, sent: 0, profile }
    }

    /// Opens a page in a window of this size.
    pub fn open(&mut self, url: &str, width: u32, height: u32) -> Tab {
        let window = json!({ "url": "about:blank", "width": width, "height": height, "newWindow": true });
        let target = text(&self.call("Target.createTarget", window, None)["targetId"]);
        let attach = json!({ "targetId": target, "flatten": true });
        let session = text(&self.call("Target.attachToTarget", attach, None)["sessionId"]);
        let tab = Tab { target, session };
        self.resize(&tab, width, height);
        self.go(&tab, url);
        tab
    }

    /// Gives a tab's page this size, whatever its window has around it.
    pub fn resize(&mut self, tab: &Tab, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size, Some(tab));
    }

    /// Lets a tab go to a page.
    pub fn go(&mut self, tab: &Tab, url: &str) {
        self.call("Page.navigate", json!({ "url": url }), Some(tab));
    }

    /// Loads a tab's page anew.
    pub fn reload(&mut self, tab: &Tab) {
        self.call("Page.reload", json!({}), Some(tab));
    }

    /// Lets a tab prefer dark pages.
    pub fn prefer_dark(&mut self, tab: &Tab) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.call("Emulation.setEmulatedMedia", features, Some(tab));
    }

    /// Opens the DevTools of a tab, at a panel, in a tab of their own.
    pub fn open_devtools(&mut self, tab: &Tab, panel: &str, width: u32, height: u32) -> Tab {
        let file = self.profile.at("DevToolsActivePort");
        let port = wait_for("the port of DevTools", || {
            let lines = std::fs::read_to_string(&file).ok()?;
            lines.lines().next().map(str::to_owned)
        });
        let page = format!("127.0.0.1:{port}/devtools/page/{}", tab.target);
        self.open(&format!("devtools://devtools/bundled/inspector.html?ws={page}&panel={panel}"), width, height)
    }

    /// The value of an expression, or of what it promises; panics if it throws.
    pub fn evaluate(&mut self, tab: &Tab, expression: &str) -> Value {
        let question = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", question, Some(tab));
        assert!(answer["exceptionDetails"].is_null(), "{expression}\nthrows {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is neither null nor false; gives its value.
    pub fn wait_for(&mut self, tab: &Tab, expression: &str) -> Value {
        wait_for(expression, || {
            let value = self.evaluate(tab, expression);
            let yes = !value.is_null() && value != false;
            if !yes {
                std::thread::sleep(ms(50));
            }
            yes.then_some(value)
        })
    }

    /// Clicks on what shows exactly this text, once it is there, be it within shadow roots.
    pub fn click(&mut self, tab: &Tab, text: &str) {
        let place = self.wait_for(tab, &format!("({FIND_TEXT})({})", json!(text)));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event, Some(tab));
        }
    }

    /// Takes a picture of what the tab shows, into the folder of pictures.
    pub fn picture(&mut self, tab: &Tab, name: &str) {
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }), Some(tab));
        let png = decode_base64(picture["data"].as_str().expect("a picture in Base64"));
        assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "no picture worth {} bytes", png.len());
        let folder = std::env::var_os("HOLDLINE_SCREENSHOTS").map_or_else(|| self.profile.at(""), PathBuf::from);
        std::fs::write(folder.join(name), png).expect("the picture is written");
    }

    /// Sends a command and waits for its result. Events that come in between are nobody's concern.
    fn call(&mut self, method: &str, params: Value, tab: Option<&Tab>) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(tab) = tab {
            message["sessionId"] = json!(tab.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("chromium takes a message");
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).expect("chromium says something");
            assert_eq!(bytes.pop(), Some(0), "chromium has gone before it answered {method}");
            let mut message: Value = serde_json::from_slice(&bytes).expect("chromium speaks JSON");
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // `timeout` hands the signal on to the browser.
        if let Some(pid) = Pid::from_raw(self.process.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// Finds the middle of the element that shows a text; the last one, if several do.
const FIND_TEXT: &str = r#"wanted => {
  let found = null;
  const search = root => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) search(element.shadowRoot);
      const shows = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim() === wanted);
      const { x, y, width, height } = element.getBoundingClientRect();
      if (shows && width > 0 && height > 0) found = [x + width / 2, y + height / 2];
    }
  };
  search(document);
  return found;
}"#;

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// RFC 4648 §4.
fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| *byte != b'=');
    let digits = digits.map(|byte| ALPHABET.iter().position(|other| *other == byte).expect("a digit") as u32);
    let digits: Vec<u32> = digits.collect();
    let group = |digits: &[u32]| {
        let bits = digits.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - digits.len()));
        bits.to_be_bytes()[1..digits.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
