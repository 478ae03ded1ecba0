// Experiment 4, second picture: real shots at the moment of a real idle close.

import { ask, sleep, useUpIdle } from "./asking.js";
import { draw, svg } from "./page.js";

const SHOTS = 24;
const IDLE_MS = 150; // after which the lab closes
const SPIN_MS = 3; // timers are coarse: the last moment is waited for awake
const FIRST_STEP_MS = 8;
const LAST_STEP_MS = 0.25;
const SHOWN_MS = { from: 130, to: 190 }; // of idle time; what lies outside is drawn at the edge
const ROW = 9;

/**
 * Shoots again and again: a request is sent when the connection has been idle for as long as the lab waits. After a
 * shot that came early it aims later, and the other way round, by ever smaller steps. Calls `shown` after each.
 */
export async function shoot(feed, shown) {
  const shots = [];
  let aim = IDLE_MS, step = FIRST_STEP_MS;
  await useUpIdle();
  while (shots.length < SHOTS) {
    const shot = await shootOnce(feed, aim);
    if (shot) {
      shots.push(shot);
      aim += shot.outcome === "kept" ? step : -step;
      step = Math.max(LAST_STEP_MS, step * .8);
    }
    shown(shots);
  }
}

/**
 * One shot: { outcome, came, fin }, both in milliseconds of idle time by the server's clock: when the request came, and
 * when the FIN went, if it did. `null` if the browser itself closed the connection.
 */
async function shootOnce(feed, aim) {
  const armed = await ask(`/-/lab/close?when=idle:${IDLE_MS}ms`);
  await sleepUntil(armed.to + aim);
  const { place } = await ask("/favicon.svg");
  // The server's account of both comes by its stream, perhaps a little later than the answers.
  const { to: silent } = await feed.until(() => requestAt(feed, armed.place, "to"));
  const { from } = await feed.until(() => requestAt(feed, place, "from"));
  const came = from - silent, lane = feed.lanes.get(armed.place.conn);
  if (place.conn === armed.place.conn) return { outcome: "kept", came, fin: null };
  await feed.until(() => lane.closed);
  if (!lane.closing) return null;
  const fin = lane.closing.t - silent;
  return lane.race ? { outcome: "lost", came: fin + lane.race.late_ms, fin } : { outcome: "noticed", came, fin };
}

/** A request as the server tells it, once it has told this much. */
function requestAt(feed, { conn, n }, known) {
  return feed.lanes.get(conn)?.requests.find((request) => request.n === n && request[known] !== null);
}

async function sleepUntil(time) {
  await sleep(time - performance.now() - SPIN_MS);
  while (performance.now() < time);
}

/** One row per shot: when the request came, and the stroke of the FIN. */
export function drawShots(holder, shots, words) {
  draw(holder, SHOTS * ROW + 44, (width) => {
    const { from, to } = SHOWN_MS, bottom = SHOTS * ROW + 22;
    const x = (ms) => 24 + ((Math.max(from, Math.min(to, ms)) - from) / (to - from)) * (width - 48);
    const every = Array.from({ length: (to - from) / 10 + 1 }, (_, i) => from + i * 10);
    const parts = every.flatMap((ms) => [
      svg("line", { x1: x(ms), x2: x(ms), y1: 20, y2: bottom, class: ms === IDLE_MS ? "limit" : "grid" }),
      svg("text", { x: x(ms), y: bottom + 15, class: "tick", "text-anchor": "middle" }, `${ms}`),
    ]);
    parts.push(svg("text", { x: 0, y: 12, class: "soft" }, words.silent));
    return [...parts, ...shots.flatMap((shot, i) => mark(shot, x, 27 + i * ROW))];
  });
}

function mark({ outcome, came, fin }, x, y) {
  const at = x(came), parts = [];
  if (fin !== null) {
    parts.push(svg("line", { x1: x(fin), x2: at, y1: y, y2: y, class: "grid" }));
    parts.push(svg("rect", { x: x(fin) - 1, y: y - 4, width: 2, height: 8, class: "first" }));
  }
  const hit = outcome === "lost" ? svg("path", { d: `M${at} ${y - 7}l7 7l-7 7l-7 -7z`, class: "lost" }) : svg("circle", { cx: at, cy: y, r: 3.5, class: outcome });
  return [...parts, hit];
}
