// Experiment 3: connections that nobody uses, and what the server does about them.

import { Feed } from "./feed.js";
import { showLanes } from "./lanes.js";
import { buttons, byId, draw, redrawn, sayClosed, span, svg, ticks, wordsOf } from "./page.js";

const words = wordsOf({
  en: {
    title: "Why idle connections must end · holdline", count: (n) => `${n} connections`,
    limit: (n) => `limit: ${n}`, seconds: "s",
    policy: (keep, grace, most) => `This server promises ${keep} of idle time, closes after ${grace} more, and admits at most ${most} connections.`,
    patient: "It is patient. To see connections end within seconds, start a server as at the end of this page, and open this page there.",
    large: (n) => `… and ${n} more slots`,
    unmoved: "This page was not opened at a loopback address, so it can open only the few connections that a browser allows per host.",
    failed: "No connection could be opened. Perhaps this browser does not resolve names that end in .localhost to this machine. The commands below work without a browser.",
  },
  "zh-Hans": {
    title: "空闲连接为什么必须结束 · holdline", count: (n) => `${n} 条连接`,
    limit: (n) => `上限：${n}`, seconds: "秒",
    policy: (keep, grace, most) => `这个服务器承诺 ${keep} 的空闲时间，再过 ${grace} 才关闭，最多接纳 ${most} 条连接。`,
    patient: "它很有耐心：想在几秒之内看到结局，请按本页末尾的命令另启一个服务器，再从那里打开本页。",
    large: (n) => `……还有 ${n} 个名额`,
    unmoved: "本页不是通过环回地址打开的，而浏览器对一个主机只肯建立几条连接。",
    failed: "一条连接也没能建立：这个浏览器也许不把以 .localhost 结尾的名字解析到本机。下面的命令不需要浏览器。",
  },
});

const MAX_SLOTS = 120; // that are drawn
const GONE_MS = 2500; // how long the end of a connection is shown in its slot
const PATIENT_MS = 15_000; // a server that keeps idle connections for longer than this

/** Open connections over time: { t, open }. */
let curve = [];
let opened = 0;

/**
 * Opens connections and leaves them idle. A browser opens at most six to one name, but every name that ends in
 * `.localhost` leads to this machine (RFC 6761 §6.3): each gets a connection of its own.
 */
async function openIdle() {
  const count = Number(byId("count").value);
  const answers = await Promise.all(Array.from({ length: count }, () => {
    opened += 1;
    const path = `//n${opened}.localhost:${location.port}/favicon.svg`;
    return fetch(isHere() ? path : "/favicon.svg", { mode: "no-cors", cache: "no-store" }).catch(() => null);
  }));
  // A full server may reject some connections; if all of them fail, the reason is another.
  if (answers.every((answer) => answer === null)) throw new Error(words().failed);
}

const isHere = () => ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);

// ---- the present state ---------------------------------------------------------------------------

/** The slots of the server: the open connections, then those that have just ended. */
function slots(feed) {
  const now = feed.now();
  const lanes = [...feed.lanes.values()];
  return lanes.filter((lane) => !lane.closed || (lane.closed.by === "server" && now - lane.closed.t < GONE_MS));
}

function note(feed) {
  const open = [...feed.lanes.values()].filter((lane) => !lane.closed).length;
  curve.push({ t: feed.now(), open });
  if (curve.length > 2000) curve = curve.filter((_, i) => i % 2 === 0);
}

// ---- how it is drawn ---------------------------------------------------------------------------

function show(feed) {
  document.title = words().title;
  byId("count-text").textContent = words().count(byId("count").value);
  if (!feed) return;
  draw(byId("slots"), heightOfSlots(feed, byId("slots").clientWidth), (width) => paintSlots(feed, width));
  draw(byId("curve"), 150, (width) => paintCurve(feed, width));
  const { keep_alive_timeout_ms: keep, keep_alive_grace_ms: grace, max_connections: most } = feed.policy;
  byId("policy").textContent = words().policy(span(keep), span(grace), most.toLocaleString());
  byId("patient").textContent = keep + grace > PATIENT_MS ? words().patient : "";
  byId("unmoved").textContent = isHere() ? "" : words().unmoved;
  byId("evicted").textContent = feed.ended.get("evicted") ?? 0;
  byId("timed-out").textContent = feed.ended.get("idle-timeout") ?? 0;
  byId("open").textContent = [...feed.lanes.values()].filter((lane) => !lane.closed).length;
}

const SIZE = 30, GAP = 5;

const perRow = (width) => Math.max(1, Math.floor((width + GAP) / (SIZE + GAP)));
const drawn = (feed) => Math.max(Math.min(MAX_SLOTS, feed.policy.max_connections), Math.min(MAX_SLOTS, slots(feed).length));

function heightOfSlots(feed, width) {
  return Math.ceil(drawn(feed) / perRow(width)) * (SIZE + GAP) + 22;
}

/** One box per slot; an idle one drains from the top as its time runs out. */
function paintSlots(feed, width) {
  const taken = slots(feed), now = feed.now(), most = drawn(feed);
  const parts = [];
  for (let i = 0; i < most; i++) {
    const x = (i % perRow(width)) * (SIZE + GAP), y = Math.floor(i / perRow(width)) * (SIZE + GAP);
    parts.push(svg("rect", { x: x + .5, y: y + .5, width: SIZE, height: SIZE, class: "slot" }), ...occupant(taken[i], x, y, now, feed));
  }
  const rest = feed.policy.max_connections - most;
  if (rest > 0) parts.push(svg("text", { x: 0, y: Math.ceil(most / perRow(width)) * (SIZE + GAP) + 14, class: "soft" }, words().large(rest.toLocaleString())));
  return parts;
}

function occupant(lane, x, y, now, feed) {
  if (!lane) return [];
  const label = (text, kind) => svg("text", { x: x + SIZE / 2, y: y + SIZE / 2 + 4, class: kind, "text-anchor": "middle" }, text);
  if (lane.closed) {
    const evicted = lane.closed.reason === "evicted";
    return [svg("rect", { x: x + .5, y: y + .5, width: SIZE, height: SIZE, class: evicted ? "gone evicted" : "gone" }), label("✕", evicted ? "cross evicted" : "cross")];
  }
  if (!lane.idle) return [svg("rect", { x: x + 1, y: y + 1, width: SIZE - 1, height: SIZE - 1, class: "busy" }), label(String(lane.conn), "number")];
  const whole = feed.policy.keep_alive_timeout_ms + feed.policy.keep_alive_grace_ms;
  const left = Math.max(0, Math.min(1, (lane.idle.closes - now) / whole)) * (SIZE - 1);
  return [svg("rect", { x: x + 1, y: y + SIZE - left, width: SIZE - 1, height: left, class: "idles" }), label(String(lane.conn), "number")];
}

function paintCurve(feed, width) {
  const now = feed.now(), first = curve[0]?.t ?? now;
  const length = Math.max(10_000, now - first), most = feed.policy.max_connections;
  const high = Math.max(8, ...curve.map(({ open }) => open)) * 1.2;
  const top = most <= high * 2 ? Math.max(high, most * 1.12) : high;
  const left = 30, plot = width - left - 8, bottom = 122;
  const x = (t) => left + (1 - (now - t) / length) * plot, y = (count) => bottom - (count / top) * (bottom - 10);
  const parts = ticks(top, 4).flatMap((count) => [
    svg("line", { x1: left, x2: width, y1: y(count), y2: y(count), class: "grid" }),
    svg("text", { x: left - 6, y: y(count) + 4, class: "tick", "text-anchor": "end" }, `${count}`),
  ]);
  for (const ms of ticks(length / 1000, 5)) {
    parts.push(svg("text", { x: x(now - ms * 1000), y: 140, class: "tick", "text-anchor": ms === 0 ? "end" : "middle" }, ms === 0 ? `0 ${words().seconds}` : `−${ms}`));
  }
  const points = curve.flatMap(({ t, open }, i) => [i ? `${x(t)},${y(curve[i - 1].open)}` : null, `${x(t)},${y(open)}`]).filter(Boolean);
  if (points.length) {
    const last = y(curve.at(-1).open);
    parts.push(svg("polygon", { points: `${x(first)},${bottom} ${points.join(" ")} ${x(now)},${last} ${x(now)},${bottom}`, class: "area" }));
    parts.push(svg("polyline", { points: `${points.join(" ")} ${x(now)},${last}`, class: "edge" }));
  }
  if (most <= top) {
    parts.push(svg("line", { x1: left, x2: width, y1: y(most), y2: y(most), class: "limit" }));
    parts.push(svg("text", { x: left + 6, y: y(most) - 5, class: "raced" }, words().limit(most)));
  }
  return parts;
}

// ---- beginning ---------------------------------------------------------------------------------

const feed = await Feed.open();
redrawn(() => show(feed));
byId("count").addEventListener("input", () => show(feed));
if (feed) {
  showLanes(byId("lanes"), feed);
  feed.addEventListener("change", () => note(feed));
  note(feed);
  setInterval(() => show(feed), 100);
  buttons({ fill: openIdle });
} else {
  sayClosed();
}
