// ── The link to the server ───────────────────────────────────────────────────────────────────

const MAX_HELD = 20_000; // events that wait while paused
const QUIET_MS = 4000; // totals come once a second: this long without is odd
const DEAD_MS = 20_000; // and this long is a dead link
const MIN_PATIENCE_MS = 2000; // the first wait for room; each one is twice as long, so that a waiting page costs little
const MAX_PATIENCE_MS = 30_000;

const link = {
  source: null,
  up: false,
  full: false, // the server has answered, but with 503: too many viewers, or too many connections
  patience: MIN_PATIENCE_MS, // until the next attempt when there was no room
  since: performance.now(), // of being up or down
  heard: performance.now(), // the last word of the server, in our time
  draining: false,
  stale: false, // events are missing: ask for the status
  asking: false,
  asked: -Infinity,
};

let held = null; // events that came while paused; null when not paused

function connect() {
  link.source?.close();
  link.source = new EventSource("events");
  for (const name of Object.keys(on)) {
    link.source.addEventListener(name, (message) => receive(name, JSON.parse(message.data)));
  }
  link.source.onerror = () => {
    linkDown();
    // The browser reconnects by itself and sends Last-Event-ID, unless the response was not a stream.
    if (link.source.readyState === EventSource.CLOSED) askWhy().then(connectLater);
    else link.full = false;
  };
}

function connectLater() {
  setTimeout(connect, link.patience);
  link.patience = link.full ? Math.min(2 * link.patience, MAX_PATIENCE_MS) : MIN_PATIENCE_MS;
}

/** An EventSource does not tell with which status it was answered. HEAD does, and needs no room for a viewer. */
async function askWhy() {
  try {
    const response = await fetch("events", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) });
    link.full = response.status === 503;
  } catch {
    link.full = false;
  }
}

function receive(name, event) {
  link.heard = performance.now();
  if (name === "hello") linkUp();
  if (!held) {
    apply(name, event);
  } else if (held.length < MAX_HELD) {
    held.push([name, event]);
  } else {
    link.stale = true; // what does not fit is found again by asking for the status
  }
}

function apply(name, event) {
  if (name !== "hello") clock.heard(event.t);
  on[name](event);
  view.dirty = true;
}

function linkUp() {
  Object.assign(link, { up: true, full: false, patience: MIN_PATIENCE_MS, since: performance.now(), draining: false });
  if (!held) clock.frozen = null;
}

function linkDown() {
  if (link.up) link.since = performance.now();
  link.up = false;
  // Time stands still where the server was last heard: nothing is known of what came after.
  clock.frozen ??= clock.offset === null ? null : link.heard + clock.offset;
}

async function fetchStatus() {
  if (link.asking) return;
  Object.assign(link, { asking: true, asked: performance.now(), stale: false });
  try {
    const answer = await fetch("status", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (answer.ok) {
      const status = await answer.json();
      if (!held) mergeStatus(status);
      view.dirty = true;
    }
  } catch { /* the stream tells whether the server is there */ }
  link.asking = false;
}

/** The TCP states are the kernel's and come by asking: when few are open, or one is looked at. */
function poll() {
  if (document.hidden || !link.up || held) return;
  const few = totals && totals.open < 200;
  const overdue = link.stale && performance.now() - link.asked > 5000;
  if (few || view.selected !== null || overdue) fetchStatus();
}

function watchLink() {
  if (!link.up) return;
  const silence = performance.now() - link.heard;
  if (silence > DEAD_MS) {
    linkDown();
    link.heard = performance.now(); // the next attempt has as long
    connect();
  } else if (silence > QUIET_MS) {
    clock.frozen ??= link.heard + clock.offset;
  } else if (!held) {
    clock.frozen = null;
  }
}

function setPaused(paused) {
  if (paused === Boolean(held)) return;
  if (paused) {
    held = [];
    clock.frozen = clock.now();
  } else {
    const events = held;
    held = null;
    clock.frozen = null;
    for (const [name, event] of events) apply(name, event);
    fetchStatus();
    if (!link.up) linkDown();
  }
  showControls();
}
