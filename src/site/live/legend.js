// ── Empty state, legend, manual ──────────────────────────────────────────────────────────────

/** Command lines that make each kind of lane; quoted for a shell. */
function recipes() {
  const { origin, hostname, port, host } = location;
  const bare = hostname.replace(/^\[|\]$/g, "");
  return {
    tryLong: `curl -s -o /dev/null -o /dev/null ${origin}/ ${origin}/`,
    tryShort: `curl -s -o /dev/null -H 'Connection: close' ${origin}/`,
    tryOld: `curl -s -o /dev/null --http1.0 ${origin}/`,
    tryIdle: `(printf 'GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n'; sleep 90) | nc ${bare} ${port || 80} > /dev/null`,
    tryRace: `curl -s '${origin}/-/lab/close?when=reuse' ${origin}/`,
  };
}

function showRecipes() {
  $("recipes").replaceChildren(...Object.entries(recipes()).flatMap(([key, line]) => {
    const code = element("code", { textContent: line }), button = element("button", { textContent: say("copy") });
    button.onclick = () => copy(code, button);
    return [element("dt", { textContent: say(key) }), element("dd", {}, code, button)];
  }));
}

/** Without a secure context there is no clipboard API; then the line is at least selected and copied the old way. */
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = say("copied");
  setTimeout(() => { button.textContent = say("copy"); }, 1500);
}

function showEmpty() {
  let others = false;
  for (const lane of lanes.values()) others ||= !isOwn(lane);
  $("empty").hidden = others || !link.up || filter !== "";
}

// Each sample is drawn by the code that draws the lanes.
const SAMPLES = {
  legendFirst: (frame) => drawBlock({ n: 1, to: 1, status: 200 }, true, 6, 26, frame),
  legendReused: (frame) => { for (const x of [3, 14, 25]) drawBlock({ n: 2, to: 1, status: 200 }, false, x, x + 6, frame); },
  legendError: (frame) => drawBlock({ n: 2, to: 1, status: 404 }, false, 8, 24, frame),
  legendWait: () => { pen.fillStyle = hatch; pen.fillRect(1, 4, 32, 8); },
  legendPromise: (frame) => drawDeadline({ promised: 12, closes: 28 }, frame, { x: (t) => t, now: 0, nowX: 0, right: 34 }),
  legendLinger: (frame) => drawLinger({ closing: { t: 4, by: "server" }, closed: { t: 30 } }, frame, { x: (t) => t, left: 0, nowX: 34 }),
  legendClient: (frame) => drawStop(20, SIDE.client, false, frame, ink.client),
  legendServer: (frame) => drawStop(12, SIDE.server, false, frame, ink.server),
  legendReset: (frame) => drawStop(12, SIDE.server, true, frame, ink.server),
  legendRace: (frame) => drawRace(17, frame),
};

function drawLegend() {
  const { density } = view;
  view.density = "large"; // the samples look as in a large lane, whatever the lanes are now
  $("legend").replaceChildren(...Object.entries(SAMPLES).map(([key, sample]) => {
    const canvas = element("canvas", { width: 34 * devicePixelRatio, height: 16 * devicePixelRatio });
    pen = canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    for (const p of [hatch, grace]) p.setTransform(new DOMMatrix().scale(1 / p.scale));
    sample({ mid: 8, bar: 14, block: 4 });
    return element("span", { className: key === "legendFirst" || key === "legendRace" || key === "legendReused" ? "" : "minor" }, canvas, say(key));
  }), element("span", { id: "notice" }));
  pen = plot.getContext("2d");
  view.density = density;
}

const KEYS = [
  ["Space", "keyPause"], ["/", "keyFilter"], ["j k ↓ ↑", "keyMove"], ["Esc", "keyEscape"], ["+ −", "keyZoom"],
  ["o", "keyOverview"], ["g", "keyTop"], ["t", "keyTheme"], ["l", "keyLanguage"], ["?", "keyHelp"],
];

function showManual() {
  $("keys").replaceChildren(...KEYS.flatMap(([keys, what]) => [
    element("span", {}, ...keys.split(" ").flatMap((key) => [element("kbd", { textContent: key }), " "])),
    element("span", { textContent: say(what) }),
  ]));
  const reading = ["readLane", "readWait", "readCap", "readRace", "readTcp", "readOwn"];
  $("reading").replaceChildren(...reading.map((key) => element("li", { textContent: say(key) })));
}
