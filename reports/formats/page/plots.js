/* The two plots, drawn by plotly. */

const QUIET = { displayModeBar: false, responsive: true };
const TOUCH = matchMedia("(pointer: coarse)").matches;
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colour(style) {
  return style[0] === "#000000" ? ink("--ink") : style[0];
}

function layout(x, y, more = {}) {
  const axis = (title) => ({
    title: { text: title, standoff: 8 }, gridcolor: ink("--line"), linecolor: ink("--quiet"),
    zeroline: false, automargin: true, ticks: "outside", tickcolor: ink("--line"),
  });
  const { xaxis, ...rest } = more;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: { color: ink("--ink"), size: 13, family: "system-ui, sans-serif" }, showlegend: false,
    margin: { l: 50, r: 15, t: 15, b: 45 }, dragmode: TOUCH ? false : "zoom",
    hoverlabel: { bgcolor: ink("--paper"), bordercolor: ink("--quiet"), font: { color: ink("--ink") }, align: "left" },
    xaxis: { ...axis(x), ...xaxis }, yaxis: axis(y), ...rest,
  };
}

/* Rows that no other row beats: at most as costly and at least as good, one of it strictly. Methods
   that did not converge and, against latency, unsteady ones are left out. */
function pareto(rows) {
  const may = rows.filter(({ row }) => row.onFronts && !(state.x === "latency_ms" && row.unsteady));
  return may.filter((one) => !may.some((other) =>
    other.x <= one.x && other.y >= one.y && (other.x < one.x || other.y > one.y)));
}

/* A method's name with the signs of what did not converge and of an unsteady latency. */
function signed(row) {
  const name = row.sign.includes("†") ? `${row.name} †` : row.name;
  return state.x === "latency_ms" && row.unsteady ? `${name} ${UNSTEADY}` : name;
}

function points(rows) {
  return rows
    .filter((row) => row[state.x] !== null && row[state.y] !== null)
    .map((row) => ({ row, x: row[state.x], y: 100 * row[state.y] }));
}

function hoverText({ row }) {
  const scores = ["mAP", "R1"].filter((score) => row[score] !== null).map((score) => {
    const ends = row[`${score}_low`] === null ? "" : ` (${percent(row[`${score}_low`])} to ${percent(row[`${score}_high`])})`;
    return `${score} ${percent(row[score])} %${ends}`;
  });
  const costs = Object.entries(COSTS).filter(([key]) => row[key] !== null)
    .map(([key, title]) => `${title} ${number(row[key])}`);
  return [`<b>${escaped(row.name)}</b>`, ...scores, ...costs, `${row.runs} run${row.runs === 1 ? "" : "s"}`].join("<br>");
}

function printedTraces(group) {
  if (state.x !== "gmacs" || !["mAP", "R1"].includes(state.y)) return [];
  const place = state.y === "R1" ? 3 : 4;
  const kept = group.printed.filter((one) => one[place] !== null && one[5] !== null);
  const trace = (of, mode, dash) => ({
    x: of.map((one) => one[5]), y: of.map((one) => one[place]), mode, type: "scatter", name: "published",
    text: of.map((one) => `<b>published: ${escaped(one[0])}</b><br>${escaped(one[1])}, its own rules${one[0].endsWith("†") ? "<br>† doubtful, see the notes at the tables" : ""}`),
    hovertemplate: "%{text}<br>%{y:.1f} %<extra></extra>",
    marker: { symbol: "star-open", size: 11, color: ink("--quiet") }, line: { dash, width: 1, color: ink("--quiet") },
  });
  const lines = [...new Set(kept.map((one) => one[2]).filter(Boolean))];
  return [
    ...lines.map((line) => trace(kept.filter((one) => one[2] === line).sort((a, b) => a[5] - b[5]), "lines+markers", "dot")),
    trace(kept.filter((one) => !one[2]), "markers", "solid"),
  ].filter((made) => made.x.length);
}

/* From 0 to 1 along an axis. */
function shares(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (value - low) / (high - low || 1));
}

/* Names stand right of their points, and left of them near the right end; above them, and below
   them where the name of a point just above would be in the way. */
function sides(of) {
  const xs = shares(of.map((one) => (state.log ? Math.log(one.x) : one.x)));
  const ys = shares(of.map((one) => one.y));
  return of.map((_, i) => {
    const crowded = of.some((_, j) => {
      const above = ys[j] - ys[i];
      return j !== i && Math.abs(xs[j] - xs[i]) < 0.15 && above < 0.07 && (above > 0 || (above === 0 && j < i));
    });
    return `${crowded ? "bottom" : "top"} ${xs[i] > 0.75 ? "left" : "right"}`;
  });
}

let shownPoints = [];

/* How far a whisker goes below and above a point, in percent: the 95 % interval, or the standard
   deviation over runs, or nothing. */
function whisker({ row }) {
  const [value, low, high] = ["", "_low", "_high"].map((end) => row[state.y + end]);
  if (low !== null && high !== null && low !== undefined) return [100 * Math.max(0, value - low), 100 * Math.max(0, high - value)];
  const spread = 100 * (row[`${state.y}_sd`] ?? 0);
  return [spread, spread];
}

function drawPlot(rows) {
  const group = groups[state.group];
  shownPoints = points(rows);
  const front = pareto(points(group.rows)).sort((a, b) => a.x - b.x);  // whatever the filter
  const onFront = new Set(front.map((one) => one.row.name));
  const named = shownPoints.length <= 15 && at("plot").clientWidth > 600;
  const ends = shownPoints.map(whisker);
  const spans = shownPoints.map(({ row }) => (state.x === "latency_ms" ? (row.latency_iqr_ms ?? 0) / 2 : 0));
  const dots = {
    type: "scatter", mode: named ? "markers+text" : "markers", name: "measured",
    x: shownPoints.map((one) => one.x), y: shownPoints.map((one) => one.y),
    text: shownPoints.map(({ row }) => escaped(signed(row))), customdata: shownPoints.map(hoverText),
    textposition: sides(shownPoints),
    hovertemplate: "%{customdata}<extra></extra>", cliponaxis: false,
    error_y: { type: "data", symmetric: false, arrayminus: ends.map(([low]) => low), array: ends.map(([, high]) => high),
      visible: ends.some(([low, high]) => low + high > 0), thickness: 1, color: ink("--quiet") },
    error_x: { type: "data", array: spans, visible: spans.some((value) => value > 0), thickness: 1, color: ink("--quiet") },
    marker: {
      size: 11, line: { width: 1.5 }, color: shownPoints.map((one) => colour(DATA.styles[one.row.name])),
      symbol: shownPoints.map((one) => DATA.styles[one.row.name][1] + (onFront.has(one.row.name) ? "" : "-open")),
    },
  };
  const line = {
    type: "scatter", mode: "lines", name: "front", hoverinfo: "skip",
    x: front.map((one) => one.x), y: front.map((one) => one.y),
    line: { shape: "hv", dash: "dash", width: 1.5, color: ink("--quiet") },
  };
  const scale = { type: state.log ? "log" : "linear" };
  const axis = `${COSTS[state.x]}${state.log ? ", logarithmic" : ""}`;
  Plotly.react("plot", [dots, line, ...printedTraces(group)], layout(axis, `${state.y} (%)`, { xaxis: scale }), QUIET);
  const names = front.map((one) => one.row.name).join(", ") || "none";
  const all = rows.length < group.rows.length ? " over all methods" : "";
  const text = `Pareto front of ${state.y} against ${COSTS[state.x]}${all}: ${names}.`;
  const unfair = !group.alike && ["latency_ms", "peak_memory_mb"].includes(state.x);
  at("front").textContent = text + (unfair ? " Measured under different conditions: do not compare." : "");
  at("plot").setAttribute("aria-label", `Scatter plot of ${shownPoints.length} methods. ${text} The table below holds the numbers.`);
}

function hoverPoint(row) {
  const place = shownPoints.findIndex((one) => one.row.name === row.name);
  if (place >= 0) Plotly.Fx.hover("plot", [{ curveNumber: 0, pointNumber: place }]);
}

function linkPlot() {
  const lines = () => [...document.querySelectorAll("#table tbody tr")];
  const plot = at("plot");
  plot.on("plotly_hover", (event) => {
    const one = event.points.find((point) => point.curveNumber === 0);
    for (const line of lines()) line.classList.toggle("shown", Boolean(one) && line.dataset.name === shownPoints[one.pointNumber].row.name);
  });
  plot.on("plotly_unhover", () => lines().forEach((line) => line.classList.remove("shown")));
  plot.on("plotly_click", (event) => {
    const one = event.points.find((point) => point.curveNumber === 0);
    if (one) openDetail(shownPoints[one.pointNumber].row);
  });
}

/* ---- curves ---------------------------------------------------------------------------------- */

function curveChoices() {
  const cmc = groups.map((group, i) => ({ title: `CMC · ${group.title}`, group: i }))
    .filter(({ group }) => groups[group].rows.some((row) => row.cmc));
  const trends = DATA.trends.map((trend) => ({ title: `${trend.axis} · ${trend.title}`, trend }));
  return [...trends, ...cmc];
}

function drawCurves(choices) {
  const choice = choices[Number(at("curve").value)];
  at("curve-y").closest("label").hidden = !choice || !choice.trend;
  if (!choice) return;
  const wide = at("curve-plot").clientWidth > 700;
  const more = { showlegend: true, legend: wide ? {} : { orientation: "h", y: -0.25 } };
  const styled = (name) => {
    const style = DATA.styles[name];
    return { name: escaped(name), type: "scatter", mode: "lines+markers", marker: { symbol: style[1], size: 7 },
      line: { color: colour(style), dash: style[2], width: 2 } };
  };
  let traces, x, y;
  if (choice.trend) {
    const up = at("curve-y").value;
    const place = up === "mAP" ? 1 : 4;
    traces = choice.trend.series.flatMap(({ name, points: all }) => trendTraces(styled(name), all, place));
    [x, y] = [escaped(choice.trend.axis), `${up} (%)`];
  } else {
    const rows = groups[choice.group].rows.filter((row) => row.cmc);
    traces = rows.map((row) => ({ ...styled(row.name), name: escaped(signed(row)), x: row.cmc.map((_, i) => i + 1),
      y: row.cmc.map((share) => 100 * share), hovertemplate: "rank %{x}: %{y:.1f} %", error_y: rankIntervals(row) }));
    [x, y] = ["Rank", "Queries solved (%)"];
  }
  Plotly.react("curve-plot", traces, layout(x, y, more), QUIET);
  const ends = " Whiskers: 95 % intervals, where known.";
  at("curve-caption").textContent = `${choice.title}.${ends} A name in the legend hides or shows its curve.`;
  at("curve-plot").setAttribute("aria-label", `${choice.title}: ${traces.map((trace) => trace.name).join(", ")}.`);
}

/* The 95 % intervals of R1, R5, R10 and R20 along a CMC curve. */
function rankIntervals(row) {
  const to = (end) => row.cmc.map((share, i) => {
    const bound = [1, 5, 10, 20].includes(i + 1) ? row[`R${i + 1}_${end}`] : null;
    return bound === null ? 0 : 100 * Math.max(0, end === "low" ? share - bound : bound - share);
  });
  return { type: "data", symmetric: false, arrayminus: to("low"), array: to("high"), thickness: 1, width: 3 };
}

function trendTraces(style, all, place) {
  const kept = all.filter((point) => point[place] !== null);
  const ends = kept.map((point) => [point[place] - (point[place + 1] ?? point[place]), (point[place + 2] ?? point[place]) - point[place]]);
  return [{
    ...style, x: kept.map((point) => point[0]), y: kept.map((point) => 100 * point[place]),
    hovertemplate: "%{x}: %{y:.1f} %",
    error_y: { type: "data", symmetric: false, arrayminus: ends.map((end) => 100 * end[0]),
      array: ends.map((end) => 100 * end[1]), thickness: 1, width: 3 },
  }];
}
