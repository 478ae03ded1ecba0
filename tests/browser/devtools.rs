//! The demonstration page, and the browser's own DevTools beside it: what `docs/tour-devtools.md` promises is there.

use crate::support::{CHROMIUM, Chromium, Server, Tab, ms, test, wait_for};

/// The folder that is served by default.
fn www() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("www")
}

/// All tiles of the picture are there, and counted.
const LOADED: &str =
    "document.readyState === 'complete' && document.querySelectorAll('#picture span.pending').length === 0
  && document.querySelector('#promise-text')?.textContent !== ''";

test!(the_demonstration_page_counts_its_connections, CHROMIUM);
fn the_demonstration_page_counts_its_connections() {
    let server = Server::serve(&www(), &[]);
    let mut chromium = Chromium::start();
    let tab = chromium.open(&server.url("/"), 1280, 860);
    chromium.wait_for(&tab, LOADED);
    let count = |chromium: &mut Chromium, name: &str| {
        let text = chromium.evaluate(&tab, &format!("document.getElementById('count-{name}').textContent"));
        text.as_str().and_then(|text| text.parse::<u32>().ok()).unwrap_or_else(|| panic!("count-{name}: {text}"))
    };
    let (requests, opened, reused) =
        (count(&mut chromium, "requests"), count(&mut chromium, "opened"), count(&mut chromium, "reused"));
    assert!(requests >= 20 && opened <= 6 && opened + reused == requests, "{requests} = {opened} + {reused}");
    let promise = chromium.evaluate(&tab, "document.getElementById('promise-field').textContent");
    assert!(promise.as_str().is_some_and(|promise| promise.contains("timeout=70, max=9")), "{promise}");
    chromium.picture(&tab, "page.png");
}

/// DevTools' own settings: the columns of the tour, no picture of the page beside them, no cache.
const SETTINGS: &str = r#"(async () => {
  const { Settings } = (await import("devtools://devtools/bundled/core/common/common.js")).Settings;
  const set = (name, value) => Settings.instance().createSetting(name, null).set(value);
  const columns = ["name", "status", "protocol", "connection-id", "time"];
  const shown = Object.fromEntries(columns.map(name => [name, { visible: true }]));
  const hidden = Object.fromEntries(["type", "initiator", "size"].map(name => [name, { visible: false }]));
  const field = { "response-header-keep-alive": { visible: true, title: "Keep-Alive" } };
  set("network-log-columns", { ...shown, ...hidden, ...field });
  set("screencast-enabled", false);
  set("cache-disabled", true);
  return true;
})()"#;

/// Everything that DevTools shows, shadow roots included.
const ALL_TEXT: &str = r#"(() => {
  const parts = [];
  const collect = root => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) collect(element.shadowRoot);
      for (const node of element.childNodes) {
        if (node.nodeType === Node.TEXT_NODE && node.data.trim() !== "") parts.push(node.data.trim());
      }
    }
  };
  collect(document);
  return parts.join("\n");
})()"#;

test!(devtools_show_which_connection_each_request_took, CHROMIUM);
/// Chromium's DevTools are not a stable interface: this drives version 156.
fn devtools_show_which_connection_each_request_took() {
    let server = Server::serve(&www(), &[]);
    let mut chromium = Chromium::start();
    let page = chromium.open(&server.url("/"), 1280, 860);
    let devtools = chromium.open_devtools(&page, "network", 1280, 840);
    wait_until_shown(&mut chromium, &devtools, "Disable cache");
    chromium.evaluate(&devtools, SETTINGS);
    chromium.reload(&devtools);
    wait_until_shown(&mut chromium, &devtools, "Keep-Alive");
    // When its columns are there, it may still not listen.
    let shown = wait_for("the requests in DevTools", || {
        chromium.reload(&page);
        std::thread::sleep(ms(1000));
        chromium.wait_for(&page, LOADED);
        let shown = all_text(&mut chromium, &devtools);
        shown.contains("c6.svg").then_some(shown)
    });
    for text in ["Protocol", "Connection ID", "Keep-Alive", "http/1.1", "timeout=70, max=99"] {
        assert!(shown.contains(text), "DevTools show no {text}:\n{shown}");
    }
    chromium.picture(&devtools, "devtools-network.png");

    chromium.click(&devtools, "c6.svg");
    chromium.click(&devtools, "Timing");
    let shown = wait_until_shown(&mut chromium, &devtools, "Server Timing");
    for text in ["conn — #", "req — ", " of 1000", "keep — HTTP/1.1 persis"] {
        assert!(shown.contains(text), "DevTools show no {text}:\n{shown}");
    }
    chromium.picture(&devtools, "devtools-timing.png");
}

fn wait_until_shown(chromium: &mut Chromium, devtools: &Tab, text: &str) -> String {
    wait_for(text, || Some(all_text(chromium, devtools)).filter(|shown| shown.contains(text)))
}

fn all_text(chromium: &mut Chromium, devtools: &Tab) -> String {
    chromium.evaluate(devtools, ALL_TEXT).as_str().expect("a text").to_owned()
}
