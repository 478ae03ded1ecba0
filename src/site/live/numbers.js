// ── The numbers above ────────────────────────────────────────────────────────────────────────

function put(id, text, value) {
  $(id).textContent = text;
  $(id).dataset.value = value;
}

function showNumbers() {
  if (!totals) return;
  const { accepted, open, idle, requests, reused, races } = totals;
  for (const [id, n] of Object.entries({ open, idle, races, accepted })) put(id, number(n), n);
  const series = rate.series(), now = series.at(-1) ?? 0;
  put("rps", now >= 100 ? number(Math.round(now)) : now.toFixed(1), now);
  const share = requests ? reused / requests : 0;
  put("reuse", requests ? `${(share * 100).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %` : "–", share);
  $("share-first").style.flex = String(requests ? 1 - share : 0);
  $("share-reused").style.flex = String(share);
  $("balance").textContent = say("balance", number(accepted), number(open), number(accepted - open));
  $("sent").textContent = say("sent", bytes(totals.bytes_sent));
  $("races-tile").toggleAttribute("data-raced", races > 0);
  document.title = `${open} · holdline`;
  drawSpark(series);
  showCloses();
}

function drawSpark(series) {
  const spark = $("spark"), p = spark.getContext("2d"), step = spark.width / 60;
  const top = Math.max(1, ...series);
  p.clearRect(0, 0, spark.width, spark.height);
  p.fillStyle = ink.reused;
  series.forEach((value, i) => {
    const height = Math.max(value > 0 ? 2 : 0, (value / top) * spark.height);
    p.fillRect(spark.width - (series.length - i) * step, spark.height - height, step - 1, height);
  });
}

/** Closes by reason, most frequent first. A click filters by the reason. */
function showCloses() {
  const counts = Object.entries(totals.closed)
    .flatMap(([by, reasons]) => Object.entries(reasons).map(([reason, n]) => ({ by, reason, n })))
    .filter(({ n }) => n > 0)
    .sort((a, b) => b.n - a.n);
  const bars = $("bars"), most = counts[0]?.n ?? 1;
  const drawn = JSON.stringify([language, counts]);
  if (bars.drawn === drawn) return;
  bars.drawn = drawn;
  bars.replaceChildren(...counts.map(({ by, reason, n }) => {
    const bar = element("i", { className: "bar" });
    bar.style.width = `${(n / most) * 100}%`;
    const button = element("button", { title: `${say(`verdictBy_${by}`)}: ${sentence(reason)}` },
      element("span", { className: "glyph", textContent: GLYPH[by] }), element("span", { className: "name", textContent: reason }),
      bar, element("span", { textContent: number(n) }));
    Object.assign(button.dataset, { by, reason, value: n });
    button.onclick = () => writeFilter(filter === reason ? "" : reason);
    return button;
  }));
  if (!counts.length) bars.append(element("small", { textContent: say("noCloses") }));
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// ── The link's state and notices ─────────────────────────────────────────────────────────────

function linkState() {
  const now = performance.now(), down = now - link.since;
  if (link.full) return ["full", say("linkFull")];
  if (!link.up && clock.offset === null && down < 4000) return ["connecting", say("linkConnecting")];
  if (!link.up) return down < 4000 ? ["lost", say("linkLost")] : ["stopped", say("linkStopped", span(down, true))];
  if (held) return ["paused", say("linkPaused", number(held.length))];
  if (now - link.heard > QUIET_MS) return ["quiet", say("linkQuiet", span(now - link.heard, true))];
  return link.draining ? ["live", say("linkDraining")] : ["live", say("linkLive")];
}

function showLink() {
  const [state, text] = linkState();
  $("link").dataset.link = state;
  if ($("link").textContent !== text) $("link").textContent = text;
}

const NOTICE_MS = 6000;
let noticeUntil = 0;

function markNotice() { noticeUntil = performance.now() + NOTICE_MS; }

function showNotice() {
  if (performance.now() > noticeUntil) leftOut = missed = 0;
  let open = 0;
  for (const lane of lanes.values()) if (!lane.closed) open++;
  const undrawn = lanes.size >= MAX_LANES && totals ? totals.open - open : 0;
  const text = [
    leftOut && say("noticeSampled", number(leftOut)),
    missed && say("noticeMissed", number(missed)),
    undrawn > 0 && say("noticeHidden", number(undrawn)),
  ].filter(Boolean).join(" · ");
  if ($("notice").textContent !== text) $("notice").textContent = text;
}
