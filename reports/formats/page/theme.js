"use strict";
/* Light or dark: as the system has it, or as the reader chose. */

function keep(theme) {
  try { localStorage.setItem("theme", theme); } catch { /* a page from disk may not be allowed to */ }
}

function kept() {
  try { return localStorage.getItem("theme") ?? "auto"; } catch { return "auto"; }
}

/* Set the chosen theme, and tell ``redraw`` whenever it changes. */
function followTheme(redraw) {
  const select = document.getElementById("theme");
  select.value = kept();
  document.documentElement.dataset.theme = select.value;
  select.addEventListener("change", () => {
    document.documentElement.dataset.theme = select.value;
    keep(select.value);
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
