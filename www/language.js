// Chooses the page's language. Both texts stand in the HTML; style.css hides the one that the
// root element's `lang` does not name. Runs before the first paint, so nothing flashes.
"use strict";

const LANGUAGES = ["en", "zh-Hans"];
const STORED_AS = "holdline.language";

/** Show the page in `language`, and tell the scripts that draw text. */
function setLanguage(language) {
  document.documentElement.lang = language;
  document.dispatchEvent(new Event("languagechosen"));
}

/** What the reader chose before, else what the browser prefers. */
function preferredLanguage() {
  const stored = recall();
  if (LANGUAGES.includes(stored)) return stored;
  return /^zh\b/i.test(navigator.language) ? "zh-Hans" : "en";
}

// A browser may forbid storage to a page; the choice then lasts as long as the page.
function recall() {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}

function remember(language) {
  try {
    localStorage.setItem(STORED_AS, language);
  } catch {
    // The choice then ends with the page.
  }
}

document.documentElement.classList.add("scripted");
setLanguage(preferredLanguage());

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-language]");
  if (!button) return;
  const language = button.dataset.language;
  remember(language);
  setLanguage(language);
  // The button that was pressed is hidden now: the focus goes to the one in its place.
  document.querySelector(`[data-language]:not([data-language="${language}"])`).focus();
});
