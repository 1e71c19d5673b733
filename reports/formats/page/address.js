/* The state stands in the address, so that a view can be sent, and a reload keeps it. */

const ADDRESS = ["x", "y", "sort", "filter"];
const USUAL = { x: "gmacs", y: "mAP", sort: "mAP", filter: "" };

function toAddress() {
  const told = new URLSearchParams();
  if (state.group) told.set("table", groups[state.group].id);
  for (const key of ADDRESS) if (state[key] !== USUAL[key]) told.set(key, state[key]);
  if (state.down !== usualDown(state.sort)) told.set("down", state.down ? "1" : "0");
  if (state.log) told.set("log", "1");
  const hash = told.toString();
  const now = location.hash.slice(1);
  if (hash !== now && (hash || isState(now))) {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }
}

/* An address such as #curves names a section and is no state. */
function isState(hash) {
  return hash === "" || hash.includes("=");
}

function fromAddress() {
  const hash = location.hash.slice(1);
  if (!isState(hash)) return;
  const told = new URLSearchParams(hash);
  const among = (key, known) => (known.includes(told.get(key)) ? told.get(key) : USUAL[key]);
  state.group = Math.max(0, groups.findIndex((group) => group.id === told.get("table")));
  state.x = among("x", Object.keys(COSTS));
  state.y = among("y", SCORES);
  state.sort = among("sort", COLUMNS.map((column) => column.key));
  state.filter = told.get("filter") ?? "";
  state.down = told.has("down") ? told.get("down") === "1" : usualDown(state.sort);
  state.log = told.get("log") === "1";
  for (const [id, value] of [["group", state.group], ["x", state.x], ["y", state.y], ["filter", state.filter]]) {
    at(id).value = value;
  }
  at("log").checked = state.log;
}
