// What every experiment's page needs: words in two languages, elements, and a notice when the console is closed.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Makes a function that gives the words of the page's language. */
export const wordsOf = (table) => () => table[document.documentElement.lang];

/** Calls `draw` now, and again when the reader changes the language or the width. */
export function redrawn(draw) {
  document.addEventListener("languagechosen", draw);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width === innerWidth) return; // a phone's address bar changes only the height
    width = innerWidth;
    draw();
  });
  draw();
}

/** An SVG element. Children that are strings become text, never markup. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** An HTML element, likewise. */
export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Puts a drawing of this height into `holder`, as wide as that is. `paint(width)` gives its parts. */
export function draw(holder, height, paint) {
  const width = Math.max(280, holder.clientWidth);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, ...paint(width));
  holder.replaceChildren(picture);
}

/** Milliseconds as people read them. */
export function span(ms) {
  if (ms === 0) return "0 ms";
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 9950 && ms % 1000 ? 1 : 0)} s`;
}

/** Marks at round numbers from 0 to `end`, about `count` of them. */
export function ticks(end, count = 5) {
  const rough = end / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Enables the buttons of the experiment and lets each run its act, one at a time. */
export function buttons(acts) {
  const all = Object.keys(acts).map(byId);
  for (const button of all) {
    button.disabled = false;
    button.addEventListener("click", async () => {
      for (const other of all) other.disabled = true;
      document.body.dataset.state = "running";
      byId("trouble").textContent = "";
      try {
        await acts[button.id](button);
        document.body.dataset.state = "done";
      } catch (error) {
        // Said as it is: the reader may have stopped the server to see what happens.
        byId("trouble").textContent = String(error.message ?? error);
        document.body.dataset.state = "failed";
      }
      for (const other of all) other.disabled = false;
    });
  }
}

/** Shows the notice for readers who may not open the console. */
export function sayClosed() {
  byId("closed-console").hidden = false;
  document.body.dataset.state = "closed";
}

// The commands name the address at which this page was found.
for (const command of document.querySelectorAll("pre.console")) {
  command.textContent = command.textContent.replaceAll("http://127.0.0.1:8080", location.origin).replaceAll("127.0.0.1:8080", location.host);
}
