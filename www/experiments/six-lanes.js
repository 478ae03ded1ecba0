// Experiment 5: eighteen requests and six lanes, one of which carries the event stream of this page.

import { ask } from "./asking.js";
import { Feed } from "./feed.js";
import { showLanes } from "./lanes.js";
import { buttons, byId, draw, redrawn, sayClosed, span, svg, ticks, wordsOf } from "./page.js";

const words = wordsOf({
  en: {
    title: "Six lanes · holdline", begin: "Press a button.", seconds: "s",
    verdict: (r) => `${r.requests} requests over ${r.lanes} ${r.lanes === 1 ? "connection" : "connections"} in ${span(r.total)}. The longest wait before sending was ${span(r.longest)}. Added up, the response times are ${span(r.sum)}.`,
  },
  "zh-Hans": {
    title: "六条车道 · holdline", begin: "请按一个按钮。", seconds: "秒",
    verdict: (r) => `${r.requests} 个请求，${r.lanes} 条连接，总共用时 ${span(r.total)}。排队最久的等了 ${span(r.longest)}；${r.requests} 个响应时间相加为 ${span(r.sum)}。`,
  },
});

const REQUESTS = 18;
const COLOURS = 6;

/** One run: when it began, and its requests as { index, from, answer }. */
let run = { start: 0, requests: [] };

/** All at once: the browser decides how many go at the same time. */
async function together(paths) {
  begin();
  await Promise.all(paths.map((path, index) => send(path, index)));
}

/** Each when the one before has been answered: as on a single connection. */
async function inTurn(paths) {
  begin();
  for (const [index, path] of paths.entries()) {
    run.requests.push({ index, from: run.start, answer: null });
    await send(path, index, run.requests.at(-1));
  }
}

function begin() {
  run = { start: performance.now(), requests: [] };
}

async function send(path, index, request = { index, from: performance.now(), answer: null }) {
  if (!run.requests.includes(request)) run.requests.push(request);
  request.answer = await ask(path);
  show();
}

// No two are the same address: a browser may let the second request for an address wait for the first.
const waits = (first, others) => Array.from({ length: REQUESTS }, (_, i) => `/-/lab/wait?for=${i === 0 ? first : others + i}ms`);
const alike = () => waits(400, 400);
const oneSlow = () => waits(2500, 200);

// ---- how it is drawn ---------------------------------------------------------------------------

const ROW = 17;

function show() {
  document.title = words().title;
  draw(byId("requests"), run.requests.length ? run.requests.length * ROW + 26 : 120, paint);
  showVerdict();
}

/** One row per request: a line while it waits in the browser, a block while it is on its lane. */
function paint(width) {
  if (run.requests.length === 0) return [svg("text", { x: width / 2, y: 64, class: "soft", "text-anchor": "middle" }, words().begin)];
  const now = performance.now() - run.start;
  const end = document.body.dataset.state === "running" ? Math.max(1000, now * 1.05) : Math.max(1000, ...run.requests.map(({ answer }) => (answer?.to ?? run.start) - run.start)) * 1.02;
  const left = 30, right = 64, plot = width - left - right;
  const x = (ms) => left + (ms / end) * plot, bottom = run.requests.length * ROW + 4;
  const parts = ticks(end / 1000, width < 500 ? 3 : 6).flatMap((s) => [
    svg("line", { x1: x(s * 1000), x2: x(s * 1000), y1: 0, y2: bottom, class: "grid" }),
    svg("text", { x: x(s * 1000), y: bottom + 14, class: "tick", "text-anchor": "middle" }, s === 0 ? `0 ${words().seconds}` : `${s}`),
  ]);
  const lanes = lanesUsed();
  for (const request of run.requests) parts.push(...row(request, now, x, lanes));
  return parts;
}

function row({ index, from, answer }, now, x, lanes) {
  const y = index * ROW, begin = from - run.start;
  const sent = answer ? sentAt(answer) - run.start : now, end = answer ? answer.to - run.start : now;
  const parts = [
    svg("text", { x: 22, y: y + 13, class: "tick", "text-anchor": "end" }, `${index + 1}`),
    svg("line", { x1: x(begin), x2: x(Math.max(begin, sent)), y1: y + 9, y2: y + 9, class: "held" }),
  ];
  if (!answer) return parts;
  const lane = lanes.indexOf(answer.place.conn) % COLOURS;
  parts.push(svg("rect", { x: x(sent), y: y + 2, width: Math.max(2, x(end) - x(sent)), height: ROW - 4, class: `lane-${lane}` }));
  parts.push(svg("text", { x: x(end) + 6, y: y + 13, class: "tick" }, `#${answer.place.conn}`));
  return parts;
}

/** When the browser sent it, by Resource Timing if that is known. */
const sentAt = ({ timing, from }) => timing?.requestStart || from;

/** The connections of this run, in the order of their first requests. */
function lanesUsed() {
  const answered = run.requests.filter(({ answer }) => answer).sort((a, b) => sentAt(a.answer) - sentAt(b.answer));
  return [...new Set(answered.map(({ answer }) => answer.place.conn))];
}

function showVerdict() {
  const answers = run.requests.map(({ answer }) => answer);
  const all = answers.length === REQUESTS && answers.every(Boolean);
  const result = !all ? null : {
    requests: REQUESTS, lanes: lanesUsed().length,
    total: Math.max(...answers.map(({ to }) => to)) - run.start,
    longest: Math.max(...run.requests.map(({ from, answer }) => sentAt(answer) - from)),
    sum: answers.reduce((sum, answer) => sum + answer.to - sentAt(answer), 0),
  };
  byId("verdict").textContent = result ? words().verdict(result) : "";
  byId("verdict").dataset.lanes = result ? lanesUsed().join(" ") : "";
}

// ---- beginning ---------------------------------------------------------------------------------

redrawn(show);
const feed = await Feed.open();
if (feed) {
  showLanes(byId("lanes"), feed);
  setInterval(() => document.body.dataset.state === "running" && show(), 60);
  buttons({
    alike: () => together(alike()),
    slow: () => together(oneSlow()),
    turn: () => inTurn(oneSlow()),
  });
} else {
  sayClosed();
}
