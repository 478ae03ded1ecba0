// ── Text: the words in the reader's language ─────────────────────────────────────────────────
const memory = {
  get(key) { try { return localStorage.getItem("holdline." + key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem("holdline." + key, value); } catch { /* storage is refused: forget */ } },
};

let language = memory.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

const column = () => (language === "zh" ? 1 : 0);
const fill = (text, parts) => text.replace(/\{(\d)\}/g, (_, i) => parts[i]);
const say = (key, ...parts) => fill(WORDS[key][column()], parts);
const sentence = (reason) => REASONS[reason]?.[column()] ?? reason;

/** Why a connection was kept or closed after a response. */
function decision(mark) {
  if (mark.reason && REASONS[mark.reason]) return sentence(mark.reason);
  return language === "zh" ? KEEPS[mark.why] ?? mark.why : mark.why;
}

/** A duration as people read it; `coarse` for countdowns, which would flicker otherwise. */
function span(ms, coarse = false) {
  if (coarse) return ms < 9950 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 120) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bytes(n) {
  if (n < 1000) return `${n} B`;
  const power = Math.min(4, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

const number = (n) => n.toLocaleString(language);
