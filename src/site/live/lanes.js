// ── The view: which lanes, where ─────────────────────────────────────────────────────────────

const $ = (id) => document.getElementById(id);
const WINDOWS = [5, 10, 30, 60, 120, 300]; // seconds
const HEAD = 26; // height of the column heads
const NOW_AT = 0.74; // where in the plot "now" stands; to its right is what is promised
const ROWS = [38, 30, 24, 20, 17]; // heights: those that fit the screen are tried from the largest

const view = {
  windowMs: 30_000, // from the plot's left edge to now
  order: [], // the lanes shown, newest first
  selected: null,
  overview: false,
  density: "large", rowHeight: ROWS[0],
  scroll: 0, // read once a picture: the browser lays the page out to answer
  width: 0, height: 0, plotLeft: 0, plotWidth: 0, // of the stage, in CSS pixels
  fateShown: true, // there is room for the last column
  dirty: true, drawnAt: -Infinity, drawnTime: 0,
};

const board = $("board"), stage = $("stage"), plot = $("plot");
let pen = plot.getContext("2d");

/** Chooses and orders the lanes. For a reader further down, the lanes stay where they were. */
function arrange() {
  const top = board.scrollTop, anchorIndex = Math.floor(top / view.rowHeight);
  const anchor = top > 0 ? view.order[anchorIndex] : null;
  const offset = top - anchorIndex * view.rowHeight;

  view.order = Array.from(lanes.values()).filter((lane) => lane.matches).sort((a, b) => b.conn - a.conn);
  chooseDensity();
  $("spacer").style.height = `${view.order.length * view.rowHeight}px`;

  const at = anchor ? view.order.indexOf(anchor) : -1;
  if (at >= 0 && at !== anchorIndex) board.scrollTop = at * view.rowHeight + offset;
  view.dirty = true;
}

/** The largest rows with which every lane is on the screen; if there is none, small ones that scroll. */
function chooseDensity() {
  const room = view.height - HEAD, count = view.order.length;
  if (view.overview) {
    view.density = "overview";
    view.rowHeight = Math.max(3, Math.min(12, Math.floor(room / Math.max(1, count))));
  } else {
    view.rowHeight = ROWS.find((height) => count * height <= room) ?? ROWS.at(-1);
    view.density = view.rowHeight >= 38 ? "large" : view.rowHeight >= 24 ? "medium" : "small";
  }
  stage.style.setProperty("--row", `${view.rowHeight}px`);
  if (stage.dataset.density === view.density) return;
  stage.dataset.density = view.density;
  findPlot();
}

function measure() {
  view.width = board.clientWidth;
  view.height = board.clientHeight;
  stage.style.height = `${view.height}px`;
  // The spacer makes up the rest of the scroll height: the stage itself is as high as the board.
  stage.style.marginBottom = `${HEAD - view.height}px`;
  findPlot();
  plot.width = Math.round(view.width * devicePixelRatio);
  plot.height = Math.round(view.height * devicePixelRatio);
  arrange();
}

/** The plot is the column that the style sheet leaves to it. */
function findPlot() {
  const head = document.querySelector("#heads .plot");
  Object.assign(view, { plotLeft: head.offsetLeft, plotWidth: head.offsetWidth, fateShown: head.nextElementSibling.offsetWidth > 20 });
}

function visibleRange() {
  const first = Math.max(0, Math.floor(view.scroll / view.rowHeight));
  const last = Math.min(view.order.length, Math.ceil((view.scroll + view.height - HEAD) / view.rowHeight));
  return { first, last };
}

const rowTop = (index) => HEAD + index * view.rowHeight - view.scroll;

// ── Rows: the words beside the plot ──────────────────────────────────────────────────────────
// Only the lanes in sight have a row, and a row is touched only where its text changes.

const rows = new Map(); // conn → row
const spareRows = [];

function newRow() {
  const element = document.createElement("div");
  element.className = "lane";
  element.setAttribute("role", "option");
  const cells = {};
  for (const name of ["id", "peer", "tcp", "count", "plot", "fate"]) {
    cells[name] = element.appendChild(document.createElement("span"));
    cells[name].className = name;
  }
  stage.insertBefore(element, plot);
  return { element, cells, shown: {} };
}

function placeRows() {
  const { first, last } = visibleRange();
  const wanted = view.density === "overview" ? [] : view.order.slice(first, last);
  const keep = new Set(wanted.map((lane) => lane.conn));
  for (const [conn, row] of rows) {
    if (keep.has(conn)) continue;
    rows.delete(conn);
    row.element.hidden = true;
    spareRows.push(row);
  }
  wanted.forEach((lane, i) => {
    let row = rows.get(lane.conn);
    if (!row) {
      row = spareRows.pop() ?? newRow();
      row.element.hidden = false;
      row.element.dataset.conn = lane.conn;
      row.element.id = `lane-${lane.conn}`;
      rows.set(lane.conn, row);
      fillRow(row, lane);
    }
    const y = rowTop(first + i);
    if (row.y !== y) row.element.style.transform = `translateY(${(row.y = y)}px)`;
  });
}

function fillRow(row, lane) {
  const tcp = tcpState(lane);
  show(row, "id", `#${lane.conn}`);
  show(row, "peer", lane.conn === you ? say("you") : lane.viewer ? say("viewer") : lane.peer);
  show(row, "tcp", tcp.inferred ? `≈${tcp.state}` : tcp.state);
  show(row, "count", `×${lane.requests}`);
  show(row, "fate", fate(lane));
  flag(row, "inferred", tcp.inferred, row.cells.tcp);
  flag(row, "closed", Boolean(lane.closed));
  flag(row, "race", Boolean(lane.race));
  flag(row, "console", isOwn(lane));
  flag(row, "by", lane.closed?.by ?? false);
  const selected = String(lane.conn === view.selected);
  if (row.shown.selected !== selected) row.element.setAttribute("aria-selected", (row.shown.selected = selected));
}

function show(row, cell, text) {
  if (row.shown[cell] !== text) row.cells[cell].textContent = row.shown[cell] = text;
}

function flag(row, name, value, element = row.element) {
  if (row.shown[`@${name}`] === value) return;
  row.shown[`@${name}`] = value;
  if (value === false) delete element.dataset[name];
  else element.dataset[name] = value === true ? "" : value;
}

/** A lane of the console itself: a viewer, or one that asked for nothing but `/-/`. */
const isOwn = (lane) => lane.conn === you || lane.viewer || (lane.console && lane.requests > 0);

/** The state of the server's socket: the kernel's word, or what the order of the FINs implies. */
function tcpState(lane) {
  if (lane.closed) {
    // RFC 9293 §3.6: the side that sends the first FIN keeps TIME-WAIT.
    const waits = lane.closed.how === "fin" && lane.closed.first_fin === "server";
    return { state: waits ? "TIME_WAIT" : "CLOSED", inferred: true };
  }
  if (lane.closing && lane.tcp?.state === "ESTABLISHED") return { state: "FIN_WAIT2", inferred: true };
  if (lane.tcp) return { state: lane.tcp.state, inferred: false };
  return { state: lane.closing ? "FIN_WAIT2" : "ESTABLISHED", inferred: true };
}

const GLYPH = { client: "▶", server: "◀", network: "✕", unknown: "?" };
const how = (closed) => (closed.how === "reset" ? "RST" : closed.how === "fin" ? "FIN" : "");

/** What comes next on a lane, or which side ended it. */
function fate(lane) {
  const now = clock.now();
  if (lane.race) return say("fateRace", span(lane.race.late_ms), (lane.closed ?? lane.closing)?.reason ?? "");
  if (lane.closed) {
    const { by, reason } = lane.closed;
    return by === "unknown" ? say("fateUnseen") : `${GLYPH[by]} ${how(lane.closed)} ${reason}`;
  }
  if (lane.closing) return say("fateLingering", lane.closing.reason);
  if (lane.conn === you) return say("you");
  if (lane.viewer) return say("viewer");
  if (lane.deadline && now < lane.deadline.closes) {
    const { promised, closes } = lane.deadline;
    return now < promised ? say("fatePromise", span(promised - now, true), span(closes - now, true))
      : say("fateGrace", span(closes - now, true));
  }
  const last = lane.marks.at(-1);
  if (last && last.to === null) return say("fateWorking", `${last.method} ${last.target}`, span(now - last.from, true));
  if (lane.requests) return lane.state === "idle" ? say("fateIdle") : say("fateBusy");
  const left = policy ? lane.opened + policy.head_timeout_ms - now : 0;
  return left > 0 ? say("fateOpenedBy", span(left, true)) : say("fateOpened");
}
