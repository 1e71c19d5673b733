"""report.html in a real browser: what a reader does with mouse, keyboard and a narrow screen."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.analysis.convergence import with_verdicts
from reports.analysis.fronts import front
from reports.analysis.groups import groups
from reports.build import build
from reports.comparison import write as write_comparison
from reports.read import inspection
from reports.read.inspection import Inspection, Strip
from reports.read.results import collect
from tests.reports.browser import open_chromium, open_page, set_window

COSTS = {"nvan": (63.7, 480.0, 23.5), "stenvan": (17.8, 690.0, 23.5), "sta": (32.6, 310.0, 25.6)}
COSTS["<b>plugin"] = (90.0, 300.0, 3.0)
AP = [0.25, 0.75, 0.5, 1.0] * 10


@pytest.fixture(scope="module")
def results(tmp_path_factory, fake):
    """Four methods under two labels, one of them without costs, and a query that was looked at."""
    folder = tmp_path_factory.mktemp("page") / "results"
    for place, (method, (gmacs, memory, params)) in enumerate(COSTS.items()):
        cost = {**fake.cost, "gmacs": gmacs, "peak_memory_mb": memory, "params_m": params}
        cost |= {"latency_ms": 1000 / gmacs, "latency_iqr_ms": 20.0 if method == "sta" else 0.5}
        ap = [max(value - place / 16, 0.0625) for value in AP]
        for seed in range(2):
            record = fake.scored(folder, method, seed, ap, cost=cost)
        fake.scored(folder, method, 0, ap[::-1], label=fake.other_label, cost=cost)
    fake.write(folder, fake.record("blank", cost=None, metrics={"mAP": 0.25}, cmc=[]))
    look_at(folder, fake.scored(folder, "sta", 0, AP, label="open@1/cos-bn/even4"))
    for run in folder.glob("runs/stenvan-*"):
        (run / "log.jsonl").write_text('{"epoch": 1, "loss": 3.0, "accuracy": 0.2}\n')
    fake.study(folder)
    assert record.command
    return folder


def look_at(folder, record):
    (run,) = folder.glob(f"runs/*-{record.run}")
    frames = np.full((4, 64, 32, 3), 90, dtype=np.uint8)
    kinds = (("query", None), ("junk", None), ("wrong", 1), ("right", 2))
    strips = tuple(
        Strip(kind=kind, rank=rank, row=i, pid=i, camid=1, distance=0.1 * i, frames=frames,
              attention={"scores": np.full((4, 2), 0.25)} if kind == "query" else {})
        for i, (kind, rank) in enumerate(kinds)
    )  # fmt: skip
    told = {name: getattr(record, name) for name in ("run", "method", "recipe", "seed", "split")}
    told |= {name: getattr(record, name) for name in ("dataset", "fingerprint", "label")}
    one = Inspection(**told, query=3, ap=0.5, first=2.0, matches=1, strips=strips)
    inspection.save(one, run / "inspect" / "open")


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    return build([results], tmp_path_factory.mktemp("out"), ("html",)).path


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = open_chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium, page):
    """The page, freshly loaded from disk, 1280 pixels wide; it must not complain meanwhile."""
    set_window(chromium, 1280)
    chromium.get(page.as_uri())
    chromium.get_log("browser")
    chromium.execute_script("localStorage.clear()")
    open_page(chromium, page.as_uri())
    yield chromium
    assert chromium.get_log("browser") == []


def names(browser):
    return [b.text for b in browser.find_elements("css selector", "#table tbody th button")]


def choose(browser, select, value):
    browser.execute_script(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
        "s.dispatchEvent(new Event('change', {bubbles: true}));",
        select,
        value,
    )


def group_of(browser, label):
    """Show the table of a label."""
    options = browser.find_elements("css selector", "#group option")
    titles = {o.get_attribute("textContent"): o.get_attribute("value") for o in options}
    (value,) = [value for title, value in titles.items() if title.endswith(label)]
    choose(browser, "group", value)


def head(browser, title):
    for button in browser.find_elements("css selector", "#table thead button"):
        if button.text.split("\n")[0].startswith(title):
            return button
    raise AssertionError(title)


def trace(browser, name):
    """x, y and names of a drawn trace."""
    return browser.execute_script(
        "const t = document.getElementById('plot').data.find((t) => t.name === arguments[0]);"
        "return t && {x: t.x, y: t.y, text: t.text, symbol: t.marker && t.marker.symbol};",
        name,
    )


def test_the_page_loads_from_disk_without_a_word_on_the_console(browser):
    assert browser.current_url.startswith("file://")
    assert names(browser) and browser.title == "5 methods on synthetic"
    requests = browser.execute_script("return performance.getEntriesByType('resource').length")
    assert requests == 0


def test_a_click_sorts_and_another_one_turns_the_order_and_blanks_stay_last(browser, results):
    group_of(browser, "mars-official@1/cos-bn/chunk-first8")
    by_map = names(browser)
    assert by_map == ["nvan", "stenvan", "sta", "<b>plugin", "blank"]
    head(browser, "GMACs").click()
    assert names(browser) == ["stenvan", "sta", "nvan", "<b>plugin", "blank"]
    head(browser, "GMACs").click()
    assert names(browser) == ["<b>plugin", "nvan", "sta", "stenvan", "blank"]
    sorted_by = browser.find_elements("css selector", "#table th[aria-sort]")
    assert [one.get_attribute("aria-sort") for one in sorted_by] == ["descending"]
    assert "sorted by GMACs, highest first" in browser.find_element("id", "status").text


def test_a_table_holds_one_label_and_says_which(browser, fake):
    group_of(browser, fake.other_label)
    assert set(names(browser)) == set(COSTS)
    rules = browser.execute_script("return document.getElementById('rules').textContent")
    assert fake.other_label.split("/")[0] in rules and "mars-official" not in rules
    assert "gallery tracks" in browser.find_element("id", "sizes").text


def test_a_filter_leaves_out_rows_and_points(browser, fake):
    group_of(browser, fake.label)
    box = browser.find_element("id", "filter")
    box.send_keys("NVAN")
    assert names(browser) == ["nvan", "stenvan"]
    assert set(trace(browser, "measured")["text"]) == {"nvan", "stenvan †"}
    assert "2 of 5 methods" in browser.find_element("id", "status").text
    front = trace(browser, "front")["x"]
    box.send_keys(" nothing")
    assert names(browser) == []
    assert trace(browser, "front")["x"] == front, "the front is that of all methods"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("sta, nvan", {"nvan", "sta", "stenvan"}),
        ("sta*", {"sta"}),
        ("*nvan", {"nvan", "stenvan"}),
        ("family:stenvan", {"nvan", "stenvan"}),
        ("family:sta,<b>", {"sta", "<b>plugin"}),
        ("nvan quick", {"nvan", "stenvan"}),
        (" , ", {"nvan", "stenvan", "sta", "<b>plugin", "blank"}),
    ],
)
def test_a_filter_takes_commas_wildcards_and_families(browser, fake, words, shown):
    group_of(browser, fake.label)
    browser.find_element("id", "filter").send_keys(words)
    assert set(names(browser)) == shown


def test_the_state_stands_in_the_address_and_comes_back_from_it(browser, page, fake):
    group_of(browser, fake.other_label)
    choose(browser, "x", "latency_ms")
    browser.find_element("id", "filter").send_keys("nvan")
    head(browser, "GMACs").click()
    browser.find_element("id", "log").click()
    before, address = names(browser), browser.current_url
    assert "table=synthetic-quick-mars-torchreid-" in address and "x=latency_ms" in address
    open_page(browser, address)
    assert names(browser) == before == ["stenvan", "nvan"]
    assert browser.current_url == address
    values = [browser.find_element("id", name).get_attribute("value") for name in ("x", "filter")]
    assert values == ["latency_ms", "nvan"]
    assert browser.find_element("id", "log").is_selected()
    open_page(browser, f"{page.as_uri()}#x=nonsense&table=gone&sort=<b>")
    assert "sorted by mAP" in browser.find_element("id", "status").text
    open_page(browser, f"{page.as_uri()}#curves")
    assert browser.current_url.endswith("#curves"), "a section's address stays its own"


KEEP = """
window.kept = [];
const real = URL.createObjectURL.bind(URL);
URL.createObjectURL = (blob) => {
  if (blob.type === "text/csv") blob.text().then((text) => window.kept.push(text));
  return real(blob);
};
HTMLAnchorElement.prototype.click = function () { window.kept.push(this.download, this.href); };
"""


def test_the_table_shown_can_be_had_as_csv_and_the_plot_as_png(browser, results, fake):
    from selenium.webdriver.support.wait import WebDriverWait

    group_of(browser, fake.label)
    browser.find_element("id", "filter").send_keys("nvan, <b>")
    browser.execute_script(KEEP)
    browser.find_element("id", "csv").click()
    WebDriverWait(browser, 20).until(lambda b: b.execute_script("return kept.length") == 3)
    name, text = browser.execute_script("return [kept[0], kept.find((k) => k.includes('\\n'))]")
    table = pd.read_csv(io.StringIO(text))
    assert name.startswith("synthetic-quick-mars-official-") and name.endswith(".csv")
    assert list(table["name"]) == names(browser) == ["nvan", "stenvan", "<b>plugin"]
    (group,) = [g for g in groups(collect([results]).frame) if g.key.label == fake.label]
    expected = group.rows.set_index("name")["mAP_low"]
    assert table["mAP_low"].to_list() == pytest.approx(expected[table["name"]].to_list(), rel=1e-4)
    assert set(table["label"]) == {fake.label}
    browser.find_element("id", "png").click()
    WebDriverWait(browser, 20).until(lambda b: b.execute_script("return kept.length") == 5)
    name, address = browser.execute_script("return kept.slice(3)")
    assert name.endswith("-mAP-gmacs.png") and address.startswith("data:image/png;base64,")


def test_what_the_markdown_has_is_on_the_page_as_well(browser, fake):
    group_of(browser, fake.label)
    assert "By mAP" in browser.find_element("id", "summary").text
    assert "Only 20 test persons" in browser.find_element("id", "cautions").text
    runs = browser.find_element("id", "runs").get_attribute("textContent")
    assert "What was run" in runs and "Machine A" in runs and fake.record().command in runs
    assert "A GMAC is" in browser.find_element("id", "costs").text
    drawn = "return [...document.querySelectorAll('#training img.light, #papers img.light')].length"
    assert browser.execute_script(drawn) >= 2


def test_a_method_s_paper_and_settings_are_told_without_raw_json(browser, fake):
    group_of(browser, fake.label)
    buttons = {b.text: b for b in browser.find_elements("css selector", "#table tbody th button")}
    buttons["nvan"].click()
    detail = browser.find_element("id", "detail-body")
    assert "@inproceedings{stenvan2019," in detail.text and "{" not in detail.text.split("@")[0]
    browser.find_element("id", "close").click()
    buttons["<b>plugin"].click()
    assert "@" not in browser.find_element("id", "detail-body").text.replace("mars-official@1", "")


def test_pictures_suit_the_theme(browser):
    shown = """
    const seen = [...document.images].filter((i) => getComputedStyle(i).display !== "none");
    return seen.map((i) => i.className).filter(Boolean);
    """
    assert set(browser.execute_script(shown)) == {"light"}
    choose(browser, "theme", "dark")
    assert set(browser.execute_script(shown)) == {"dark"}


@pytest.mark.parametrize("cost", ["gmacs", "latency_ms", "peak_memory_mb", "params_m"])
@pytest.mark.parametrize("score", ["R1", "mAP"])
def test_axes_can_be_chosen_and_the_front_is_the_report_s(browser, results, fake, cost, score):
    group_of(browser, fake.label)
    choose(browser, "x", cost)
    choose(browser, "y", score)
    frame = with_verdicts(collect([results])).frame
    (group,) = [g for g in groups(frame, 100) if g.key.label == fake.label]
    rows = group.rows[group.rows[cost].notna() & group.rows[score].notna()]
    found = trace(browser, "measured")
    assert sorted(found["x"]) == pytest.approx(sorted(rows[cost]), rel=1e-4)
    assert sorted(found["y"]) == pytest.approx(sorted(100 * rows[score]), rel=1e-4)
    best = rows[front(rows, cost, score)]
    assert sorted(trace(browser, "front")["x"]) == pytest.approx(sorted(best[cost]), rel=1e-4)
    filled = [s for s in found["symbol"] if not s.endswith("-open")]
    assert len(filled) == len(best)
    told = browser.find_element("id", "front").text
    assert all(name in told for name in best["name"])


BARS = """
const {x, error_x, error_y, text} = document.getElementById('plot').data[0];
return text.map((name, i) => [name, error_x.array[i], error_y.arrayminus[i], error_y.array[i]]);
"""


def test_points_have_whiskers_of_their_interval_and_of_the_latency_s_quartiles(
    browser, results, fake
):
    group_of(browser, fake.label)
    choose(browser, "x", "latency_ms")
    found = {name: bars for name, *bars in browser.execute_script(BARS)}
    (group,) = [g for g in groups(collect([results]).frame) if g.key.label == fake.label]
    rows = group.rows.set_index("name")
    for shown, name in (("nvan", "nvan"), ("stenvan †", "stenvan"), ("sta ‡", "sta")):
        row = rows.loc[name]
        below, above = row["mAP"] - row["mAP_low"], row["mAP_high"] - row["mAP"]
        expected = [row["latency_iqr_ms"] / 2, 100 * below, 100 * above]
        assert found[shown] == pytest.approx(expected, abs=1e-2)


def test_what_did_not_converge_or_was_unsteady_is_marked_and_explained(browser, fake):
    group_of(browser, fake.label)
    lines = browser.find_elements("css selector", "#table tbody tr")
    shown = {line.get_attribute("data-name"): line.text for line in lines}
    assert "stenvan †" in shown["stenvan"] and "†" not in shown["nvan"]
    assert "‡" in shown["sta"] and "‡" not in shown["stenvan"]
    notes = browser.find_element("id", "footnotes").text
    assert "† not converged (stenvan: under 90 % training accuracy)" in notes
    assert "‡ unsteady latency" in notes


def test_who_beats_whom_and_tuning_have_sections_of_their_own(browser):
    pairs = browser.find_element("id", "pairs")
    assert "nvan" in pairs.get_attribute("textContent")
    tuning = browser.find_element("id", "tuning")
    assert "not served by the shared recipe" in tuning.get_attribute("textContent")
    assert len(tuning.find_elements("css selector", "img.light")) == 1


def test_a_method_s_button_shows_its_records_and_the_command_to_get_them_again(browser, fake):
    group_of(browser, fake.label)
    button = browser.find_elements("css selector", "#table tbody th button")[0]
    button.click()
    dialog = browser.find_element("id", "detail")
    assert dialog.get_attribute("open") is not None
    assert dialog.find_element("tag name", "pre").text == fake.record().command
    assert "AMD EPYC" in dialog.text and fake.record().fingerprint in dialog.text
    assert len(dialog.find_elements("css selector", "tbody tr")) == 2
    browser.find_element("id", "close").click()
    assert dialog.get_attribute("open") is None


def test_a_point_s_click_shows_the_same(browser, fake):
    group_of(browser, fake.label)
    browser.execute_script(
        "document.getElementById('plot').emit('plotly_click', {points: [{curveNumber: 0, "
        "pointNumber: 1}]})"
    )
    shown = browser.find_element("id", "detail-title").text
    assert shown == names(browser)[1]


def test_everything_can_be_reached_and_used_with_the_keyboard(browser, fake):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    group_of(browser, fake.label)
    reached = set()
    for _ in range(99):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        active = browser.switch_to.active_element
        if active.tag_name == "body":
            break  # all round
        outline = active.value_of_css_property("outline-style")
        assert outline != "none", active.get_attribute("outerHTML")[:200]
        reached.add(active.get_attribute("id") or active.text)
    assert {"theme", "group", "filter", "x", "y", "log", "curve", "nvan", "sta"} <= reached
    button = browser.find_elements("css selector", "#table tbody th button")[0]
    button.send_keys(Keys.ENTER)
    assert browser.find_element("id", "detail").get_attribute("open") is not None
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    assert browser.find_element("id", "detail").get_attribute("open") is None
    assert browser.switch_to.active_element == button


def test_a_name_is_text_whatever_it_holds(browser, fake):
    group_of(browser, fake.label)
    assert "<b>plugin" in names(browser)
    assert browser.execute_script("return document.querySelectorAll('#table b').length") == 0
    assert "&lt;b&gt;plugin" in trace(browser, "measured")["text"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_at_380_pixels_the_page_does_not_scroll_sideways(browser, page, theme):
    set_window(browser, 380, theme=theme)
    open_page(browser, page.as_uri())
    width = "return [document.documentElement.scrollWidth, innerWidth]"
    scroll, inner = browser.execute_script(width)
    assert inner == 380 and scroll <= 380
    assert browser.execute_script("return document.getElementById('plot').clientWidth") > 250
    table = browser.execute_script(
        "const t = document.getElementById('table');return t.scrollWidth > t.parentNode.clientWidth"
    )
    assert table  # it scrolls by itself


CONTRAST = """
const luminance = (rgb) => {
  const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (!/, 0\\)|transparent/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};
const found = [];
const TAGS = "p, a, th, td, button, label, select, summary, h1, h2, h3, li, figcaption, span, code";
for (const node of document.querySelectorAll(TAGS)) {
  if (!node.textContent.trim() || !node.getClientRects().length) continue;
  const both = [luminance(getComputedStyle(node).color), luminance(behind(node))];
  const [a, b] = both.sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) found.push(node.outerHTML.slice(0, 120));
}
return found;
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("by", ["system", "choice"])
def test_words_stand_out_from_their_ground_in_light_and_dark(browser, page, theme, by):
    set_window(browser, 1280, theme=theme if by == "system" else "light")
    open_page(browser, page.as_uri())
    if by == "choice":
        choose(browser, "theme", theme)
    assert browser.execute_script(CONTRAST) == []
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.execute_script(ground) == "rgb(20, 24, 29)"
    assert dark == (theme == "dark")


def test_every_picture_has_a_text_and_every_control_a_name(browser):
    nameless = browser.execute_script(
        "return [...document.querySelectorAll('select, input, button')].filter((c) => !(c.labels "
        "&& c.labels.length) && !c.textContent.trim() && !c.ariaLabel).length"
    )
    without = browser.execute_script(
        "return [...document.images].filter((i) => !i.alt || !i.naturalWidth).length"
    )
    assert (nameless, without) == (0, 0)
    label = browser.find_element("id", "plot").get_attribute("aria-label")
    assert "Pareto front of mAP against GMACs" in label
    headings = browser.execute_script(
        "return [...document.querySelectorAll('main h2')].every((h) => h.closest('section'))"
    )
    assert headings


def test_curves_are_shown_by_choice(browser, fake):
    found = browser.find_elements("css selector", "#curve option")
    options = [o.get_attribute("textContent") for o in found]
    assert any(text.startswith("CMC · ") and text.endswith(fake.label) for text in options)
    place = next(i for i, text in enumerate(options) if text.endswith(fake.label))
    choose(browser, "curve", str(place))
    drawn = browser.execute_script(
        "return document.getElementById('curve-plot').data.map((t) => [t.name, t.y.length])"
    )
    assert {name for name, _ in drawn} == {"nvan", "stenvan †", "sta", "&lt;b&gt;plugin"}
    assert {length for _, length in drawn} == {20}
    assert not browser.find_element("id", "curve-y").is_displayed()  # it is for trends


OVERLAPS = """
const texts = [...document.querySelectorAll("#plot .textpoint text")];
const boxes = texts.map((t) => t.getBoundingClientRect());
const meet = (a, b) => a.left < b.right && b.left < a.right
  && a.top + 4 < b.bottom && b.top + 4 < a.bottom;
return [boxes.length, boxes.filter((a, i) => boxes.some((b, j) => j > i && meet(a, b))).length];
"""


def test_names_in_the_plot_do_not_lie_on_one_another(browser):
    browser.execute_script(
        "const rows = groups[state.group].rows.filter((row) => row.mAP !== null).slice(0, 3);"
        "rows.forEach((row, i) => { row.gmacs = 10 + i / 50; row.mAP = 0.5 - i / 500; });"
        "groups[state.group].rows.slice(3).forEach((row) => { row.gmacs = 1; row.mAP = 0.1; });"
        "drawPlot(groups[state.group].rows.slice(0, 4));"
    )
    named, overlapping = browser.execute_script(OVERLAPS)
    assert named >= 3 and overlapping <= 1  # of three in one place, two have a place of their own


def test_several_data_sets_stand_in_a_matrix_before_the_single_tables(chromium, fake, tmp_path):
    for dataset in ("mars", "lsvid"):
        for score, method in ((0.5, "sta"), (0.6, "nvan")):
            fake.write(tmp_path, fake.record(method, score=score, dataset=dataset))
    made = build([tmp_path], tmp_path / "out", ("html",)).path
    open_page(chromium, made.as_uri())
    matrix = chromium.find_element("id", "matrix")
    lines = [line.text for line in matrix.find_elements("css selector", "tbody tr")]
    assert lines == ["nvan 60.0 60.0 1.00", "sta 50.0 50.0 2.00"]
    places = "return ['matrix', 'leaderboard'].map((id) => at(id).getBoundingClientRect().top)"
    first, second = chromium.execute_script(places)
    assert first < second and chromium.get_log("browser") == []


def test_a_comparison_is_a_page_of_its_own_in_both_themes(chromium, compared, tmp_path):
    *_, made = write_comparison(compared, tmp_path, ("html",), resamples=50)
    for theme in ("light", "dark"):
        set_window(chromium, 380, theme=theme)
        chromium.get(made.as_uri())
        assert "ahead of sta" in chromium.find_element("tag name", "main").text
        width = chromium.execute_script("return document.documentElement.scrollWidth")
        assert width <= 380 and chromium.execute_script(CONTRAST) == []
        hidden = {"light": "dark", "dark": "light"}[theme]
        assert not chromium.find_element("css selector", f"img.{hidden}").is_displayed()
    assert len(chromium.find_elements("css selector", ".columns > div")) == 2
    assert chromium.get_log("browser") == []


# ---- without a browser ---------------------------------------------------------------------------


def test_the_page_is_small_enough_without_its_pictures(page):
    text = page.read_text(encoding="utf-8")
    pictures = sum(len(part.split('"')[0]) for part in text.split("data:image/webp;base64,")[1:])
    assert pictures > 0 and len(text) - pictures <= 6_000_000


def test_galleries_hold_every_strip_with_its_kind_and_its_pixels(page):
    text = page.read_text(encoding="utf-8")
    assert [text.count(f'class="strip {k}"') for k in ("query", "junk", "wrong", "right")] == [
        1
    ] * 4
    gallery = text.partition('id="inspected"')[2]
    first = gallery.split("data:image/webp;base64,")[1].split('"')[0]
    film = Image.open(io.BytesIO(base64.b64decode(first)))
    assert film.size == (4 * 32 + 3 * 2, 64)
    assert "Attention over the frames of the query" in text


def test_numbers_in_the_page_cannot_end_its_script(page):
    text = page.read_text(encoding="utf-8")
    data = text.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    told = json.loads(data)
    assert "<" not in data
    assert {row["name"] for group in told["groups"] for row in group["rows"]} == {*COSTS, "blank"}


def test_what_is_missing_is_null_in_the_page(page):
    text = page.read_text(encoding="utf-8")
    data = text.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    told = json.loads(data)
    (blank,) = [r for g in told["groups"] for r in g["rows"] if r["name"] == "blank"]
    values = dict(zip(told["columns"], blank["values"], strict=True))
    assert values["R1"] is None and values["gmacs"] is None and values["cmc"] is None
    assert values["mAP"] == 0.25
