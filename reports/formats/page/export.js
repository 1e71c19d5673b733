/* The table that is shown as CSV, and the plot as PNG. */

function csvCell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/* The rows as they are shown; metrics are fractions, as in report.csv. */
function csv() {
  const group = groups[state.group];
  const numbers = DATA.columns.filter((name) => name !== "cmc");
  const about = { dataset: group.dataset, fingerprint: group.fingerprint, label: group.label };
  const head = [...Object.keys(about), "name", "method", "recipe", ...numbers];
  const lines = visible().map((row) => head.map((name) => csvCell(about[name] ?? row[name])));
  return [head, ...lines].map((line) => line.join(",")).join("\n") + "\n";
}

function download(name, address) {
  const link = element("a", { download: name, href: address });
  document.body.append(link);
  link.click();
  link.remove();
}

function downloadTable() {
  const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  download(`${groups[state.group].id}.csv`, address);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function downloadPlot() {
  const { data, layout: drawn, clientWidth, clientHeight } = at("plot");
  const title = { text: escaped(groups[state.group].title), font: { size: 12 }, x: 0.01 };
  const figure = { data, layout: { ...drawn, title, margin: { ...drawn.margin, t: 40 }, paper_bgcolor: ink("--paper") } };
  const address = await Plotly.toImage(figure, { format: "png", width: clientWidth, height: clientHeight, scale: 2 });
  download(`${groups[state.group].id}-${state.y}-${state.x}.png`, address);
}
