// ── The ladder of the selected connection ────────────────────────────────────────────────────
// First the story as a list of steps, then the steps as a picture.

const LADDER_MARKS = 60;

/** Steps: { arrow: "right" | "left", label, note, t, inferred, tone, client, server }, { gap }, { box, side, tone }. */
function storyOf(lane) {
  const steps = [];
  const arrow = (direction, label, more = {}) => steps.push({ arrow: direction, label, ...more });
  const sent = { inferred: true };
  // The three packets that open a connection (RFC 9293 §3.5) are over when accept returns.
  steps.push({ gap: say("handshake"), quiet: true });
  arrow("right", "SYN seq=j", { ...sent, client: "SYN_SENT" });
  arrow("left", "SYN+ACK seq=k ack=j+1", { ...sent, server: "SYN_RECV" });
  arrow("right", "ACK ack=k+1", { ...sent, t: lane.opened, note: say("acceptStep"), client: "ESTABLISHED", server: "ESTABLISHED" });

  const marks = lane.marks.slice(-LADDER_MARKS);
  const earlier = (marks[0]?.n ?? lane.requests + 1) - 1;
  if (earlier > 0) steps.push({ gap: say("earlier", number(earlier)) });
  let before = earlier > 0 ? null : lane.opened; // when the wait before the next request began
  for (const mark of marks) {
    if (before !== null && mark.from - before >= 1) steps.push({ gap: say("waitStep", span(mark.from - before)), quiet: true });
    tellExchange(steps, arrow, mark, lane);
    before = mark.to;
  }
  tellEnd(steps, arrow, lane, before);
  return steps;
}

function tellExchange(steps, arrow, mark, lane) {
  if (mark.count > 1) {
    steps.push({ gap: say("runStep", number(mark.count), span(mark.to - mark.from)), t: mark.from });
    return;
  }
  const tone = mark.n === 1 ? ink.first : ink.reused;
  const request = mark.method ? `${mark.method} ${mark.target}` : say("unseenRequest");
  arrow("right", request, { t: mark.from, tone, note: `${say("requestStep", mark.n)} ${mark.version}` });
  if (mark.status) {
    arrow("left", `${mark.status}`, { t: mark.to, tone, note: `${bytes(mark.length ?? 0)} · ${span(mark.took_ms)}` });
    steps.push({ box: `${say(mark.keep ? "keepStep" : "closeStep")}: ${decision(mark)}`, tone: mark.keep ? ink.server : ink.race });
  } else if (mark.cut) {
    steps.push({ box: say("cutStep"), tone: ink.race });
  } else if (mark.to === null) {
    steps.push({ gap: say(lane.viewer ? "streamStep" : "workingStep") });
  }
}

function tellEnd(steps, arrow, lane, before) {
  const { closing, closed, race, deadline } = lane;
  const end = closing?.t ?? closed?.t;
  if (deadline) {
    const promise = policy.keep_alive_timeout_ms;
    steps.push({ gap: say("waitingStep", span(promise, true), span(promise + policy.keep_alive_grace_ms, true)) });
  }
  if (end === undefined) return;
  if (before !== null && end - before >= 1) steps.push({ gap: say(lane.requests ? "waitStep" : "silentStep", span(end - before)), quiet: true });

  const reset = closed?.how === "reset", sent = { inferred: true };
  if (closing) { // our FIN went first: the active close (RFC 9293 §3.6)
    const tone = ink.server;
    arrow("left", "FIN", { t: closing.t, tone, note: `${say("activeClose")} · ${closing.reason}`, server: "FIN_WAIT1" });
    arrow("right", "ACK", { ...sent, client: "CLOSE_WAIT", server: "FIN_WAIT2" });
  }
  if (race) arrow("right", say("raceStep", span(race.late_ms)), { t: race.t, tone: ink.race });
  if (!closed) return;
  if (reset) {
    // After our FIN only the client has a reason left to reset.
    const direction = closed.by === "client" || closing ? "right" : "left";
    arrow(direction, "RST", { t: closed.t, tone: ink.race, note: closed.reason, client: "CLOSED", server: "CLOSED", cross: true });
  } else if (closing) {
    arrow("right", "FIN", { t: closed.t, client: "LAST_ACK", note: say("passiveClose") });
    arrow("left", "ACK", { ...sent, client: "CLOSED", server: "TIME_WAIT" });
  } else if (closed.first_fin === "client") {
    arrow("right", "FIN", { t: closed.t, tone: ink.client, note: `${say("activeClose")} · ${closed.reason}`, client: "FIN_WAIT1" });
    arrow("left", "ACK", { ...sent, client: "FIN_WAIT2", server: "CLOSE_WAIT" });
    arrow("left", "FIN", { t: closed.t, server: "LAST_ACK", note: say("passiveClose") });
    arrow("right", "ACK", { ...sent, client: "TIME_WAIT", server: "CLOSED" });
  } else if (closed.first_fin === "server") {
    arrow("left", "FIN", { t: closed.t, tone: ink.server, note: `${say("activeClose")} · ${closed.reason}`, server: "FIN_WAIT1" });
  } else if (closed.by === "network") {
    steps.push({ box: say("brokenStep"), tone: ink.race });
  }
}

const RUNG = 38, GAP = 30, BOX = 30;
const CLIENT_X = 118, SERVER_MARGIN = 92; // of the two lifelines, from the left and the right edge

function drawLadder(lane) {
  const box = $("ladder"), width = Math.max(360, box.clientWidth);
  const follow = box.scrollTop + box.clientHeight >= box.scrollHeight - 20;
  const serverX = width - SERVER_MARGIN, middle = (CLIENT_X + serverX) / 2;
  const picture = svg("svg", { width, role: "img" });
  let y = 6;
  const add = (...parts) => picture.append(...parts);
  const lifelines = svg("g");
  add(lifelines);
  for (const step of storyOf(lane)) {
    const from = y;
    if (step.arrow) y = drawRung(add, step, y, serverX, middle, lane);
    else if (step.box) y = drawBox(add, step, y, serverX);
    else {
      add(svgText(middle, y + GAP / 2 + 4, step.gap, "middle", "dim label"));
      y += GAP;
    }
    const waiting = step.gap && !step.quiet ? "waiting" : "lifeline";
    for (const x of [CLIENT_X, serverX]) lifelines.append(svg("line", { x1: x, x2: x, y1: from, y2: y, class: waiting }));
  }
  picture.setAttribute("height", y + 16);
  box.replaceChildren(picture);
  if (follow) box.scrollTop = box.scrollHeight;
}

/** A packet's arrow slopes down: it takes time to travel. */
function drawRung(add, step, y, serverX, middle, lane) {
  const right = step.arrow === "right", top = y + 16, low = y + RUNG - 8;
  const x1 = right ? CLIENT_X : serverX, x2 = right ? serverX : CLIENT_X, turn = right ? -1 : 1;
  const group = svg("g", { class: step.inferred ? "inferred" : "" });
  if (step.tone) group.style.setProperty("--tone", step.tone);
  group.append(svg("line", { x1, y1: top, x2, y2: low, class: "arrow" }));
  if (step.cross) group.append(svg("path", { d: `M${x2 - 6} ${low - 6}l12 12m0-12l-12 12`, class: "arrow" }));
  else group.append(svg("path", { d: `M${x2} ${low}l${turn * 9} -5.5v9z`, class: "tip" }));
  const room = Math.floor((serverX - CLIENT_X - 20) / 7);
  const note = step.note ?? "", label = step.label;
  const shown = label.length <= room ? label : `${label.slice(0, room - 1)}…`;
  const caption = svgText(middle, y + 12, shown, "middle", `label${step.tone ? " toned" : ""}`);
  caption.append(svg("title", {}, label));
  group.append(caption);
  if (note) group.append(svgText(middle, y + RUNG + 2, note, "middle", "dim label"));
  if (step.t !== undefined) {
    const since = step.t === lane.opened ? "0" : span(Math.max(0, step.t - lane.opened));
    group.append(svgText(8, (right ? top : low) + 4, `+${since}`, "start", "dim"));
  }
  if (step.client) group.append(svgText(CLIENT_X - 8, (right ? top : low) + (step.t === undefined ? 4 : 17), step.client, "end", "dim"));
  if (step.server) group.append(svgText(serverX + 8, (right ? low : top) + 4, step.server, "start", "dim"));
  add(group);
  return y + RUNG + (note ? 10 : 0);
}

/** What `decide` decided, at the server's side. */
function drawBox(add, { box, tone }, y, serverX) {
  const group = svg("g");
  // A long sentence may cover the other lifeline.
  const width = Math.min(serverX - 20, textWidth(box) + 18), x = serverX - 10 - width;
  group.style.setProperty("--tone", tone);
  const frame = svg("rect", { x, y: y + 4, width, height: 21, rx: 4 });
  frame.style.stroke = tone;
  const room = Math.floor((width - 14) / (textWidth(box) / box.length));
  const words = svgText(x + 9, y + 18.5, box.length <= room + 1 ? box : `${box.slice(0, room - 1)}…`, "start", "toned");
  words.append(svg("title", {}, box));
  group.append(frame, words);
  add(group);
  return y + BOX;
}

function textWidth(words) {
  pen.font = `600 11.5px ${MONO}`;
  return pen.measureText(words).width;
}

function svg(tag, attributes = {}, content = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = content;
  return made;
}

const svgText = (x, y, content, anchor, kind) => svg("text", { x, y, "text-anchor": anchor, class: kind }, content);

let told = ""; // what the side panel shows, to redraw it only when that changes

function showSide() {
  const lane = lanes.get(view.selected);
  if (!lane) return;
  const now = clock.now(), { closed } = lane, tcp = tcpState(lane);
  const verdict = $("verdict");
  verdict.textContent = verdictOn(lane, now);
  verdict.toggleAttribute("data-race", Boolean(lane.race));
  if (closed) verdict.dataset.by = closed.by;
  else delete verdict.dataset.by;
  const sent = closed?.bytes_sent ?? lane.sent, received = closed?.bytes_received ?? lane.received;
  const facts = {
    stateLabel: lane.state,
    TCP: `${tcp.state}${tcp.inferred ? ` (${say("inferred")})` : ""}`,
    requestsLabel: number(lane.requests),
    ageLabel: span((closed?.t ?? now) - lane.opened, !closed),
    rttLabel: lane.tcp ? span(lane.tcp.rtt_us / 1000) : "–",
    unackedLabel: lane.tcp && !closed ? lane.tcp.unacked : "–",
    retransmitsLabel: lane.tcp ? lane.tcp.retransmits : "–",
    bytesLabel: sent === undefined ? "–" : `${bytes(received)} / ${bytes(sent)}`,
  };
  $("facts").replaceChildren(...Object.entries(facts).map(([key, value]) => element("div", {},
    element("dt", { textContent: key === "TCP" ? key : say(key) }), element("dd", { textContent: value, title: value }))));
  const last = lane.marks.at(-1);
  const story = [lane.conn, lane.marks.length, last?.n, last?.to, lane.deadline?.closes, lane.closing?.t, lane.race?.t, closed?.t,
    lane.viewer, language, $("ladder").clientWidth, ink.text].join();
  if (story !== told) {
    told = story;
    drawLadder(lane);
  }
}

/** One line: how it ended, or how long it has lived. */
function verdictOn({ race, closed, opened }, now) {
  if (race) return say("verdictRace", span(race.late_ms));
  if (!closed) return say("verdictOpen", span(now - opened, true));
  const parts = [say(`verdictBy_${closed.by}`), how(closed), closed.reason && sentence(closed.reason), announcement(closed)];
  return parts.filter(Boolean).join(" · ");
}

/** Whether a `Connection: close` went before: a question only to a close of ours. */
const announcement = ({ by, announced }) => (by === "server" ? say(announced ? "announcedYes" : "announcedNo") : "");

function select(conn) {
  const changed = (conn === null) !== (view.selected === null);
  view.selected = conn;
  const lane = lanes.get(conn);
  $("side").hidden = !lane;
  if (lane) {
    $("side-title").textContent = `#${lane.conn}`;
    $("side-peer").textContent = lane.peer;
    board.setAttribute("aria-activedescendant", `lane-${conn}`);
    fetchStatusSoon(lane);
  } else {
    board.removeAttribute("aria-activedescendant");
  }
  if (changed) measure();
  told = "";
  showSide();
  for (const [id, row] of rows) if (lanes.has(id)) fillRow(row, lanes.get(id));
  view.dirty = true;
}

function fetchStatusSoon(lane) {
  if (link.up && !held && !lane.closed) fetchStatus();
}

function moveSelection(by) {
  const at = view.order.findIndex((lane) => lane.conn === view.selected);
  const next = view.order[at < 0 ? visibleRange().first : Math.max(0, Math.min(view.order.length - 1, at + by))];
  if (!next) return;
  select(next.conn);
  const y = rowTop(view.order.indexOf(next));
  if (y < HEAD) board.scrollTop += y - HEAD;
  if (y + view.rowHeight > view.height) board.scrollTop += y + view.rowHeight - view.height;
}

// ── The lane or mark under the pointer ───────────────────────────────────────────────────────

function laneAt(event) {
  const y = event.clientY - stage.getBoundingClientRect().top;
  return y < HEAD ? undefined : view.order[Math.floor((y - HEAD + view.scroll) / view.rowHeight)];
}

function showHint(event) {
  const lane = laneAt(event), hint = $("hint");
  const words = lane && !$("empty").contains(event.target) ? hintOf(lane, event.clientX - stage.getBoundingClientRect().left) : "";
  hint.hidden = !words;
  if (!words) return;
  hint.textContent = words;
  const { offsetWidth: w, offsetHeight: h } = hint;
  hint.style.left = `${Math.min(event.clientX + 14, innerWidth - w - 8)}px`;
  hint.style.top = `${event.clientY + 18 + h > innerHeight ? event.clientY - h - 10 : event.clientY + 18}px`;
}

/** What stands at `x` of a lane, in lines. */
function hintOf(lane, x) {
  const { plotLeft, plotWidth, windowMs, drawnTime } = view;
  const nowX = plotLeft + plotWidth * NOW_AT, scale = windowMs / (plotWidth * NOW_AT);
  const name = `#${lane.conn} ${lane.peer} ${lane.conn === you ? say("you") : ""}`.trim();
  const lines = (...parts) => [name, ...parts].filter(Boolean).join("\n");
  if (x < plotLeft || x > plotLeft + plotWidth) return "";
  const t = drawnTime + (x - nowX) * scale, reach = 5 * scale; // a block of no width can still be pointed at
  if (lane.closed && t > lane.closed.t - reach) return lines(fate(lane), sentence(lane.closed.reason), announcement(lane.closed));
  const mark = lane.marks.findLast((m) => m.from - reach <= t);
  if (!mark || x > nowX + 4) return lines(fate(lane));
  if (mark.count > 1) return lines(say("runStep", number(mark.count), span(mark.to - mark.from)));
  if (t > (mark.to ?? Infinity) + reach) return lines(say("waitStep", span((mark.until ?? clock.now()) - mark.to)), hintOfPromise(mark));
  const request = `${say("requestStep", mark.n)}: ${mark.method ?? ""} ${mark.target}`;
  if (!mark.status) return lines(request);
  const waited = mark.idle_ms && say("waitedBefore", span(mark.idle_ms));
  return lines(request, `→ ${mark.status} · ${span(mark.took_ms)} · ${bytes(mark.length ?? 0)}`, waited,
    `${say(mark.keep ? "keepStep" : "closeStep")}: ${decision(mark)}`);
}

const hintOfPromise = ({ promised_ms, closes_ms }) => (promised_ms ? say("fatePromise", span(promised_ms, true), span(closes_ms, true)) : "");
