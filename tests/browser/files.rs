//! What a browser asks of a file server: it revalidates on reload, and seeks in a long sound by ranges.

use crate::support::{CHROMIUM, Chromium, Root, Server, test};

/// Tries things, and finds a line each.
const TRIAL: &str = r#"(async () => {
  const found = [];
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
  return found.join("\n");
})()"#;

test!(chromium_revalidates_and_seeks, CHROMIUM);
fn chromium_revalidates_and_seeks() {
    let long = format!("<!doctype html><title>long</title>{}", " ".repeat(100_000));
    let root = Root::new().file("long.html", long).file("sound.wav", silence());
    let server = Server::start(&root, &[]);
    let mut chromium = Chromium::start();
    let tab = chromium.open(&server.url("/"), 800, 600);
    chromium.wait_for(&tab, "document.readyState === 'complete' && document.body !== null && location.port !== ''");
    let found = chromium.evaluate(&tab, TRIAL);
    let expected = "loaded true\nreloaded without content true\nduration 600\nseeked over a gap true";
    assert_eq!(found, expected);
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
