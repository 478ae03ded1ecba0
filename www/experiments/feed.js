// What the server reports: its present state (`/-/status`), then every event (`/-/events`).
// The stream is a response that does not end, so it occupies one of the browser's six connections.

import { wordsOf } from "./page.js";

const MAX_LANES = 400;
const MAX_REQUESTS = 300; // of one lane
const PATIENCE_MS = 5000; // for what the server must tell

const words = wordsOf({
  en: { silent: "The server did not tell in time what became of the connection." },
  "zh-Hans": { silent: "服务器没有及时说明这条连接的下落。" },
});

/** The connections of the server, as its events tell them. All times are the server's: milliseconds since it started. */
export class Feed extends EventTarget {
  lanes = new Map(); // connection → lane, in the order of their appearance
  accepted = 0; // connections opened since the stream began
  ended = new Map(); // reason → connections that ended since the stream began
  policy = null; // the limits of the server
  you = null; // the connection that carries the stream
  up = false; // the stream flows
  #started = null; // the server's start, on the wall clock
  #offset = -Infinity; // the server's clock − ours

  /** Resolves once the stream flows; to `null` if this reader may not open the console. */
  static async open() {
    const feed = new Feed();
    if (!(await feed.status().catch(() => null))) return null;
    await feed.#follow();
    // Asked again now, for connections that opened before the stream began.
    feed.#admit(await feed.status());
    return feed;
  }

  /** The present state of the server. */
  async status() {
    const answer = await fetch("/-/status", { cache: "no-store" });
    if (!answer.ok) throw new Error(`/-/status: ${answer.status}`);
    return answer.json();
  }

  /** The server's time now. */
  now() {
    return performance.now() + this.#offset;
  }

  /** Resolves to what `find` gives, once it gives something; rejects if it never does. */
  until(find) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.removeEventListener("change", look);
        settle(value);
      };
      const look = () => {
        const value = find();
        if (value) finish(resolve, value);
      };
      const timer = setTimeout(() => finish(reject, new Error(words().silent)), PATIENCE_MS);
      this.addEventListener("change", look);
      look();
    });
  }

  /** A stream begins. It may be that of another server, which knows nothing of our connections. */
  begin({ t, unix_ms, policy, you }) {
    const started = unix_ms - t;
    if (this.#started !== null && Math.abs(started - this.#started) > 2000) {
      this.lanes.clear();
      this.#offset = t - performance.now();
    }
    this.#started = started;
    Object.assign(this, { policy, you, up: true });
  }

  #admit({ server, connections }) {
    const t = server.now_ms;
    for (const { id, age_ms, requests, state, timeout } of connections) {
      if (this.lanes.has(id)) continue;
      const lane = this.lane({ conn: id, t });
      Object.assign(lane, { opened: t - age_ms, before: requests, viewer: state === "streaming" });
      if (timeout?.reason !== "idle-timeout") continue;
      const closes = t + timeout.in_ms;
      lane.idle = { since: t, promised: closes - this.policy.keep_alive_grace_ms, closes };
    }
    this.dispatchEvent(new Event("change"));
  }

  #follow() {
    const source = new EventSource("/-/events");
    return new Promise((resolve) => {
      for (const name of Object.keys(HAPPENS)) {
        source.addEventListener(name, (message) => {
          const event = JSON.parse(message.data);
          // An event can come late but never early: the largest difference is the best estimate.
          this.#offset = Math.max(this.#offset, event.t - performance.now());
          HAPPENS[name](this, event);
          this.dispatchEvent(new Event("change"));
          if (name === "hello") resolve();
        });
      }
      // The browser reconnects by itself, and sends the id of the last event that it has seen.
      source.onerror = () => { this.up = false; };
    });
  }

  /** The lane of an event, made if it is new. */
  lane(event) {
    let lane = this.lanes.get(event.conn);
    if (!lane) {
      lane = { conn: event.conn, opened: null, seen: event.t, before: 0, requests: [], idle: null, closing: null, race: null, closed: null, viewer: false };
      this.lanes.set(event.conn, lane);
      for (const [conn, old] of this.lanes) {
        if (this.lanes.size <= MAX_LANES) break;
        if (old.closed) this.lanes.delete(conn);
      }
    }
    lane.last = event.t;
    return lane;
  }
}

/** What each event of the stream changes. */
const HAPPENS = {
  hello(feed, event) {
    feed.begin(event);
  },
  opened(feed, event) {
    feed.lane(event).opened = event.t;
    feed.accepted++;
  },
  request(feed, event) {
    const lane = feed.lane(event);
    lane.idle = null;
    lane.requests.push({ n: event.n, from: event.t, to: null, method: event.method, target: event.target });
    if (lane.requests.length > MAX_REQUESTS) lane.requests.shift();
  },
  response(feed, event) {
    const request = feed.lane(event).requests.findLast((request) => request.n === event.n);
    if (request) Object.assign(request, { to: event.t, status: event.status, keep: event.keep, complete: event.complete });
  },
  idle(feed, event) {
    feed.lane(event).idle = { since: event.t, promised: event.t + event.promised_ms, closes: event.t + event.closes_ms };
  },
  closing(feed, event) {
    Object.assign(feed.lane(event), { closing: event, idle: null });
  },
  race(feed, event) {
    feed.lane(event).race = event;
  },
  closed(feed, event) {
    const lane = feed.lane(event);
    lane.opened ??= event.t - event.age_ms;
    Object.assign(lane, { closed: event, idle: null });
    feed.ended.set(event.reason, (feed.ended.get(event.reason) ?? 0) + 1);
  },
  viewer(feed, event) {
    feed.lane(event).viewer = true;
  },
  totals() {
    // Comes once a second, and keeps the clock.
  },
};
