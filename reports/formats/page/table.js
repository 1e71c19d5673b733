/* The page's behaviour: one state, drawn again as a whole when it changes. */

const DATA = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const COSTS = {
  gmacs: "GMACs", latency_ms: "Latency (ms)", peak_memory_mb: "Peak memory (MB)", params_m: "Params (M)",
};
const SCORES = ["mAP", "R1", "R5", "R10", "R20", "mINP"];
const COLUMNS = [
  { key: "name", title: "Method" },
  ...SCORES.flatMap((score) => [
    { key: score, title: `${score} (%)`, score },
    ...(score === "mAP" || score === "R1"
      ? [{ key: `${score}_low`, title: `${score} 95 %`, ends: [`${score}_low`, `${score}_high`] }]
      : []),
    ...(score === "mAP" ? [{ key: "letters", title: "Group" }] : []),
  ]),
  { key: "params_m", title: "Params (M)" },
  { key: "gmacs", title: "GMACs" },
  { key: "latency_ms", title: "Latency (ms)", extra: "latency_iqr_ms" },
  { key: "clips_per_s", title: "Clips/s", extra: "best_batch" },
  { key: "peak_memory_mb", title: "Peak memory (MB)" },
  { key: "seeds", title: "Seeds" },
];
const UNSTEADY = "‡";
const state = { group: 0, sort: "mAP", down: true, filter: "", x: "gmacs", y: "mAP", log: false };

const groups = DATA.groups.map((group) => ({
  ...group,
  rows: group.rows.map((row) => ({
    ...row, ...Object.fromEntries(DATA.columns.map((name, i) => [name, row.values[i]])),
  })),
}));

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function number(value, digits = 4) {
  if (value === null || value === undefined) return "";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits)));
}

const percent = (value) => (value === null ? "" : (100 * value).toFixed(1));

/* ---- the table ------------------------------------------------------------------------------- */

/* Parts between commas that stand outside brackets. */
function alternatives(text) {
  return text.split(/,(?![^[]*\])/).map((part) => part.trim().toLowerCase()).filter(Boolean);
}

/* Whether a row has a word: ``family:sta``, a wildcard for its whole name, or a part of it. */
function hasWord(row, word) {
  if (word.startsWith("family:")) return row.paper === word.slice("family:".length);
  if (word.includes("*")) {
    const parts = word.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(row.name.toLowerCase());
  }
  return `${row.name} ${row.recipe} ${row.built}`.toLowerCase().includes(word);
}

/* A row is shown by any of the parts between commas; of one part it must have all words. */
function visible() {
  const asked = alternatives(state.filter).map((part) => part.split(/\s+/));
  const rows = groups[state.group].rows.filter((row) =>
    !asked.length || asked.some((words) => words.every((word) => hasWord(row, word))));
  const way = state.down ? -1 : 1;
  return rows.sort((a, b) => {
    const [left, right] = [a[state.sort], b[state.sort]];
    if (left === null || right === null) return (left === null) - (right === null);
    const order = typeof left === "string" ? left.localeCompare(right) : left - right;
    return way * order || a.name.localeCompare(b.name);
  });
}

/* Whether a column is sorted from the highest at first. */
function usualDown(key) {
  return key !== "name" && !(key in COSTS);
}

function drawHead() {
  const row = element("tr");
  for (const column of COLUMNS) {
    const button = element("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      const fresh = state.sort !== column.key;
      state.down = fresh ? usualDown(column.key) : !state.down;
      state.sort = column.key;
      drawTable(visible());  // the plot has no order
      toAddress();
    });
    const head = element("th", { scope: "col", class: column.key === "name" ? "name" : "" }, button);
    head.dataset.key = column.key;
    row.append(head);
  }
  document.querySelector("#table thead").replaceChildren(row);
}

function cell(row, column, best) {
  const made = element("td");
  if (column.ends) {
    const [low, high] = column.ends.map((end) => percent(row[end]));
    made.textContent = low && high ? `${low}–${high}` : row.tested && row[column.ends[0].split("_")[0]] !== null ? "none" : "";
  } else if (column.score) {
    const shown = percent(row[column.score]);
    const isBest = shown !== "" && shown === best[column.score];
    made.append(isBest ? element("strong", {}, shown) : shown);
    const spread = percent(row[`${column.score}_sd`]);
    if (shown && spread) made.append(element("span", { class: "spread" }, ` ± ${spread}`));
    if (row[`${column.score}_mark`] === "tie" && !isBest) {
      made.append(" ", element("abbr", { title: "not distinguishable from the best" }, "≈"));
    }
  } else {
    const value = row[column.key];
    made.textContent = typeof value === "string" ? value : number(value);
    if (made.textContent && column.extra && row[column.extra] !== null) {
      made.append(element("span", { class: "spread" }, ` (${number(row[column.extra], 2)})`));
    }
    if (column.key === "latency_ms" && row.unsteady) made.append(` ${UNSTEADY}`);
  }
  return made;
}

function drawTable(rows) {
  const all = groups[state.group].rows;
  const best = {};
  for (const score of SCORES) {
    const values = all.map((row) => row[score]).filter((value) => value !== null);
    best[score] = values.length > 1 ? percent(Math.max(...values)) : null;
  }
  const body = document.querySelector("#table tbody");
  body.replaceChildren(...rows.map((row, place) => {
    const button = element("button", { type: "button", "aria-haspopup": "dialog" }, row.name);
    button.addEventListener("click", () => openDetail(row));
    const line = element("tr", {}, element("th", { scope: "row" }, button, row.sign ? ` ${row.sign}` : ""));
    line.append(...COLUMNS.slice(1).map((column) => cell(row, column, best)));
    line.addEventListener("mouseenter", () => hoverPoint(row));
    button.addEventListener("focus", () => hoverPoint(row));
    line.dataset.name = row.name;
    return line;
  }));
  for (const head of document.querySelectorAll("#table thead th")) {
    const sorted = head.dataset.key === state.sort;
    if (sorted) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  const title = COLUMNS.find((column) => column.key === state.sort).title;
  at("status").textContent =
    `${rows.length} of ${all.length} methods, sorted by ${title}, ${state.down ? "highest" : "lowest"} first.`;
}

function drawAbout() {
  const group = groups[state.group];
  const sizes = group.sizes.map(([gallery, queries, dropped]) =>
    `${gallery.toLocaleString("en-US")} gallery tracks, ${queries.toLocaleString("en-US")} queries used, ${dropped} dropped`);
  at("summary").replaceChildren(...group.summary.map((line) => element("li", {}, line)));
  at("sizes").textContent = `${sizes.join("; or ")}. Data set fingerprint ${group.fingerprint}.`;
  at("cautions").replaceChildren(...group.cautions.map((line) => element("li", {}, line)));
  at("rules").replaceChildren(...group.rules.flatMap(([part, words]) =>
    [element("dt", {}, element("code", {}, part)), element("dd", {}, words)]));
  const drawn = group.resamples
    ? ` 95 %: bootstrap interval over test persons and seeds, ${group.resamples.toLocaleString("en-US")} times;` +
      " ≈: the paired interval of the difference from the best holds 0."
    : "";
  const none = group.rows.some((row) => row.tested && ((row.mAP !== null && row.mAP_low === null) || (row.R1 !== null && row.R1_low === null)))
    ? " None: every draw gives the same, so that there is no interval." : "";
  const letters = group.rows.some((row) => row.letters) ? " Group: methods that share a letter cannot be told apart by mAP." : "";
  at("legend").textContent =
    `Bold: best in its column, as shown; ±: standard deviation over runs.${drawn}${none}${letters} Blank: not measured.`;
  const unsteady = group.rows.some((row) => row.unsteady)
    ? [`${UNSTEADY} unsteady latency: its interquartile range is over 10 % of the median; on no Pareto front of latency`] : [];
  at("footnotes").replaceChildren(...[...group.footnotes, ...unsteady].map((line) => element("li", {}, line)));
}

/* ---- one method ------------------------------------------------------------------------------ */

function openDetail(row) {
  const group = groups[state.group];
  const records = row.records.map((values) =>
    Object.fromEntries(DATA.recordColumns.map((name, i) => [name, values[i]])));
  const fields = { Recipe: row.recipe, "Data set": group.dataset,
    Fingerprint: group.fingerprint, "Result label": group.label };
  const list = element("dl");
  for (const [title, words] of Object.entries(fields)) {
    list.append(element("dt", {}, title), element("dd", {}, element("code", {}, words)));
  }
  at("detail-title").textContent = row.name;
  at("detail-body").replaceChildren(list, ...detailSettings(row), ...detailRecords(records), ...detailPaper(row), ...detailLinks(row));
  at("detail").showModal();
}

/* What the network was built with, a line each; nothing is drawn where nothing was recorded. */
function detailSettings(row) {
  const settings = Object.entries(JSON.parse(row.built));
  if (!settings.length) return [];
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const rows = settings.map(([key, value]) => element("tr", {},
    element("th", { scope: "row" }, key), element("td", { class: "words" }, shown(value))));
  const table = element("table", { class: "settings" }, element("tbody", {}, ...rows));
  return [element("h3", {}, "Settings"), element("div", { class: "scroll", tabindex: "0" }, table)];
}

function detailPaper(row) {
  const paper = DATA.papers[row.paper];
  if (!paper) return [];
  return [element("h3", {}, "Paper"), element("p", {}, paper.cited),
    element("pre", { class: "bibtex" }, paper.bibtex), copyButton(paper.bibtex, "Copy the BibTeX")];
}

function detailRecords(records) {
  const titles = ["Run", "Split", "Seed", "mAP (%)", "R1 (%)", "Weights (sha256)", "Commit", "Epoch"];
  const head = element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)));
  const rows = records.map((one) => element("tr", {}, ...[
    one.run, one.split, one.seed, percent(one.mAP), percent(one.R1), one.checkpoint.slice(0, 16),
    one.commit.slice(0, 12), one.selection,
  ].map((value) => element("td", {}, String(value)))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  const made = [element("h3", {}, "Records"), element("div", { class: "scroll", tabindex: "0" }, table)];
  const commands = [...new Set(records.map((one) => DATA.shared.command[one.command]))].filter(Boolean);
  made.push(element("h3", {}, "To get this again"));
  if (!commands.length) made.push(element("p", {}, "No command was recorded."));
  for (const command of commands) made.push(element("pre", {}, command), copyButton(command));
  const environments = [...new Set(records.map((one) => one.environment))];
  made.push(element("h3", {}, "Measured on"));
  for (const place of environments) {
    const parts = Object.entries(DATA.shared.environment[place]).filter(([, value]) => value !== null);
    made.push(element("p", { class: "quiet" }, parts.map(([key, value]) => `${key} ${value}`).join(", ")));
  }
  const notes = [...new Set(records.flatMap((one) => DATA.shared.notes[one.notes]))];
  if (notes.length) {
    made.push(element("h3", {}, "Notes"), element("ul", {}, ...notes.map((note) => element("li", {}, note))));
  }
  return made;
}

function copyButton(text, title = "Copy the command") {
  const button = element("button", { type: "button" }, title);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Selected: copy it with the keyboard";
    }
  });
  return button;
}

function detailLinks(row) {
  const found = [...document.querySelectorAll(".inspected")].filter((one) => one.dataset.method === row.method);
  if (!found.length) return [];
  const links = found.map((one) => {
    const button = element("button", { type: "button" }, one.querySelector("summary").textContent);
    button.addEventListener("click", () => {
      at("detail").close();
      one.open = true;
      one.querySelector("summary").focus();
      one.scrollIntoView();
    });
    return element("li", {}, button);
  });
  return [element("h3", {}, "Inspected queries"), element("ul", {}, ...links)];
}
