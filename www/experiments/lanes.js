// The live lanes: one row per connection, as the server sees it.

import { draw, span, svg, wordsOf } from "./page.js";

const ROW = 24;
const HEAD = 18;
const MAX_ROWS = 10;
const LEFT = 74; // for the connection's number and its count of requests
const REDRAW_MS = 100;
const WINDOW_MS = 2000; // the shortest stretch of time that is shown
const LONGEST_MS = 12_000; // and the longest

const words = wordsOf({
  en: {
    you: "this page’s own stream", waits: (left) => `kept: closes in ${left}`, grace: (left) => `grace: closes in ${left}`, busy: "responding", open: "open",
    lingering: "FIN sent, still reading", none: "No connections yet.", now: "now", down: "The server does not answer; the browser keeps trying.",
  },
  "zh-Hans": {
    you: "本页自己的事件流", waits: (left) => `保持中，${left} 后关闭`, grace: (left) => `宽限期，${left} 后关闭`, busy: "正在响应", open: "活动",
    lingering: "已发 FIN，仍在读", none: "尚无连接。", now: "现在", down: "服务器没有响应；浏览器还在重试。",
  },
});

/** Draws the lanes of `feed` into `holder`, again and again: time goes on when nothing happens, too. */
export function showLanes(holder, feed) {
  const paint = () => {
    if (document.hidden) return;
    const rows = chosen(feed);
    draw(holder, HEAD + Math.max(1, rows.length) * ROW, (width) => picture(rows, feed, width));
  };
  setInterval(paint, REDRAW_MS);
  paint();
}

/** The lanes with the latest events, in the order in which they were opened. Viewers' lanes are left out, but for our own. */
function chosen(feed) {
  const lanes = [...feed.lanes.values()].filter((lane) => !lane.viewer || lane.conn === feed.you);
  const left = feed.now() - LONGEST_MS * 5;
  const fresh = lanes.filter((lane) => !lane.closed || lane.last > left);
  return fresh.sort((a, b) => b.last - a.last).slice(0, MAX_ROWS).sort((a, b) => a.conn - b.conn);
}

function picture(rows, feed, width) {
  if (!feed.up) return [svg("text", { x: 0, y: HEAD + 16, class: "raced" }, words().down)];
  if (rows.length === 0) return [svg("text", { x: 0, y: HEAD + 16, class: "soft" }, words().none)];
  const narrow = width < 560;
  const right = narrow ? 0 : 190;
  const now = feed.now();
  const first = Math.min(...rows.map((lane) => lane.requests[0]?.from ?? lane.seen));
  const length = Math.min(LONGEST_MS, Math.max(WINDOW_MS, now - first + 200));
  const plot = width - LEFT - right - 4;
  const x = (t) => LEFT + Math.max(0, (1 - (now - t) / length) * plot);
  const parts = axis(now, length, x);
  rows.forEach((lane, i) => parts.push(...row(lane, HEAD + i * ROW, { x, now, feed, narrow, end: LEFT + plot, width })));
  return parts;
}

function axis(now, length, x) {
  const step = [500, 1000, 2000, 5000].find((step) => length / step <= 5) ?? 5000;
  const marks = [svg("text", { x: x(now), y: 11, class: "tick", "text-anchor": "end" }, words().now)];
  for (let ago = step; ago < length; ago += step) {
    marks.push(svg("line", { x1: x(now - ago), x2: x(now - ago), y1: HEAD - 3, y2: 1000, class: "grid" }));
    marks.push(svg("text", { x: x(now - ago), y: 11, class: "tick", "text-anchor": "middle" }, `−${span(ago)}`));
  }
  return marks;
}

function row(lane, top, { x, now, feed, narrow, end, width }) {
  const middle = top + ROW / 2, parts = [];
  const from = x(lane.opened ?? lane.seen), to = x(lane.closed?.t ?? now);
  const count = lane.closed?.requests ?? lane.requests.at(-1)?.n ?? lane.before;
  parts.push(svg("text", { x: 0, y: middle + 4, class: "name" }, `#${lane.conn}`));
  if (lane.conn !== feed.you) parts.push(svg("text", { x: LEFT - 10, y: middle + 4, class: "soft", "text-anchor": "end" }, `×${count}`));
  parts.push(svg("line", { x1: from, x2: to, y1: middle, y2: middle, class: lane.conn === feed.you ? "stream" : "held" }));
  if (lane.opened !== null && x(lane.opened) > LEFT) parts.push(svg("rect", { x: from - 1, y: middle - 7, width: 2, height: 14, class: "ink" }));
  for (const request of lane.requests) {
    const begin = x(request.from), finish = x(request.to ?? lane.closed?.t ?? now);
    if (finish <= LEFT || lane.conn === feed.you) continue;
    const kind = request.to === null && lane.closed ? "lost" : request.n === 1 ? "first" : "again";
    parts.push(svg("rect", { x: begin, y: middle - 6, width: Math.max(3, finish - begin), height: 12, class: kind }));
  }
  if (lane.closing) parts.push(svg("line", { x1: x(lane.closing.t), x2: to, y1: middle + 3, y2: middle + 3, class: "lingers" }));
  if (lane.race) parts.push(svg("path", { d: `M${x(lane.race.t)} ${middle - 8}l8 8l-8 8l-8 -8z`, class: "lost" }));
  if (lane.closed) parts.push(cap(to, middle, lane.closed));
  if (!narrow) parts.push(svg("text", { x: Math.min(lane.closed ? to + 14 : end + 12, width - 178), y: middle + 4, class: lane.race ? "fate raced" : "fate" }, fate(lane, feed)));
  return parts;
}

/** The end: an arrow from the side that decided to close, or a cross for an RST. */
function cap(x, y, { by, how }) {
  const side = by === "client" ? 1 : -1;
  const shape = how === "reset" ? `M${x - 5} ${y - 5}l10 10M${x - 5} ${y + 5}l10 -10` : `M${x} ${y - 7}v14M${x} ${y}l${-side * 7} -5v10z`;
  return svg("path", { d: shape, class: how === "reset" ? "cap reset" : `cap ${by}` });
}

function fate(lane, feed) {
  const now = feed.now();
  if (lane.closed) {
    const { by, how, reason } = lane.closed;
    return `${by === "client" ? "▶" : by === "server" ? "◀" : "✕"} ${how === "reset" ? "RST" : "FIN"} ${reason}`;
  }
  if (lane.conn === feed.you) return words().you;
  if (lane.closing) return words().lingering;
  if (lane.idle) {
    const left = span(Math.ceil((lane.idle.closes - now) / 1000) * 1000);
    return now < lane.idle.promised ? words().waits(left) : words().grace(left);
  }
  return lane.requests.some((request) => request.to === null) ? words().busy : words().open;
}
