// ── The clock ────────────────────────────────────────────────────────────────────────────────
// All times are the server's: milliseconds since its start. An event can arrive late but never
// early, so the largest difference seen is the truest; it is let down a little each second to
// follow clocks that drift apart.

const clock = {
  offset: null, // server's time − ours
  started: 0, // the server's start on the wall clock, in ms
  frozen: null, // the picture stands still at this time

  heard(t) { this.offset = Math.max(this.offset ?? -Infinity, t - performance.now()); },
  relax() { this.offset -= 1; },
  live() { return performance.now() + (this.offset ?? 0); },
  now() { return this.frozen ?? this.live(); },
};

// ── The model: lanes ─────────────────────────────────────────────────────────────────────────
// A lane is one connection. Its marks are its exchanges, oldest first: a request from `from` to
// `to`, then a wait until `until`. Both lanes and marks are bounded, so a page may stay open for
// weeks.

const MAX_LANES = 3000;
const MAX_MARKS = 120_000; // in all lanes together
const MAX_TARGET = 200; // characters of a request target that are kept

const lanes = new Map(); // conn → lane, in order of appearance
let totals = null;
let policy = null;
let you = null; // the connection that carries our event stream
let leftOut = 0; // events the server left out, said lately
let missed = 0;

function newLane(conn, t) {
  return {
    conn, peer: "", opened: t,
    partial: true, // its opening was not seen
    state: "opened", requests: 0, marks: [],
    deadline: null, // { promised, closes }
    waitsSince: null, // of a wait that began before we looked
    closing: null, race: null, closed: null, tcp: null, viewer: false,
    console: true, // every request so far was for /-/
    heard: t, version: 0, matches: true,
  };
}

/** The lane of an event. When there are too many, a lane that nobody keeps. */
function laneOf(event) {
  let lane = lanes.get(event.conn);
  if (!lane) {
    lane = newLane(event.conn, event.t);
    if (lanes.size < MAX_LANES) lanes.set(event.conn, lane);
    lane.matches = matches(lane);
  }
  lane.heard = event.t;
  lane.version++;
  return lane;
}

/** A short copy of its own: a slice would keep the whole long string alive. */
const clip = (text) => (text.length <= MAX_TARGET ? text : Array.from(text.slice(0, MAX_TARGET)).join("") + "…");

function pushMark(lane, mark) {
  lane.marks.push(mark);
  const share = Math.max(24, Math.min(600, Math.floor(MAX_MARKS / lanes.size)));
  if (lane.marks.length > share) compact(lane, share);
}

/** Merges the older half of a lane's marks into runs of requests that stand close together. */
function compact(lane, share) {
  const close = view.windowMs / 100;
  const runs = [];
  for (const mark of lane.marks.splice(0, share >> 1)) {
    const run = runs.at(-1);
    if (run && mark.from - run.until < close && mark.from - run.to < close) {
      Object.assign(run, { to: mark.to, until: mark.until, last: mark.last ?? mark.n, count: run.count + (mark.count ?? 1) });
    } else {
      runs.push({ count: 1, ...mark });
    }
  }
  lane.marks.unshift(...runs.slice(-(share >> 2)));
}

function endWait(lane, t) {
  const mark = lane.marks.at(-1);
  if (!mark) return;
  mark.to ??= t;
  mark.until ??= t;
}

function endLane(lane, closed) {
  const mark = lane.marks.at(-1);
  if (mark && mark.to === null) mark.cut = true;
  endWait(lane, closed.t);
  Object.assign(lane, { state: "closed", closed, deadline: null });
  if (closed.race && !lane.race) lane.race = { t: closed.t, late_ms: closed.race.late_ms };
  if (filter && !lane.matches) lane.matches = matches(lane);
}

// What each event of the stream does to the model.
const on = {
  hello(e) {
    const started = e.unix_ms - e.t;
    // Another start: another server. Its connections have nothing to do with the ones we know.
    if (clock.started && Math.abs(started - clock.started) > 2000) forgetAll();
    clock.started = started;
    clock.heard(e.t);
    policy = e.policy;
    you = e.you;
    missed = e.missed;
    if (e.missed) markNotice();
    fetchStatus();
  },
  opened(e) {
    const lane = laneOf(e);
    Object.assign(lane, { peer: e.peer, opened: e.t, partial: false });
    if (filter) lane.matches = matches(lane);
  },
  request(e) {
    const lane = laneOf(e);
    endWait(lane, e.t);
    const target = clip(e.target);
    Object.assign(lane, { state: lane.viewer ? "streaming" : "sending", requests: e.n, deadline: null });
    lane.console &&= target.startsWith("/-/");
    pushMark(lane, { n: e.n, from: e.t, to: null, until: null, method: e.method, target, version: e.version, idle_ms: e.idle_ms });
    if (filter && !lane.matches) lane.matches = contains(target);
  },
  response(e) {
    const lane = laneOf(e);
    let mark = lane.marks.at(-1);
    if (!mark || mark.n !== e.n || mark.count) {
      endWait(lane, e.t - e.took_ms);
      mark = { n: e.n, from: e.t - e.took_ms, to: null, until: null, method: null, target: "", version: "", idle_ms: null };
      pushMark(lane, mark);
      lane.console = false; // an answer to what was no request
    }
    Object.assign(mark, { to: e.t, status: e.status, length: e.length, keep: e.keep, why: e.why, reason: e.reason, took_ms: e.took_ms });
    Object.assign(lane, { requests: e.n, state: e.keep ? "idle" : "sending" });
  },
  idle(e) {
    const lane = laneOf(e);
    const mark = lane.marks.at(-1);
    if (mark) {
      mark.to ??= e.t;
      Object.assign(mark, { promised_ms: e.promised_ms, closes_ms: e.closes_ms });
    }
    Object.assign(lane, { state: "idle", deadline: { promised: e.t + e.promised_ms, closes: e.t + e.closes_ms } });
  },
  closing(e) {
    const lane = laneOf(e);
    endWait(lane, e.t);
    Object.assign(lane, { state: "lingering", closing: e, deadline: null });
  },
  race(e) {
    laneOf(e).race = e;
  },
  closed(e) {
    const lane = laneOf(e);
    lane.peer = e.peer;
    if (lane.partial) Object.assign(lane, { opened: e.t - e.age_ms, partial: false });
    lane.requests = e.requests;
    endLane(lane, e);
  },
  viewer(e) {
    Object.assign(laneOf(e), { viewer: true, state: "streaming", deadline: null });
  },
  totals(e) {
    clock.relax();
    totals = e;
    rate.push(e);
  },
  sampled(e) {
    leftOut += e.left_out;
    link.stale = true;
    markNotice();
  },
};

/** Brings the model in line with an answer of `status`, which may be older than the stream. */
function mergeStatus(status) {
  const t = status.server.now_ms;
  clock.heard(t);
  policy = status.policy;
  link.draining = status.server.draining;
  if (!totals || totals.t < t) totals = { ...status.totals, t };
  const seen = new Set();
  for (const c of status.connections) {
    seen.add(c.id);
    mergeOpen(c, t);
  }
  const recent = new Map(status.recent.map((r) => [r.id, r]));
  for (const lane of lanes.values()) {
    if (lane.closed || seen.has(lane.conn) || lane.heard >= t) continue;
    const r = recent.get(lane.conn);
    lane.version++;
    endLane(lane, r ? { ...r, t } : { t, by: "unknown", how: null, reason: "", first_fin: "none" });
  }
}

function mergeOpen(c, t) {
  let lane = lanes.get(c.id);
  if (!lane) {
    if (lanes.size >= MAX_LANES) return;
    lane = newLane(c.id, t);
    lane.heard = -Infinity;
    lanes.set(c.id, lane);
  }
  if (lane.closed) return;
  if (lane.partial) Object.assign(lane, { opened: t - c.age_ms, partial: false, peer: c.peer });
  Object.assign(lane, { tcp: c.tcp, received: c.bytes_received, sent: c.bytes_sent });
  lane.version++;
  if (lane.heard < t) {
    lane.state = c.state;
    lane.requests = c.requests;
    lane.viewer ||= c.state === "streaming";
    if (c.last) {
      lane.lastTarget = clip(c.last.target);
      lane.console &&= c.last.target.startsWith("/-/");
    }
    if (c.timeout?.reason === "idle-timeout" && !lane.deadline) {
      const closes = t + c.timeout.in_ms;
      const promised = closes - policy.keep_alive_grace_ms;
      lane.deadline = { promised, closes };
      if (!lane.marks.length) lane.waitsSince = Math.max(lane.opened, promised - policy.keep_alive_timeout_ms);
    }
  }
  if (filter) lane.matches = matches(lane);
}

function forgetAll() {
  lanes.clear();
  select(null);
  Object.assign(clock, { offset: null, frozen: null });
  totals = null;
  rate.clear();
}

/** Lets go of closed lanes that have left the picture, and of the oldest ones if there are too many. */
function prune() {
  const left = clock.now() - view.windowMs * 1.05;
  let surplus = lanes.size - (MAX_LANES * 2) / 3;
  for (const lane of lanes.values()) {
    if (!lane.closed || lane.conn === view.selected) continue;
    if (lane.closed.t < left || surplus > 0) {
      lanes.delete(lane.conn);
      surplus--;
    }
  }
}

/** Requests per second, from the exact totals. */
const rate = {
  samples: [], // { t, requests }, one a second
  push({ t, requests }) {
    this.samples.push({ t, requests });
    if (this.samples.length > 61) this.samples.shift();
  },
  clear() { this.samples.length = 0; },
  series() {
    return this.samples.slice(1).map((sample, i) => {
      const before = this.samples[i];
      return sample.t > before.t ? ((sample.requests - before.requests) * 1000) / (sample.t - before.t) : 0;
    });
  },
};

// ── The filter ───────────────────────────────────────────────────────────────────────────────

let filter = "";

const contains = (text) => text.toLowerCase().includes(filter);

function matches(lane) {
  if (!filter) return true;
  if (filter.startsWith("#")) return String(lane.conn) === filter.slice(1);
  return contains(lane.peer) || contains(lane.closed?.reason ?? lane.closing?.reason ?? "") || contains(lane.lastTarget ?? "")
    || lane.marks.some((mark) => contains(mark.target));
}

function setFilter(text) {
  filter = text.trim().toLowerCase();
  for (const lane of lanes.values()) lane.matches = matches(lane);
  arrange();
}
