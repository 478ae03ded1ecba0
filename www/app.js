// Reads Resource Timing and shows, for each request of this page, whether the browser opened
// a connection for it or reused one.
"use strict";

const WORDS = {
  en: {
    title: "holdline · hold the line",
    opened: "opened", reused: "reused", cached: "cache", failed: "failed",
    wait: "waits in the browser", open: "opens a connection", answer: "waits for the response",
    receive: "receives the response",
    ms: (n) => `${n} ms`,
    secondsLeft: (n) => `${n} s left`,
    over: "the promise has run out: load the picture again",
    unpromised: "the last response made no promise",
    unanswered: "the server did not answer",
  },
  "zh-Hans": {
    title: "holdline · 别挂断",
    opened: "新建", reused: "复用", cached: "缓存", failed: "失败",
    wait: "在浏览器中排队", open: "建立连接", answer: "等待响应", receive: "接收响应",
    ms: (n) => `${n} 毫秒`,
    secondsLeft: (n) => `还剩 ${n} 秒`,
    over: "承诺已过期：请重新加载图片",
    unpromised: "上一个响应没有作出承诺",
    unanswered: "服务器没有响应",
  },
};

const byId = (id) => document.getElementById(id);
const words = () => WORDS[document.documentElement.lang];
const tiles = [...document.querySelectorAll("#picture img")];

/** One loading of the picture: when it began, and the requests made since. */
let round = { number: 1, start: 0, requests: [], promise: null };

// ---- what happened ---------------------------------------------------------------------------

/** A Resource Timing entry, reduced to what concerns its connection. Times are milliseconds. */
function request(entry) {
  return {
    name: nameOf(entry),
    url: entry.name,
    connection: connectionOf(entry),
    from: entry.fetchStart,
    connectStart: entry.connectStart,
    connectEnd: entry.connectEnd,
    requestStart: entry.requestStart,
    responseStart: entry.responseStart,
    to: entry.responseEnd,
  };
}

/**
 * `opened`, `reused`, `cached` or `failed`.
 *
 * The Fetch standard ("clamp and coarsen connection timing info") sets both ends of the connect
 * to the start of the fetch when the connection is older than the fetch. So a connect that ends
 * later is a new connection, also where a coarse clock makes its start and its end the same.
 */
function connectionOf(entry) {
  if (entry.transferSize === 0) return entry.decodedBodySize > 0 ? "cached" : "failed";
  return entry.connectEnd > entry.fetchStart ? "opened" : "reused";
}

function nameOf(entry) {
  const path = new URL(entry.name).pathname;
  return path.split("/").pop() || path;
}

/**
 * The icon and the HEAD request of `readPromise` come when all else is there. They are left
 * out, or the axis would be mostly empty. So is a late entry of the round before.
 */
function belongs(entry) {
  return ["link", "script", "img"].includes(entry.initiatorType) && entry.fetchStart >= round.start;
}

function observe() {
  round.requests = performance.getEntriesByType("navigation").map(request);
  new PerformanceObserver((list) => {
    round.requests.push(...list.getEntries().filter(belongs).map(request));
    draw();
  }).observe({ type: "resource", buffered: true });
}

/** Load all tiles once more. A query makes each a new address, which no cache holds. */
async function loadAgain() {
  round = { number: round.number + 1, start: performance.now(), requests: [], promise: null };
  draw();
  // Otherwise the browser's list of entries is full after some ten rounds.
  performance.clearResourceTimings();
  const arrived = tiles.map((tile) => new Promise((done) => {
    tile.onload = tile.onerror = done;
    tile.src = `${tile.src.split("?")[0]}?round=${round.number}`;
  }));
  await Promise.all(arrived);
  await readPromise();
}

/** One HEAD request reads what the server promises: a page can't see the fields of an image. */
async function readPromise() {
  const asking = round;
  try {
    const response = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    asking.promise = promiseIn(response.headers, performance.now());
  } catch {
    asking.promise = { text: "", unanswered: true };
  }
  drawPromise();
}

function promiseIn(headers, now) {
  const keepAlive = headers.get("keep-alive");
  const seconds = Number(/(?:^|[\s,])timeout=(\d+)/i.exec(keepAlive ?? "")?.[1]);
  const field = keepAlive === null ? ["Connection", headers.get("connection")] : ["Keep-Alive", keepAlive];
  return {
    text: field[1] === null ? "" : `${field[0]}: ${field[1]}`,
    seconds,
    until: now + seconds * 1000,
  };
}

// ---- how it is drawn -------------------------------------------------------------------------

function draw() {
  drawCounts();
  drawTiles();
  drawStrip();
  drawPromise();
}

function drawCounts() {
  const count = (connection) => round.requests.filter((r) => r.connection === connection).length;
  byId("count-requests").textContent = count("opened") + count("reused");
  byId("count-opened").textContent = count("opened");
  byId("count-reused").textContent = count("reused");
  byId("cached-note").hidden = count("cached") === 0;
}

/** Each tile's label: its place in the order of arrival, and its connection. */
function drawTiles() {
  const arrivals = round.requests
    .filter((r) => tiles.some((tile) => tile.src === r.url))
    .sort((a, b) => a.to - b.to);
  for (const tile of tiles) {
    const order = arrivals.findIndex((r) => r.url === tile.src);
    const arrival = arrivals[order];
    const label = tile.nextElementSibling;
    label.className = arrival ? arrival.connection : "pending";
    label.replaceChildren();
    if (arrival) label.append(element("b", "", order + 1), element("span", "", words()[arrival.connection]));
  }
}

function drawStrip() {
  const requests = [...round.requests].sort((a, b) => a.from - b.from);
  const sent = requests.filter((r) => r.connection !== "cached");
  const end = Math.max(1, ...sent.map((r) => r.to - round.start));
  byId("axis").replaceChildren(...ticks(end));
  byId("rows").replaceChildren(...requests.map((r) => row(r, end)));
}

function row(r, end) {
  const tr = document.createElement("tr");
  tr.className = r.connection;
  const name = element("th", "", r.name);
  name.scope = "row";
  tr.append(
    name,
    element("td", "connection", words()[r.connection]),
    element("td", "duration", words().ms((r.to - r.from).toFixed(1))),
    bars(r, end),
  );
  return tr;
}

/** A request's life as lengths on the axis. A tooltip names each part with its time. */
function bars(r, end) {
  const cell = element("td", "bars");
  const part = (kind, from, to) => {
    if (to <= from) return;
    const bar = element("i", kind);
    bar.style.left = `${((from - round.start) / end) * 100}%`;
    bar.style.width = `${((to - from) / end) * 100}%`;
    bar.title = `${words()[kind]}: ${words().ms((to - from).toFixed(1))}`;
    cell.append(bar);
  };
  if (r.connection === "cached") return cell;
  if (r.connection === "opened") {
    part("wait", r.from, r.connectStart);
    part("open", r.connectStart, r.connectEnd);
    part("wait", r.connectEnd, r.requestStart);
  } else {
    part("wait", r.from, r.requestStart);
  }
  part("answer", r.requestStart, r.responseStart);
  part("receive", r.responseStart, r.to);
  return cell;
}

/** Marks at round numbers, at most six, each with room for its label. */
function ticks(end) {
  const rough = end / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const marks = [];
  for (let at = 0; at <= end * 0.9; at += step) {
    const mark = element("span", "", Number(at.toPrecision(3)));
    mark.style.left = `${(at / end) * 100}%`;
    marks.push(mark);
  }
  return marks;
}

function drawPromise() {
  const { promise } = round;
  const left = promise?.seconds ? Math.max(0, promise.until - performance.now()) / 1000 : 0;
  byId("promise-field").textContent = promise?.text ?? "";
  byId("promise-rest").style.width = promise?.seconds ? `${(left / promise.seconds) * 100}%` : "0";
  byId("promise-text").textContent = promiseText(promise, left);
}

function promiseText(promise, left) {
  if (!promise) return "";
  if (promise.unanswered) return words().unanswered;
  if (!promise.seconds) return words().unpromised;
  return left > 0 ? words().secondsLeft(Math.ceil(left)) : words().over;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function translate() {
  document.title = words().title;
  draw();
}

// ---- beginning -------------------------------------------------------------------------------

for (const place of document.querySelectorAll("[data-url]")) place.textContent = `${location.origin}/`;
document.addEventListener("languagechosen", translate);
byId("again").addEventListener("click", loadAgain);
addEventListener("load", readPromise);
setInterval(drawPromise, 1000);
observe();
translate();
