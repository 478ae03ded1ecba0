// ── The clockwork ────────────────────────────────────────────────────────────────────────────

const SLOW_MS = 250; // words, lists and numbers
const FRAME_MS = 30; // at most one picture in this time, unless the axis has moved by a pixel

/** A picture whenever something changed or the axis has moved by a pixel; a still page costs nothing. */
function frame(now) {
  const time = calm.matches ? Math.floor(clock.now() / 1000) * 1000 : clock.now();
  const moved = Math.abs(time - view.drawnTime) * ((view.plotWidth * NOW_AT) / view.windowMs);
  if (moved >= 1 ? now - view.drawnAt >= 12 : view.dirty && now - view.drawnAt >= FRAME_MS) {
    Object.assign(view, { dirty: false, drawnAt: now, drawnTime: time, scroll: board.scrollTop });
    placeRows();
    draw(time);
  }
  requestAnimationFrame(frame);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function slowTick() {
  prune();
  watchLink();
  showLink();
  showNotice();
  if (document.hidden) return;
  arrange();
  showNumbers();
  showEmpty();
  for (const [conn, row] of rows) if (lanes.has(conn)) fillRow(row, lanes.get(conn));
  showSide();
}

/** For tests and curious people: the model as it stands, read only. */
window.holdline = Object.freeze({
  get lanes() {
    return new Map(Array.from(lanes.values(), (lane) => [lane.conn, {
      state: lane.state, peer: lane.peer, requests: lane.requests, viewer: lane.viewer,
      closed: lane.closed && { by: lane.closed.by, how: lane.closed.how, reason: lane.closed.reason, announced: lane.closed.announced },
      race: lane.race && { late_ms: lane.race.late_ms },
    }]));
  },
  get totals() { return structuredClone(totals); },
  get link() { return linkState()[0]; },
  get shown() { return view.order.map((lane) => lane.conn); },
});

function start() {
  view.windowMs = WINDOWS.includes(Number(memory.get("window"))) ? Number(memory.get("window")) * 1000 : view.windowMs;
  view.overview = memory.get("overview") === "true";
  $("where").textContent = location.host;
  setTheme(memory.get("theme"));
  translate();
  listen();
  measure();
  connect();
  setInterval(slowTick, SLOW_MS);
  setInterval(poll, 1000);
  requestAnimationFrame(frame);
}

start();
