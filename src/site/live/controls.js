// ── Controls ─────────────────────────────────────────────────────────────────────────────────

/** Puts the words of the language wherever the page names them. */
function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-say-title]")) node.title = say(node.dataset.sayTitle);
  for (const node of document.querySelectorAll("[data-say-placeholder]")) node.placeholder = say(node.dataset.sayPlaceholder);
  for (const node of document.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
  $("window").replaceChildren(...WINDOWS.map((s) => element("option",
    { value: s, textContent: s < 60 ? say("windowSeconds", s) : say("windowMinutes", s / 60) })));
  showRecipes();
  showManual();
  drawLegend();
  showControls();
  slowTick();
}

function showControls() {
  $("window").value = view.windowMs / 1000;
  $("pause").textContent = say(held ? "resume" : "pause");
  $("pause").setAttribute("aria-pressed", Boolean(held));
  $("overview").setAttribute("aria-pressed", view.overview);
  showLink();
}

function zoom(by) {
  const at = WINDOWS.indexOf(view.windowMs / 1000) + by;
  if (WINDOWS[at]) setWindow(WINDOWS[at]);
}

function setWindow(seconds) {
  view.windowMs = seconds * 1000;
  memory.set("window", seconds);
  view.dirty = true;
  showControls();
}

function setOverview(overview) {
  view.overview = overview;
  memory.set("overview", overview);
  arrange();
  showControls();
}

const dark = matchMedia("(prefers-color-scheme: dark)");

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  mixInks();
}

function toggleTheme() {
  const now = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const theme = now === "dark" ? "light" : "dark";
  memory.set("theme", theme);
  setTheme(theme);
}

function toggleLanguage() {
  language = language === "zh" ? "en" : "zh";
  memory.set("language", language);
  translate();
}

function writeFilter(text) {
  $("filter").value = text;
  setFilter(text);
}

function escape() {
  if (view.selected !== null) select(null);
  else writeFilter("");
  board.focus();
}

const onKey = {
  " ": () => setPaused(!held),
  "/": () => $("filter").focus(),
  j: () => moveSelection(1), ArrowDown: () => moveSelection(1),
  k: () => moveSelection(-1), ArrowUp: () => moveSelection(-1),
  Escape: escape,
  "+": () => zoom(-1), "=": () => zoom(-1), "-": () => zoom(1),
  o: () => setOverview(!view.overview),
  g: () => { board.scrollTop = 0; },
  t: toggleTheme,
  l: toggleLanguage,
  "?": () => $("manual").showModal(),
};

function listen() {
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select");
    const pressing = event.key === " " && event.target.matches("button"); // the button's own key
    if (event.ctrlKey || event.metaKey || event.altKey || $("manual").open || pressing || (typing && event.key !== "Escape")) return;
    const act = onKey[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  $("filter").oninput = (event) => setFilter(event.target.value);
  $("window").onchange = (event) => {
    setWindow(Number(event.target.value));
    event.target.blur(); // or it would keep the keys to itself
  };
  $("overview").onclick = () => setOverview(!view.overview);
  $("pause").onclick = () => setPaused(!held);
  $("theme").onclick = toggleTheme;
  $("language").onclick = toggleLanguage;
  $("help").onclick = () => $("manual").showModal();
  $("manual").onclick = (event) => { if (event.target === $("manual")) $("manual").close(); };
  $("side-close").onclick = () => select(null);
  stage.onclick = (event) => {
    $("hint").hidden = true;
    const lane = $("empty").contains(event.target) ? null : laneAt(event);
    if (lane) select(lane.conn === view.selected ? null : lane.conn);
  };
  stage.onpointermove = showHint;
  stage.onpointerleave = () => { $("hint").hidden = true; };
  board.onscroll = () => { view.dirty = true; };
  dark.onchange = mixInks;
  document.onvisibilitychange = () => { if (!document.hidden && link.up && !held) fetchStatus(); };
  new ResizeObserver(measure).observe(board);
}
