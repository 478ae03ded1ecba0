//! A real browser: it revalidates on reload, and seeks in a long sound by ranges.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::support::{PATIENCE, Root, Server, require_tool, wait_for};

/// A page that tries things and reports what it found to `REPORT`, a line each, when it is done.
const PAGE: &str = r#"<!doctype html><title>trial</title><script>
const found = [];
async function trial() {
  const frame = document.createElement("iframe");
  const loaded = () => new Promise(done => frame.addEventListener("load", done, { once: true }));
  const sent = () => frame.contentWindow.performance.getEntriesByType("navigation")[0].transferSize;
  frame.src = "long.html";
  let load = loaded();
  document.body.append(frame);
  await load;
  found.push("loaded " + (sent() > 100000));
  load = loaded();
  frame.contentWindow.location.reload();
  await load;
  found.push("reloaded without content " + (sent() < 1000));

  const sound = new Audio("sound.wav");
  sound.preload = "metadata";
  await new Promise((done, failed) => { sound.onloadedmetadata = done; sound.onerror = () => failed(sound.error.message); });
  found.push("duration " + sound.duration);
  sound.currentTime = 550;
  await new Promise(done => { sound.onseeked = done; });
  const gap = [...Array(sound.buffered.length).keys()].some(n => sound.buffered.start(n) > 60);
  found.push("seeked over a gap " + gap);
}
addEventListener("load", () => trial()
  .catch(error => found.push("failed " + error))
  .then(() => fetch("REPORT", { method: "POST", mode: "no-cors", body: found.join("\n") })));
</script><body></body>"#;

#[test]
fn chromium_revalidates_and_seeks() {
    if !require_tool("chromium") {
        return;
    }
    let reports = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let report = reports.local_addr().expect("a bound socket has an address");
    let long = format!("<!doctype html><title>long</title>{}", " ".repeat(100_000));
    let root = Root::new()
        .file("page.html", PAGE.replace("REPORT", &format!("http://{report}/")))
        .file("long.html", long)
        .file("sound.wav", silence());
    let server = Server::start(&root, &[]);
    let _browser = Browser::open(&server.url("/page.html"));
    assert_eq!(
        receive(&reports, server.address()),
        "loaded true\nreloaded without content true\nduration 600\nseeked over a gap true"
    );
}

/// Ten minutes of silence: 16 bit, one channel, 44.1 kHz.
fn silence() -> Vec<u8> {
    let length: u32 = 600 * 44_100 * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        wav.extend(half.to_le_bytes());
    }
    for word in [44_100_u32, 88_200] {
        wav.extend(word.to_le_bytes());
    }
    for half in [2_u16, 16] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.resize(wav.len() + length as usize, 0);
    wav
}

/// Waits for the report of a page from `server`; gives its text.
fn receive(reports: &TcpListener, server: SocketAddr) -> String {
    reports.set_nonblocking(true).expect("the listener doesn't block");
    let (mut stream, _) = wait_for("the page's report", || reports.accept().ok());
    stream.set_nonblocking(false).expect("the connection does");
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout is set");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).expect("the report arrives");
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, content)) = text.split_once("\r\n\r\n") else { continue };
        let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: ").map(str::parse::<usize>));
        let wanted = line.and_then(Result::ok).expect("the report has a length");
        if content.len() >= wanted || length == 0 {
            assert!(head.contains(&format!("Origin: http://{server}")), "a report of another page: {head}");
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            return content.to_owned();
        }
    }
}

/// A browser without a window, with a profile of its own; it ends with the test.
struct Browser {
    process: Child,
    _profile: Root,
}

impl Browser {
    fn open(url: &str) -> Browser {
        let profile = Root::new();
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"])
            .args(["--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        Browser { process, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
