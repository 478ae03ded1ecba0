// Experiment 1: N requests over N connections, and N over one.

import { ask, useUpIdle } from "./asking.js";
import { Feed } from "./feed.js";
import { showLanes } from "./lanes.js";
import { buttons, byId, draw, html, quantile, redrawn, sayClosed, span, svg, ticks, wordsOf } from "./page.js";

const words = wordsOf({
  en: {
    title: "Short and long · holdline", short: "short", long: "long", median: "median",
    rows: {
      requests: "requests", accepted: "connections that the server accepted", server: "first requests on a connection (server’s view)",
      browser: "connections opened (browser’s view)", packets: "packets only to open and close (computed, at most 7 each)",
      bytes: "bytes of these packets (computed, IPv4)", trips: "round trips only to open connections", total: "total time", median: "time per request, median", slow: "time per request, 95th percentile",
    },
    agree: "Browser and server agree about every request.",
    differ: (n) => `Browser and server disagree about ${n} ${n === 1 ? "request" : "requests"}. A connection that the browser opened in advance, or in no measurable time, is new to the server but reused to the page.`,
  },
  "zh-Hans": {
    title: "短连接与长连接 · holdline", short: "短", long: "长", median: "中位数",
    rows: {
      requests: "请求数", accepted: "服务器接受的连接数", server: "连接上的首个请求数（服务器视角）",
      browser: "新建连接数（浏览器视角）", packets: "仅用于建立和断开的报文（推算，每条最多 7 个）",
      bytes: "这些报文的字节数（推算，IPv4）", trips: "仅用于建立连接的往返次数", total: "总用时", median: "单个请求用时（中位数）", slow: "单个请求用时（第 95 百分位）",
    },
    agree: "每个请求，浏览器和服务器的说法都一致。",
    differ: (n) => `有 ${n} 个请求，浏览器和服务器的说法不一致：浏览器提前建立的连接，或者建立得快到测不出时间的连接，在服务器看来是新的，在网页看来是复用的。`,
  },
});

/** SYN and SYN+ACK of 60 bytes, an ACK of 52; two FINs and two ACKs of 52: IPv4 and TCP headers with time stamps. */
const BYTES_TO_OPEN_AND_CLOSE = 60 + 60 + 52 + 4 * 52;
const PACKETS_TO_OPEN_AND_CLOSE = 3 + 4;

const REDRAW_MS = 250;
let shownAt = 0;

/** One run over each kind of connection: its requests, when it began, and how many connections the server accepted. */
let runs = { short: newRun(), long: newRun() };

function newRun() {
  return { requests: [], start: 0, accepted: null };
}

async function run(feed) {
  const count = Number(byId("count").value);
  runs = { short: newRun(), long: newRun() };
  const last = await useUpIdle();
  await course(feed, runs.short, count, "/-/lab/close", last);
  await course(feed, runs.long, count, "/favicon.svg", runs.short.requests.at(-1));
}

/** One request after another; `last` is the one that went before. */
async function course(feed, run, count, path, last) {
  const before = await acceptedUpTo(feed, last);
  run.start = performance.now();
  while (run.requests.length < count) {
    run.requests.push(await ask(path));
    if (performance.now() - shownAt > REDRAW_MS) show(); // not each time, or drawing would be measured too
  }
  run.accepted = await acceptedUpTo(feed, run.requests.at(-1)) - before;
  show();
}

/** How many connections the server has accepted, once its stream has told of the one that carried this request. */
async function acceptedUpTo(feed, { place }) {
  await feed.until(() => feed.lanes.has(place.conn));
  return feed.accepted;
}

// ---- how it is drawn -------------------------------------------------------------------------

function show() {
  shownAt = performance.now();
  document.title = words().title;
  draw(byId("course"), 132, paintCourse);
  draw(byId("spread"), 150, paintSpread);
  draw(byId("distance"), 112, paintDistance);
  showNumbers();
}

const duration = ({ requests, start }) => (requests.length ? requests.at(-1).to - start : 0);

function paintCourse(width) {
  const end = Math.max(10, duration(runs.short), duration(runs.long));
  const left = 46, plot = width - left - 12;
  const x = (ms) => left + (ms / end) * plot;
  const parts = ticks(end, width < 500 ? 3 : 6).flatMap((ms) => [
    svg("line", { x1: x(ms), x2: x(ms), y1: 0, y2: 112, class: "grid" }),
    svg("text", { x: x(ms), y: 127, class: "tick", "text-anchor": "middle" }, ms === 0 ? "0 ms" : `${ms}`),
  ]);
  for (const [kind, top] of [["short", 8], ["long", 64]]) {
    parts.push(svg("text", { x: 0, y: top + 25, class: "strong" }, words()[kind]));
    for (const request of runs[kind].requests) parts.push(...exchange(request, runs[kind], kind, top, x));
  }
  return parts;
}

/** A request as the browser recorded it: opening in red, then the answer; a short one ends with a stroke. */
function exchange({ timing, from, to }, run, kind, top, x) {
  const bar = (begin, end, name) => svg("rect", { x: x(begin - run.start), y: top, width: Math.max(.6, x(end) - x(begin)), height: 40, class: name });
  const parts = [bar(from, to, "answers")];
  if (timing?.opened) parts.push(bar(timing.connectStart, Math.max(timing.connectEnd, timing.connectStart + .05), "opens"));
  if (kind === "short") parts.push(svg("rect", { x: x(to - run.start) - 1, y: top - 4, width: 1.5, height: 48, class: "ink" }));
  return parts;
}

/** One dot per request; dots of equal times are stacked. */
function paintSpread(width) {
  const times = (kind) => runs[kind].requests.map(({ took }) => took);
  const all = [...times("short"), ...times("long")];
  const end = Math.max(1, all.length ? quantile(all, .97) * 1.15 : 1);
  const left = 46, plot = width - left - 12;
  const x = (ms) => left + Math.min(1, ms / end) * plot;
  const parts = ticks(end, width < 500 ? 4 : 8).flatMap((ms) => [
    svg("line", { x1: x(ms), x2: x(ms), y1: 0, y2: 130, class: "grid" }),
    svg("text", { x: x(ms), y: 145, class: "tick", "text-anchor": "middle" }, `${ms}`),
  ]);
  for (const [kind, base] of [["short", 60], ["long", 124]]) {
    const heights = new Map();
    parts.push(svg("text", { x: 0, y: base - 20, class: "strong" }, words()[kind]));
    for (const ms of times(kind)) {
      const column = Math.round(x(ms) / 6);
      const height = heights.get(column) ?? 0;
      heights.set(column, height + 1);
      parts.push(svg("circle", { cx: column * 6, cy: base - Math.min(height, 9) * 5.4 - 3, r: 2.6, class: kind }));
    }
    if (times(kind).length) parts.push(...median(x(quantile(times(kind), .5)), base, quantile(times(kind), .5), width));
  }
  return parts;
}

function median(x, base, ms, width) {
  const anchor = x > width - 130 ? "end" : "start";
  return [
    svg("line", { x1: x, x2: x, y1: base - 54, y2: base + 2, class: "median" }),
    svg("text", { x: anchor === "end" ? x - 5 : x + 5, y: base - 46, class: "tick", "text-anchor": anchor }, `${words().median} ${span(ms)}`),
  ];
}

/**
 * The same requests to a server further away. On this machine a round trip takes almost no time, so each that is
 * needed is added: one to open a connection, one for each answer.
 */
function paintDistance(width) {
  const trip = Number(byId("trip").value);
  byId("trip-text").textContent = span(trip);
  const count = Math.max(1, runs.short.requests.length, runs.long.requests.length);
  const bars = [["short", count], ["long", 1]].map(([kind, opened]) =>
    ({ kind, parts: [[duration(runs[kind]), "answers"], [count * trip, "computed trip"], [opened * trip, "computed"]] }));
  const end = Math.max(...bars.map(({ parts }) => parts.reduce((sum, [ms]) => sum + ms, 0)), 1);
  const left = 46, plot = width - left - 76;
  return bars.flatMap(({ kind, parts }, i) => {
    const y = 8 + i * 52;
    let at = 0;
    const drawn = parts.map(([ms, name]) => {
      const bar = svg("rect", { x: left + (at / end) * plot, y, width: (ms / end) * plot, height: 34, class: name });
      at += ms;
      return bar;
    });
    return [svg("text", { x: 0, y: y + 21, class: "strong" }, words()[kind]), ...drawn, svg("text", { x: left + (at / end) * plot + 6, y: y + 21 }, span(at))];
  });
}

function showNumbers() {
  const cells = { short: numbersOf(runs.short), long: numbersOf(runs.long) };
  byId("numbers").replaceChildren(...Object.entries(words().rows).map(([key, title]) => html("tr", {},
    html("th", { scope: "row" }, title),
    html("td", { id: `short-${key}`, class: "opened" }, String(cells.short[key] ?? "–")),
    html("td", { id: `long-${key}`, class: "reused" }, String(cells.long[key] ?? "–")))));
  const all = [...runs.short.requests, ...runs.long.requests];
  const differ = all.filter(({ timing, opened }) => timing && timing.opened !== opened).length;
  byId("belief").textContent = all.length === 0 ? "" : differ === 0 ? words().agree : words().differ(differ);
}

function numbersOf(run) {
  if (run.requests.length === 0) return {};
  const times = run.requests.map(({ took }) => took);
  const opened = run.requests.filter((request) => request.opened).length;
  return {
    requests: run.requests.length, accepted: run.accepted, server: opened,
    browser: run.requests.filter(({ timing }) => timing?.opened).length,
    packets: opened * PACKETS_TO_OPEN_AND_CLOSE, bytes: opened * BYTES_TO_OPEN_AND_CLOSE, trips: opened,
    total: span(duration(run)), median: span(quantile(times, .5)), slow: span(quantile(times, .95)),
  };
}

// ---- beginning -------------------------------------------------------------------------------

redrawn(show);
byId("trip").addEventListener("input", show);
const feed = await Feed.open();
if (feed) {
  showLanes(byId("lanes"), feed);
  buttons({ run: () => run(feed) });
} else {
  sayClosed();
}
