// Experiment 2: the ladder of one connection, drawn from the events of its life.

import { ask, sleep, useUpIdle } from "./asking.js";
import { Feed } from "./feed.js";
import { showLanes } from "./lanes.js";
import { buttons, byId, draw, redrawn, sayClosed, span, svg, wordsOf } from "./page.js";

const words = wordsOf({
  en: {
    title: "Three packets to open, four to close · holdline", client: "client (your browser)", server: "server (holdline)", idle: (ms) => `idle for ${span(ms)}`,
    active: "active close", passive: "passive close", half: "half-closed: only the client can send", halfServer: "half-closed: only the server can send",
    keeps: "keeps TIME_WAIT", nothing: "keeps nothing", waits: "60 s on Linux", noWait: "no TIME_WAIT: a reset leaves nothing behind", begin: "Press a button.",
    by: { client: "The browser sent the first FIN: it did the active close, and its side keeps TIME_WAIT.", server: "The server sent the first FIN: it did the active close, and its side keeps TIME_WAIT." },
    reset: { client: "The browser sent an RST.", server: "The server sent an RST: no farewell. Data that had not arrived is not sent again, and neither side waits." },
    broken: (status) => `${status} with half of the content`,
  },
  "zh-Hans": {
    title: "三次握手，四次挥手 · holdline", client: "客户端（你的浏览器）", server: "服务器（holdline）", idle: (ms) => `空闲 ${span(ms)}`,
    active: "主动关闭", passive: "被动关闭", half: "半关闭：只剩客户端还能发送", halfServer: "半关闭：只剩服务器还能发送",
    keeps: "留在 TIME_WAIT", nothing: "什么也不留", waits: "Linux 上 60 秒", noWait: "没有 TIME_WAIT：重置什么也不留", begin: "请按一个按钮。",
    by: { client: "浏览器先发 FIN：它是主动关闭的一方，TIME_WAIT 留在它那边。", server: "服务器先发 FIN：它是主动关闭的一方，TIME_WAIT 留在它那边。" },
    reset: { client: "浏览器发了 RST。", server: "服务器发了 RST：不告而别。没有送到的数据不再重发，双方都不等待。" },
    broken: (status) => `${status}，内容只有一半`,
  },
});

const HANG_UP_AFTER_MS = 300;
const NOTICED_AFTER_MS = 200;
const SILENCE_MS = 100; // a shorter one is not drawn
const STEP = 44; // the height of a packet
const NARROW = 560; // a narrower picture leaves out the times

let lane = null; // the connection that is shown

/** A new connection with one request on it; `last` then brings about its end. Shows it until it has ended. */
async function shown(feed, last) {
  lane = null;
  show(feed);
  await useUpIdle();
  const { place } = await ask("/favicon.svg");
  lane = await feed.until(() => feed.lanes.get(place.conn));
  await sleep(HANG_UP_AFTER_MS);
  await last(feed);
  await feed.until(() => lane.closed);
}

/**
 * The server's FIN comes while the connection is idle. The browser looks at its idle connections when it needs one: only
 * the next request makes it notice, and answer with its own FIN.
 */
async function serverCloses(feed) {
  await ask("/-/lab/close?when=idle:300ms");
  await feed.until(() => lane.closing);
  await sleep(NOTICED_AFTER_MS);
  await ask("/favicon.svg");
}

/** The server stops in the middle of its response and sends nothing more. Aborting the request makes the browser hang up. */
async function clientCloses() {
  const abort = new AbortController();
  const answer = ask("/-/lab/close?when=body&how=stall", { signal: abort.signal });
  setTimeout(() => abort.abort(), HANG_UP_AFTER_MS);
  await answer.catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
}

/** The response comes, then an RST, which may overtake it. */
const serverResets = () => ask("/-/lab/close?how=reset").catch(() => null);

// ---- what happened, as steps -----------------------------------------------------------------

/**
 * The steps of a lane, from top to bottom. `inferred` ones are the kernel's and were not seen. A state stands beside
 * the end of the arrow to which it belongs: the sender's where it begins, the receiver's where it arrives.
 */
function stepsOf(lane, narrow) {
  const t = lane.opened ?? lane.seen;
  const steps = [
    { arrow: "right", label: "SYN  seq=j", inferred: true, client: "SYN_SENT", server: "SYN_RECV" },
    { arrow: "left", label: "SYN+ACK  seq=k ack=j+1", inferred: true, client: "ESTABLISHED" },
    { arrow: "right", label: "ACK  ack=k+1", inferred: true, server: "ESTABLISHED", t },
  ];
  let quiet = t;
  for (const request of lane.requests) {
    if (request.from - quiet > SILENCE_MS) steps.push({ silence: request.from - quiet });
    steps.push({ arrow: "right", label: `${request.method} ${request.target}`, t: request.from, kind: "request" });
    if (request.to !== null) steps.push(answerOf(request, narrow));
    quiet = request.to ?? request.from;
  }
  const end = lane.closing?.t ?? lane.closed?.t;
  if (end - quiet > SILENCE_MS) steps.push({ silence: end - quiet });
  return [...steps, ...ending(lane)];
}

function answerOf({ status, complete, keep, to }, narrow) {
  if (!complete) return { arrow: "left", label: words().broken(status), kind: "request" };
  const option = keep ? "keep-alive" : "close";
  return { arrow: "left", label: narrow ? `${status}  ${option}` : `${status}  Connection: ${option}`, t: to, kind: "request" };
}

function ending({ closing, closed }) {
  if (closed?.how === "reset") {
    return [{ arrow: closed.by === "client" ? "right" : "left", label: "RST", t: closed.t, kind: "reset", client: "CLOSED", server: "CLOSED" }];
  }
  const first = closed ? closed.first_fin : closing?.by;
  if (first === "server") {
    const sent = [
      { arrow: "left", label: "FIN  seq=u", note: words().active, t: closing?.t ?? closed.t, kind: "fin", server: "FIN_WAIT1", client: "CLOSE_WAIT" },
      { arrow: "right", label: "ACK  ack=u+1", inferred: true, server: "FIN_WAIT2" },
    ];
    if (!closed) return [...sent, { half: words().half }];
    return [...sent, { half: words().half },
      { arrow: "right", label: "FIN  seq=v", note: words().passive, t: closed.t, kind: "fin", client: "LAST_ACK", server: "TIME_WAIT" },
      { arrow: "left", label: "ACK  ack=v+1", inferred: true, client: "CLOSED" }];
  }
  if (first === "client" && closed) {
    return [
      { arrow: "right", label: "FIN  seq=u", note: words().active, kind: "fin", client: "FIN_WAIT1", server: "CLOSE_WAIT" },
      { arrow: "left", label: "ACK  ack=u+1", inferred: true, client: "FIN_WAIT2" },
      { half: words().halfServer },
      { arrow: "left", label: "FIN  seq=v", note: words().passive, t: closed.t, kind: "fin", server: "LAST_ACK", client: "TIME_WAIT" },
      { arrow: "right", label: "ACK  ack=v+1", inferred: true, server: "CLOSED" },
    ];
  }
  return [];
}

// ---- how it is drawn -------------------------------------------------------------------------

function show() {
  document.title = words().title;
  const steps = lane ? stepsOf(lane, byId("ladder").clientWidth < NARROW) : [];
  const height = 40 + steps.reduce((sum, step) => sum + heightOf(step), 0) + (lane?.closed ? 62 : 16);
  draw(byId("ladder"), lane ? Math.max(height, 300) : 300, (width) => ladder(steps, width, height));
  showVerdict();
}

const heightOf = (step) => (step.arrow ? STEP : step.half ? 42 : 34);

function ladder(steps, width, height) {
  const side = width < NARROW ? 88 : 150;
  const at = { client: side, server: width - side, width };
  const bottom = height - (lane?.closed ? 56 : 10);
  const parts = [
    svg("text", { x: at.client, y: 16, class: "strong", "text-anchor": "middle" }, words().client),
    svg("text", { x: at.server, y: 16, class: "strong", "text-anchor": "middle" }, words().server),
  ];
  if (!lane) return [...parts, svg("text", { x: width / 2, y: 150, class: "soft", "text-anchor": "middle" }, words().begin)];
  for (const name of ["client", "server"]) {
    parts.push(svg("line", { x1: at[name], x2: at[name], y1: 28, y2: bottom, class: "life-line" }));
  }
  let y = 36;
  for (const step of steps) {
    parts.push(...(step.arrow ? arrow(step, y, at) : band(step, y, at)));
    y += heightOf(step);
  }
  if (lane.closed) parts.push(...remains(y + 6, at));
  return parts;
}

function arrow(step, y, at) {
  const toRight = step.arrow === "right";
  const [from, to] = toRight ? [at.client, at.server] : [at.server, at.client];
  const end = y + 18, tip = toRight ? -8 : 8, middle = (from + to) / 2;
  const kind = `packet ${step.kind ?? ""} ${step.inferred ? "inferred" : ""}`;
  const parts = [
    svg("line", { x1: from, y1: y + 6, x2: to, y2: end, class: kind }),
    svg("path", { d: `M${to} ${end}l${tip} -5v10z`, class: kind }),
    svg("text", { x: middle, y: y + 5, class: kind, "text-anchor": "middle" }, shortened(step.label, at)),
  ];
  if (step.note) parts.push(svg("text", { x: middle, y: y + 30, class: "soft", "text-anchor": "middle" }, step.note));
  if (step.client) parts.push(svg("text", { x: at.client - 8, y: (toRight ? y + 6 : end) + 4, class: "state", "text-anchor": "end" }, step.client));
  if (step.server) parts.push(svg("text", { x: at.server + 8, y: (toRight ? end : y + 6) + 4, class: "state" }, step.server));
  if (step.t !== undefined && at.width >= NARROW) {
    parts.push(svg("text", { x: 0, y: y + 16, class: "tick" }, `+${span(step.t - (lane.opened ?? lane.seen))}`));
  }
  return parts;
}

/** This width per character is near enough to keep a long target between the lines. */
function shortened(label, at) {
  const room = Math.floor((at.server - at.client - 8) / 6.5);
  return label.length > room ? `${label.slice(0, room - 1)}…` : label;
}

/** An idle stretch, or the time in which only one side can send. */
function band(step, y, at) {
  const middle = (at.client + at.server) / 2;
  const text = svg("text", { x: middle, y: y + 20, class: "soft", "text-anchor": "middle" }, step.half ?? words().idle(step.silence));
  if (!step.half) return [text];
  return [svg("rect", { x: at.client, y: y + 4, width: at.server - at.client, height: 24, class: "half" }), text];
}

/** What stays behind, at the foot of the side that keeps it. */
function remains(y, at) {
  if (lane.closed.how === "reset") return [svg("text", { x: (at.client + at.server) / 2, y: y + 24, class: "soft", "text-anchor": "middle" }, words().noWait)];
  const keeper = lane.closed.first_fin, other = keeper === "client" ? "server" : "client";
  const wide = Math.min(140, 2 * Math.min(at.client, at.width - at.server) - 4);
  return [
    svg("rect", { x: at[keeper] - wide / 2, y, width: wide, height: 42, class: "remains" }),
    svg("text", { x: at[keeper], y: y + 18, class: "strong", "text-anchor": "middle" }, words().keeps),
    svg("text", { x: at[keeper], y: y + 34, class: "tick", "text-anchor": "middle" }, words().waits),
    svg("text", { x: at[other], y: y + 18, class: "soft", "text-anchor": "middle" }, words().nothing),
  ];
}

function showVerdict() {
  const closed = lane?.closed;
  const said = !closed ? "" : closed.how === "reset" ? words().reset[closed.by] : words().by[closed.first_fin];
  byId("verdict").textContent = said ?? "";
  byId("verdict").dataset.first = closed?.first_fin ?? "";
  byId("verdict").dataset.conn = lane?.conn ?? "";
}

// ---- beginning -------------------------------------------------------------------------------

redrawn(show);
const feed = await Feed.open();
if (feed) {
  showLanes(byId("lanes"), feed);
  feed.addEventListener("change", show);
  buttons({
    "server-closes": () => shown(feed, serverCloses),
    "client-closes": () => shown(feed, clientCloses),
    "server-resets": () => shown(feed, serverResets),
  });
} else {
  sayClosed();
}
