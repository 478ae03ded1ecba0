// What the server tells of itself: how things stand (`/-/status`), then all that happens (`/-/events`).
// The stream is a response that does not end, so it occupies one of the browser's six connections.

import { wordsOf } from "./page.js";

const MAX_LANES = 400;
const MAX_REQUESTS = 300; // of one lane
const PATIENCE_MS = 5000; // for what the server must tell

const words = wordsOf({
  en: { silent: "The server did not tell in time what became of the connection." },
  "zh-Hans": { silent: "服务器没有及时说明这条连接的下落。" },
});

/** The view into the server. All its times are the server's: milliseconds since it started. */
export class Inside extends EventTarget {
  lanes = new Map(); // connection → lane, in the order of their appearance
  accepted = 0; // connections that were opened since we look
  ended = new Map(); // reason → connections that ended since we look
  policy = null; // the limits of the server
  you = null; // the connection that carries the stream
  up = false; // the stream flows
  #started = null; // the server's start, on the wall clock
  #offset = -Infinity; // the server's clock − ours

  /** Resolves once the stream flows; to `null` if this reader may not see inside. */
  static async open() {
    const inside = new Inside();
    if (!(await inside.status().catch(() => null))) return null;
    await inside.#follow();
    // Asked again now: who opened before the stream began and is still there.
    inside.#admit(await inside.status());
    return inside;
  }

  /** How things stand now, as the server says. */
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
          // An event can come late but never early: the largest difference is the truest.
          this.#offset = Math.max(this.#offset, event.t - performance.now());
          HAPPENS[name](this, event);
          this.dispatchEvent(new Event("change"));
          if (name === "hello") resolve();
        });
      }
      // The browser tries again by itself, and says which event was the last that it has seen.
      source.onerror = () => { this.up = false; };
    });
  }

  /** The lane of an event: an old one, or a new one. */
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
  hello(inside, event) {
    inside.begin(event);
  },
  opened(inside, event) {
    inside.lane(event).opened = event.t;
    inside.accepted++;
  },
  request(inside, event) {
    const lane = inside.lane(event);
    lane.idle = null;
    lane.requests.push({ n: event.n, from: event.t, to: null, method: event.method, target: event.target });
    if (lane.requests.length > MAX_REQUESTS) lane.requests.shift();
  },
  response(inside, event) {
    const request = inside.lane(event).requests.findLast((request) => request.n === event.n);
    if (request) Object.assign(request, { to: event.t, status: event.status, keep: event.keep, complete: event.complete });
  },
  idle(inside, event) {
    inside.lane(event).idle = { since: event.t, promised: event.t + event.promised_ms, closes: event.t + event.closes_ms };
  },
  closing(inside, event) {
    Object.assign(inside.lane(event), { closing: event, idle: null });
  },
  race(inside, event) {
    inside.lane(event).race = event;
  },
  closed(inside, event) {
    const lane = inside.lane(event);
    lane.opened ??= event.t - event.age_ms;
    Object.assign(lane, { closed: event, idle: null });
    inside.ended.set(event.reason, (inside.ended.get(event.reason) ?? 0) + 1);
  },
  viewer(inside, event) {
    inside.lane(event).viewer = true;
  },
  totals() {
    // Comes once a second, and keeps the clock.
  },
};
