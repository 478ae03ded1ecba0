// ── The plot ─────────────────────────────────────────────────────────────────────────────────

const INKS = ["panel", "raised", "line", "text", "dim", "first", "reused", "wait", "grace", "race", "client", "server", "network", "now"];
let ink = {}; // the style sheet's colours, as the canvas takes them
let hatch = null; // the pattern of waiting
let grace = null; // and of the time after the promise

function mixInks() {
  const probe = document.body.appendChild(document.createElement("i"));
  ink = Object.fromEntries(INKS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  }));
  ink.unknown = ink.network;
  probe.remove();
  hatch = pattern((p) => { p.moveTo(-2, 10); p.lineTo(10, -2); p.moveTo(-2, 2); p.lineTo(2, -2); p.moveTo(6, 10); p.lineTo(10, 6); }, ink.wait);
  grace = pattern((p) => { p.moveTo(0, 2); p.lineTo(8, 2); p.moveTo(0, 6); p.lineTo(8, 6); }, ink.grace);
  drawLegend();
  view.dirty = true;
}

/** A tile of 8 × 8 CSS pixels that repeats. */
function pattern(stroke, colour) {
  const tile = document.createElement("canvas"), scale = Math.max(1, Math.round(devicePixelRatio));
  tile.width = tile.height = 8 * scale;
  const p = tile.getContext("2d");
  p.scale(scale, scale);
  p.strokeStyle = colour;
  p.lineWidth = 1.4;
  p.beginPath();
  stroke(p);
  p.stroke();
  return Object.assign(pen.createPattern(tile, "repeat"), { scale });
}

/** Ties the patterns to the moving time, or they would shimmer. */
function movePatterns(x) {
  for (const p of [hatch, grace]) p.setTransform(new DOMMatrix().translate(x % 8, 0).scale(1 / p.scale));
}

function draw(now) {
  const { width, height, plotLeft, plotWidth, windowMs } = view;
  const nowX = plotLeft + plotWidth * NOW_AT;
  const scale = (plotWidth * NOW_AT) / windowMs;
  const time = { now, scale, left: plotLeft, right: plotLeft + plotWidth, from: now - windowMs, nowX, x: (t) => nowX + (t - now) * scale };

  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(plotLeft, 0, plotWidth, height);
  pen.clip();
  movePatterns(nowX - now * scale);
  drawAxis(time);
  pen.beginPath();
  pen.rect(plotLeft, HEAD, plotWidth, height - HEAD);
  pen.clip();
  const { first, last } = visibleRange();
  for (let i = first; i < last; i++) drawLane(view.order[i], rowTop(i), time);
  pen.restore();
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300].map((s) => s * 1000);

function drawAxis({ now, scale, left, right, from, nowX, x }) {
  const step = STEPS.find((s) => s * scale >= 84) ?? STEPS.at(-1);
  const start = clock.started; // so that the lines stand on whole seconds of the wall clock
  pen.font = `11px ${MONO}`;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  for (let wall = Math.ceil((start + from) / step) * step; x(wall - start) < right; wall += step) {
    const at = Math.round(x(wall - start)) + 0.5;
    pen.fillStyle = ink.line;
    pen.fillRect(at - 0.5, HEAD, 1, view.height);
    pen.fillStyle = ink.dim;
    if (Math.abs(at - nowX) > 62 && at > left + 30) pen.fillText(clockText(wall), at, HEAD / 2);
  }
  pen.fillStyle = ink.raised;
  pen.globalAlpha = 0.35;
  pen.fillRect(nowX, HEAD, right - nowX, view.height);
  pen.globalAlpha = 1;
  pen.fillStyle = ink.now;
  pen.fillRect(Math.round(nowX), HEAD - 6, 1, view.height);
  pen.font = `600 11px ${MONO}`;
  pen.fillText(start ? clockText(start + now) : say("now"), nowX, HEAD / 2 - 2);
}

function clockText(wall) {
  const d = new Date(wall), two = (n) => String(n).padStart(2, "0");
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

const MONO = getComputedStyle(document.documentElement).getPropertyValue("--mono");
const LABEL_WIDTH = 6.2; // of a character of the labels' font, near enough to cut by

/** How a lane's parts stand in rows of each size: middle line and height of its bar. */
function frameOf(y) {
  const h = view.rowHeight;
  if (view.density === "large") return { mid: y + 25, bar: 17, labels: true, block: 4 };
  if (view.density === "medium") return { mid: y + h / 2, bar: h - 10, labels: false, block: 3 };
  if (view.density === "small") return { mid: y + h / 2, bar: h - 5, labels: false, block: 3 };
  return { mid: y + h / 2, bar: Math.max(2, h - 1), labels: false, block: 2 };
}

function drawLane(lane, y, time) {
  const frame = frameOf(y), { x, now } = time;
  const begin = Math.max(time.left, x(lane.opened)), end = Math.min(x(lane.closed?.t ?? now), time.right);
  if (end < time.left) return;
  if (view.density === "overview") tintLane(lane, y, time);

  pen.fillStyle = view.density === "overview" ? ink.wait : ink.dim;
  pen.fillRect(begin, frame.mid - 0.5, Math.max(1, end - begin), 1);
  if (x(lane.opened) >= time.left) pen.fillRect(begin, frame.mid - frame.bar / 2, 1.5, frame.bar);
  drawWaits(lane, frame, time);
  if (lane.state === "streaming") drawStream(lane, frame, time);
  drawBlocks(lane, frame, time);
  if (lane.closing) drawLinger(lane, frame, time);
  if (lane.deadline) drawDeadline(lane.deadline, frame, time);
  else if (lane.state === "opened" && policy) drawDeadline({ promised: now, closes: lane.opened + policy.head_timeout_ms }, frame, time);
  if (lane.closed) drawCap(lane, end, frame);
  if (lane.race) drawRace(x(lane.race.t), frame);
}

/** In the overview there are no rows beneath, so the canvas says what is selected and what raced. */
function tintLane(lane, y, time) {
  if (lane.conn !== view.selected && !lane.race) return;
  pen.fillStyle = lane.race ? ink.race : ink.text;
  pen.globalAlpha = 0.22;
  pen.fillRect(time.left, y, time.right - time.left, view.rowHeight);
  pen.globalAlpha = 1;
}

/** One hatched band from the first response to the end: the blocks cover what is not waiting. */
function drawWaits(lane, { mid, bar }, { x, left, nowX }) {
  const first = lane.marks.find((m) => m.to !== null);
  const since = lane.waitsSince ?? first?.to;
  if (since === undefined) return;
  const last = lane.marks.at(-1);
  const until = lane.closing?.t ?? lane.closed?.t ?? (last && last.to === null ? last.from : null);
  const from = Math.max(left, x(since)), to = until === null ? nowX : x(until);
  if (to <= from) return;
  const height = bar * 0.55;
  pen.fillStyle = view.density === "overview" ? ink.wait : hatch;
  pen.fillRect(from, mid - height / 2, to - from, height);
}

/** From the newest back. What lies on pixels that are already painted is left out. */
function drawBlocks(lane, frame, time) {
  const { x, left, nowX } = time;
  let painted = Infinity, labelled = Infinity;
  for (let i = lane.marks.length - 1; i >= 0; i--) {
    const mark = lane.marks[i];
    const to = mark.to === null ? (lane.viewer ? x(mark.from) : nowX) : x(mark.to);
    if ((mark.to === null ? nowX : to) < left) break;
    const from = x(mark.from), right = Math.max(to, from + frame.block);
    const isFirst = mark.n === 1;
    if (from < painted - 0.75 || isFirst) {
      drawBlock(mark, isFirst, Math.max(left - 4, from), Math.min(right, isFirst ? Infinity : painted), frame);
      painted = from;
    }
    if (frame.labels && labelled - from > 26) {
      drawLabel(mark, Math.max(from, left + 2), Math.min(labelled, Math.max(nowX, right)), frame);
      labelled = from - 6;
    }
  }
}

/** A stream has no end: a row of dashes that stand still on the moving axis. */
function drawStream(lane, { mid }, { x, left, nowX }) {
  const since = x(lane.marks.at(-1)?.from ?? lane.opened);
  pen.fillStyle = ink.reused;
  for (let at = since + Math.max(0, Math.ceil((left - since) / 8)) * 8; at < nowX; at += 8) pen.fillRect(at, mid - 2, Math.min(5, nowX - at), 4);
}

function drawBlock(mark, isFirst, from, to, { mid, bar }) {
  const height = isFirst ? bar : Math.max(2, Math.round(bar * 0.62));
  const top = mid - height / 2, width = Math.max(1, to - from);
  pen.fillStyle = isFirst ? ink.first : ink.reused;
  pen.fillRect(from, top, width, height);
  if (mark.status >= 400 && width > 2.5) { // hollow
    pen.fillStyle = ink.panel;
    pen.fillRect(from + 1, top + 2, Math.max(1, width - 2), height - 4);
  }
}

function drawLabel(mark, from, to, { mid, bar }) {
  const room = Math.floor((to - from) / LABEL_WIDTH);
  const text = mark.count > 1 ? `×${mark.count}` : `${mark.target}${mark.status ? ` ${mark.status}` : ""}`;
  if (room < 3) return;
  pen.font = `10.5px ${MONO}`;
  pen.textAlign = "left";
  pen.fillStyle = ink.dim;
  pen.fillText(text.length <= room ? text : text.slice(0, room - 1) + "…", from, mid - bar / 2 - 7);
}

/** After our FIN: two thin lines, one direction each; only the lower, the client's, is still open. */
function drawLinger(lane, { mid, bar }, { x, left, nowX }) {
  const from = Math.max(left, x(lane.closing.t)), to = lane.closed ? x(lane.closed.t) : nowX;
  pen.fillStyle = ink[lane.closing.by];
  pen.fillRect(from, mid - bar / 4, Math.max(2, to - from), 1.5);
  pen.fillRect(from, mid + bar / 4 - 1, Math.max(2, to - from), 1.5);
  if (!lane.closed) drawStop(from, SIDE[lane.closing.by], false, { mid, bar }, ink[lane.closing.by]);
}

/** What lies ahead: the promise, then the grace, then the close. */
function drawDeadline({ promised, closes }, { mid, bar }, { x, now, nowX, right }) {
  const height = bar * 0.55, top = mid - height / 2;
  const p = Math.min(right, Math.max(nowX, x(promised))), c = Math.min(right, x(closes));
  if (c < nowX) return;
  if (view.density !== "overview") {
    pen.globalAlpha = 0.5;
    pen.fillStyle = hatch;
    pen.fillRect(nowX, top, p - nowX, height);
    pen.globalAlpha = 1;
    pen.fillStyle = grace;
    pen.fillRect(p, top, c - p, height);
  }
  pen.fillStyle = ink.text;
  if (promised > now && p < right && bar > 8) triangle(p, mid - bar / 2 + 3, 0, 5);
  if (c < right) pen.fillRect(c - 1.5, mid - bar / 2, 3, bar);
}

function triangle(x, y, turn, size) {
  pen.beginPath();
  if (turn === 0) { pen.moveTo(x - size, y - size * 0.6); pen.lineTo(x + size, y - size * 0.6); pen.lineTo(x, y + size * 0.6); }
  else { pen.moveTo(x, y); pen.lineTo(x + turn * size, y - size * 0.75); pen.lineTo(x + turn * size, y + size * 0.75); }
  pen.fill();
}

/** A bar (FIN) or a cross (RST), with an arrow that comes from `side`: −1 client, +1 server, 0 neither. */
function drawStop(x, side, reset, { mid, bar }, colour) {
  const half = bar / 2;
  pen.fillStyle = pen.strokeStyle = colour;
  if (reset) {
    const arm = Math.min(6, half);
    pen.lineWidth = bar > 8 ? 2.4 : 1.4;
    pen.beginPath();
    pen.moveTo(x - arm, mid - arm); pen.lineTo(x + arm, mid + arm);
    pen.moveTo(x - arm, mid + arm); pen.lineTo(x + arm, mid - arm);
    pen.stroke();
  } else {
    pen.fillRect(x - 1.25, mid - half, 2.5, bar);
  }
  if (side && bar > 4) triangle(x + side * (reset ? 8 : 2.5), mid, side, Math.min(8, half));
}

const SIDE = { client: -1, server: 1, network: 0, unknown: 0 };

function drawCap(lane, x, frame) {
  const { by, reason } = lane.closed, reset = lane.closed.how === "reset", colour = ink[by];
  pen.fillStyle = ink.panel;
  if (by === "client" && frame.bar > 8) pen.fillRect(x - 12, frame.mid - 1, 10, 2);
  drawStop(x, SIDE[by], reset, frame, colour);
  if (view.density !== "large" && view.density !== "medium") return;
  // Nothing can follow on this lane, so its epitaph stands here.
  pen.font = `600 11px ${MONO}`;
  pen.textAlign = "left";
  const clear = (SIDE[by] === 1 ? (reset ? 20 : 16) : 10) + (lane.race ? 10 : 0); // of the arrow and the race's mark
  pen.fillText(`${how(lane.closed)} ${view.fateShown ? "" : reason}`, x + clear, frame.mid + 0.5);
}

function drawRace(x, { mid, bar }) {
  const size = Math.max(3, bar / 2 + 1);
  pen.fillStyle = ink.race;
  pen.strokeStyle = ink.panel;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x, mid - size); pen.lineTo(x + size, mid); pen.lineTo(x, mid + size); pen.lineTo(x - size, mid);
  pen.closePath();
  pen.fill();
  pen.stroke();
  if (bar < 10) return;
  pen.fillStyle = ink.panel;
  pen.fillRect(x - 1, mid - size * 0.5, 2, size * 0.6);
  pen.fillRect(x - 1, mid + size * 0.28, 2, 2);
}
