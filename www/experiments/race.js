// Experiment 4: a request and the end of its connection cross on the way.

import { drawShots, shoot } from "./aim.js";
import { ask, sleep, useUpIdle } from "./asking.js";
import { Feed } from "./feed.js";
import { showLanes } from "./lanes.js";
import { buttons, byId, draw, html, redrawn, sayClosed, span, svg, wordsOf } from "./page.js";

const words = wordsOf({
  en: {
    title: "The race · holdline", client: "client (your browser)", server: "server (holdline)", connection: (n) => `connection #${n}`, begin: "Press a button.",
    silence: (ms) => `idle for ${span(ms)}`, lost: "no response", again: (n) => `connection #${n}: sent again by the browser itself`, told: "announced",
    unannounced: "not announced", kept: "same connection",
    verdict: {
      kept: (t) => `Not lost. The request came within the promise and was answered on the same connection #${t.conn}.`,
      told: (t) => `Not lost. The server had announced the close with “Connection: close”, so the browser did not use #${t.conn} again, but opened #${t.again}.`,
      retried: (t) => `Lost on #${t.conn}. Your browser sent the request again on #${t.again} and did not tell the page. A second GET does no harm.`,
      twice: (t) => `The POST was lost on #${t.conn}, and your browser sent it again on #${t.again} without asking. It reached the server twice. If the server had carried out the first one before the connection ended, there would be two orders now.`,
      failed: (t) => `Lost on #${t.conn}. Your browser reports a failure and does not try again: the client can’t know whether the server has carried the request out.`,
      missed: () => "The browser used another connection. Try again.",
    },
    silent: "idle time in milliseconds, by the server’s clock",
    shots: (n) => `${n.all} attempts: ${n.kept} in time, ${n.noticed} too late, ${n.lost} lost.`,
    outcome: { kept: "not lost", told: "not lost, announced", retried: "lost, sent again", twice: "lost, sent twice", failed: "lost, reported", missed: "missed" },
  },
  "zh-Hans": {
    title: "竞态 · holdline", client: "客户端（你的浏览器）", server: "服务器（holdline）", connection: (n) => `连接 #${n}`, begin: "请按一个按钮。",
    silence: (ms) => `空闲 ${span(ms)}`, lost: "没有响应", again: (n) => `连接 #${n}：浏览器自行重发`, told: "已宣布",
    unannounced: "未宣布", kept: "同一条连接",
    verdict: {
      kept: (t) => `没有丢。请求在承诺期内到达，在同一条连接 #${t.conn} 上得到了响应。`,
      told: (t) => `没有丢。服务器已用“Connection: close”宣布关闭，所以浏览器没有再用 #${t.conn}，而是新建了 #${t.again}。`,
      retried: (t) => `在 #${t.conn} 上丢了。浏览器在 #${t.again} 上重发，对网页只字未提。GET 多来一次，并无害处。`,
      twice: (t) => `POST 在 #${t.conn} 上丢了，浏览器未经询问，又在 #${t.again} 上重发。它到达服务器两次。假如服务器在断线之前已经执行了第一次，现在就有两份订单。`,
      failed: (t) => `在 #${t.conn} 上丢了。浏览器报告失败，不再尝试：客户端无从知道服务器是否已经执行。`,
      missed: () => "浏览器用了另一条连接。请再试一次。",
    },
    silent: "空闲时间（毫秒），按服务器的时钟",
    shots: (n) => `${n.all} 次：及时 ${n.kept}，太迟 ${n.noticed}，丢失 ${n.lost}。`,
    outcome: { kept: "未丢失", told: "未丢失，已宣布", retried: "丢失，重发", twice: "丢失，发了两次", failed: "丢失，已报告", missed: "没碰上" },
  },
});

const SILENCE_MS = 400;
const NARROW = 560; // a narrower picture says less
const LAST_MOMENT_MS = 250; // before the end of a short promise
const SHORT_PROMISE_MS = 5000;
const BAD = ["retried", "twice", "failed"];

/** Trials, the latest last: { method, conn, again, told, firstFin, silence, target, status, outcome }. */
let trials = [];
let orders = 0;
let shots = []; // at the moment of an idle close

/** Opens a connection by a request for `path`, leaves it idle, and sends another. */
async function trial(feed, method, path, silence) {
  await useUpIdle();
  const first = await ask(path);
  const conn = first.place.conn;
  await sleep(silence);
  const target = `/favicon.svg?order=${++orders}`;
  const second = await ask(target, { method, body: method === "POST" ? "one bicycle" : undefined }).catch(() => null);
  const lane = await feed.until(() => feed.lanes.get(conn));
  if (second?.place.conn !== conn) await feed.until(() => lane.closed);
  const again = second?.place.conn ?? null;
  const told = lane.requests[0]?.keep === false;
  const arrived = lane.race !== null;
  const firstFin = lane.closed?.first_fin ?? null;
  trials.push({ method, conn, again, told, firstFin, silence, target, status: second?.status ?? null, outcome: outcomeOf({ method, conn, again, told, arrived }) });
  show();
}

function outcomeOf({ method, conn, again, told, arrived }) {
  if (again === conn) return "kept";
  if (told) return "told";
  if (!arrived) return "missed";
  if (again === null) return "failed";
  return method === "POST" ? "twice" : "retried";
}

/** As late as the promise allows, if that is soon. */
function silenceOf({ keep_alive_timeout_ms: promise }) {
  return promise <= SHORT_PROMISE_MS ? Math.max(0, promise - LAST_MOMENT_MS) : SILENCE_MS;
}

// ---- how it is drawn ---------------------------------------------------------------------------

function show() {
  document.title = words().title;
  const last = trials.at(-1);
  draw(byId("meeting"), last ? heightOf(last) : 220, (width) => (last && last.outcome !== "missed" ? meeting(last, width) : nothing(width)));
  byId("verdict").textContent = last ? words().verdict[last.outcome](last) : "";
  byId("verdict").className = `verdict ${last ? (BAD.includes(last.outcome) ? "lost" : "kept") : ""}`;
  Object.assign(byId("verdict").dataset, { outcome: last?.outcome ?? "", conn: last?.conn ?? "" });
  byId("trials").replaceChildren(...trials.slice(-12).map(({ method, outcome }) =>
    html("li", { class: BAD.includes(outcome) ? "lost" : "kept" }, html("b", {}, method), ` ${words().outcome[outcome]}`)));
  byId("lost-count").textContent = trials.filter(({ outcome }) => BAD.includes(outcome)).length;
  byId("kept-count").textContent = trials.filter(({ outcome }) => outcome === "kept").length;
  byId("twice-count").textContent = trials.filter(({ outcome }) => outcome === "twice").length;
}

function showShots() {
  drawShots(byId("shots"), shots, words());
  const count = (outcome) => shots.filter((shot) => shot.outcome === outcome).length;
  byId("shots-count").textContent = shots.length ? words().shots({ all: shots.length, kept: count("kept"), noticed: count("noticed"), lost: count("lost") }) : "";
}

const nothing = (width) => [svg("text", { x: width / 2, y: 110, class: "soft", "text-anchor": "middle" }, words().begin)];
const heightOf = ({ outcome }) => ({ kept: 270, told: 330, failed: 300 })[outcome] ?? 400;

/** The two lines, and what went between them; not to scale. */
function meeting(trial, width) {
  const narrow = width < NARROW, side = narrow ? 14 : 150;
  const [client, server] = [side, width - side], middle = width / 2;
  const bottom = heightOf(trial) - 6;
  const line = (x) => svg("line", { x1: x, x2: x, y1: 26, y2: bottom, class: "life-line" });
  const note = (y, text, kind = "soft") => svg("text", { x: middle, y, class: kind, "text-anchor": "middle" }, text);
  const right = (y, text, kind, at) => packet(client, y, server, y + 30, text, kind, at);
  const left = (y, text, kind, at) => packet(server, y, client, y + 30, text, kind, at);
  const keep = trial.told ? "200  Connection: close" : "200  Connection: keep-alive";
  const request = `${trial.method} ${trial.target}`;
  const parts = [
    svg("text", { x: client, y: 14, class: "strong", "text-anchor": narrow ? "start" : "middle" }, words().client),
    svg("text", { x: server, y: 14, class: "strong", "text-anchor": narrow ? "end" : "middle" }, words().server),
    line(client), line(server), note(42, words().connection(trial.conn)),
    ...right(50, trial.outcome === "kept" ? "GET /favicon.svg" : trial.told ? "GET /-/lab/close" : "GET /-/lab/close?when=reuse", "request"), ...left(92, keep, "request"),
  ];
  if (trial.outcome === "kept") {
    return [...parts, note(156, words().silence(trial.silence)), ...right(170, request, "met"), ...left(215, `${trial.status}  ${words().kept}`, "met")];
  }
  if (trial.told) {
    const fin = trial.firstFin === "client" ? right : left; // the client knows that it is the end, and may be quicker
    return [...parts, ...fin(128, `FIN  ${words().told}`, "fin"), ...retried(trial, 190, { right, left, note, narrow, client, server }, "met")];
  }
  // The request leaves while the FIN is on its way: each has gone before the other comes.
  const cross = [
    ...packet(server, 168, client, 238, narrow ? "FIN" : `FIN  ${words().unannounced}`, "missed", .25), ...packet(client, 168, server, 238, request, "missed", .25),
    svg("path", { d: `M${server - 9} 252l14 14M${server - 9} 266l14 -14`, class: "cap reset" }), svg("text", { x: server - 18, y: 264, class: "packet missed", "text-anchor": "end" }, words().lost),
  ];
  const lost = [...parts, note(144, words().silence(trial.silence)), ...cross];
  return trial.again === null ? lost : [...lost, ...retried(trial, 282, { right, left, note, narrow, client, server }, trial.outcome === "twice" ? "missed" : "request")];
}

/** What followed on another connection. */
function retried(trial, y, { right, left, note, narrow, client, server }, kind) {
  const sentence = trial.told || narrow ? words().connection(trial.again) : words().again(trial.again);
  return [
    svg("line", { x1: client, x2: server, y1: y, y2: y, class: "grid" }), note(y + 18, sentence, "strong"),
    ...right(y + 32, `${trial.method} ${trial.target}`, kind), ...left(y + 72, String(trial.status), kind),
  ];
}

/** An arrow with its text above it, at this share of its way. */
function packet(x1, y1, x2, y2, text, kind, share = .5) {
  const length = Math.hypot(x2 - x1, y2 - y1), dx = (x2 - x1) / length, dy = (y2 - y1) / length;
  const tip = `M${x2} ${y2}L${x2 - 9 * dx - 5 * dy} ${y2 - 9 * dy + 5 * dx}L${x2 - 9 * dx + 5 * dy} ${y2 - 9 * dy - 5 * dx}z`;
  const anchor = share === .5 ? "middle" : x2 > x1 ? "start" : "end";
  const at = share === .5 ? (x1 + x2) / 2 : x1 + (x2 > x1 ? 14 : -14);
  const above = share === .5 ? (y1 + y2) / 2 - 7 : y1 - 6;
  return [
    svg("line", { x1, y1, x2: x2 - 4 * dx, y2: y2 - 4 * dy, class: `packet ${kind}` }), svg("path", { d: tip, class: `packet ${kind}` }),
    svg("text", { x: at, y: above, class: `packet ${kind} halo`, "text-anchor": anchor }, text),
  ];
}

// ---- beginning ---------------------------------------------------------------------------------

redrawn(() => {
  show();
  showShots();
});
const feed = await Feed.open();
if (feed) {
  showLanes(byId("lanes"), feed);
  buttons({
    get: () => trial(feed, "GET", "/-/lab/close?when=reuse", SILENCE_MS),
    post: () => trial(feed, "POST", "/-/lab/close?when=reuse", SILENCE_MS),
    obey: () => trial(feed, "POST", "/favicon.svg", silenceOf(feed.policy)),
    told: () => trial(feed, "POST", "/-/lab/close", SILENCE_MS),
    shoot: () => shoot(feed, (fired) => {
      shots = fired;
      showShots();
    }),
  });
} else {
  sayClosed();
}
