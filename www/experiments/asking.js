// Requests of an experiment, each with the browser's account of it and the server's.

/** How long to wait for the browser's account of a request that has ended. */
const PATIENCE_MS = 2000;

const accounts = new Map(); // "connection/request" → Resource Timing entry
const waiting = new Map(); // "connection/request" → the function that waits for it

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const place = placeOf(entry.serverTiming.map(({ name, description }) => [name, description]));
    if (!place) continue;
    const key = `${place.conn}/${place.n}`;
    if (waiting.has(key)) waiting.get(key)(entry);
    else accounts.set(key, entry);
  }
  performance.clearResourceTimings(); // or the browser's list would be full after 250
}).observe({ type: "resource" });

/**
 * Sends a request and waits for the end of its response. `place` is the server's word: which connection, and
 * the 1-based index of the request on it. `timing` is the browser's, `took` how long it took. Rejects if the connection ends without an answer.
 */
export async function ask(path, options = {}) {
  const from = performance.now();
  const response = await fetch(path, { cache: "no-store", ...options });
  await response.arrayBuffer();
  const to = performance.now();
  const place = placeOf(parseServerTiming(response.headers.get("server-timing") ?? ""));
  if (!place) throw new Error(`${path} was answered ${response.status} without the Server-Timing field of holdline`);
  const timing = timingOf(await accountOf(place));
  // The browser measures closer to the line than a script can, which may be busy when the answer comes.
  const took = timing ? timing.responseEnd - timing.fetchStart : to - from;
  return { from, to, took, status: response.status, place, timing, opened: place.n === 1 };
}

/** More connections than a browser keeps to one host. */
const MAX_IDLE = 12;

/**
 * Uses up the connections that the browser keeps idle, so that the next request must open one. The browser takes
 * an idle connection before it opens another; `/-/lab/close` is the last request on each. Gives the last answer.
 */
export async function useUpIdle() {
  let answer;
  for (let tries = 0; tries < MAX_IDLE; tries++) {
    answer = await ask("/-/lab/close");
    if (answer.opened) break;
  }
  return answer;
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** `conn;desc="#12", req;desc="3 of 1000"` → { conn: 12, n: 3 }. */
function placeOf(pairs) {
  const said = new Map(pairs);
  const conn = Number(/^#(\d+)/.exec(said.get("conn"))?.[1]), n = Number(/^\d+/.exec(said.get("req"))?.[0]);
  return conn > 0 && n > 0 ? { conn, n } : null;
}

function parseServerTiming(field) {
  return [...field.matchAll(/([a-z]+);desc="([^"]*)"/g)].map(([, name, description]) => [name, description]);
}

/** The browser's account comes a little after the response. */
function accountOf({ conn, n }) {
  const key = `${conn}/${n}`;
  const entry = accounts.get(key);
  accounts.delete(key);
  if (entry) return entry;
  return new Promise((resolve) => {
    const finish = (entry) => {
      waiting.delete(key);
      clearTimeout(timer);
      resolve(entry);
    };
    const timer = setTimeout(finish, PATIENCE_MS, null);
    waiting.set(key, finish);
  });
}

/**
 * What an experiment needs of a Resource Timing entry. The Fetch standard sets both ends of the connect to the
 * start of the fetch when the connection is older, so a later end means that the browser believes it opened one.
 */
function timingOf(entry) {
  if (!entry) return null;
  const { fetchStart, connectStart, connectEnd, requestStart, responseStart, responseEnd } = entry;
  return { fetchStart, connectStart, connectEnd, requestStart, responseStart, responseEnd, opened: connectEnd > fetchStart };
}
