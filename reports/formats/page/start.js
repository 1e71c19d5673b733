/* Wiring: what changes the state, and drawing. */

function draw() {
  const rows = visible();
  drawAbout();
  drawTable(rows);
  drawPlot(rows);
  toAddress();
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, title]) => element("option", { value }, title)));
}

function start() {
  const choices = curveChoices();
  fill(at("group"), groups.map((group, i) => [i, group.title]));
  fill(at("x"), Object.entries(COSTS));
  fill(at("y"), SCORES.map((score) => [score, score]));
  fill(at("curve"), choices.map((choice, i) => [i, choice.title]));
  const redraw = () => { if (groups.length) draw(); drawCurves(choices); };
  followTheme(redraw);
  at("group").addEventListener("change", (event) => { state.group = Number(event.target.value); draw(); });
  at("filter").addEventListener("input", (event) => { state.filter = event.target.value; draw(); });
  for (const axis of ["x", "y"]) {
    at(axis).addEventListener("change", (event) => { state[axis] = event.target.value; draw(); });
  }
  at("log").addEventListener("change", (event) => { state.log = event.target.checked; draw(); });
  for (const id of ["curve", "curve-y"]) at(id).addEventListener("change", () => drawCurves(choices));
  at("close").addEventListener("click", () => at("detail").close());
  at("detail").addEventListener("click", (event) => { if (event.target === at("detail")) at("detail").close(); });
  if (!groups.length) {
    for (const id of ["leaderboard", "curves"]) at(id).hidden = true;
    return;
  }
  const families = [...new Set(groups.flatMap((group) => group.rows.map((row) => row.paper)))].filter(Boolean);
  at("families").replaceChildren(...families.sort().map((name) => element("option", { value: `family:${name}` })));
  at("csv").addEventListener("click", downloadTable);
  at("png").addEventListener("click", downloadPlot);
  addEventListener("hashchange", () => { if (isState(location.hash.slice(1))) { fromAddress(); draw(); } });
  drawHead();
  fromAddress();
  draw();
  linkPlot();
  if (choices.length) drawCurves(choices); else at("curves").hidden = true;
}

start();
