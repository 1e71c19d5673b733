"""Fixed records, and what every format makes of them, character by character.

``ZOO_GOLDEN=write pytest tests/reports/test_golden.py`` accepts the present output; style at it.
"""

import os
from pathlib import Path

import pytest

from benchmark.files import write_text
from reports import build as building
from reports.formats import html

GOLDEN = Path(__file__).parent / "golden"
FILES = ("report.md", "report.html", "report.tex", "report.csv", "published.csv", "report.json")
GOOD = [0.75, 1.0, 0.5, 0.875, 1.0, 0.625, 0.75, 1.0] * 5
FAIR = [0.625, 1.0, 0.375, 0.75, 1.0, 0.5, 0.875, 1.0] * 5
POOR = [0.25, 0.5, 0.125, 0.375, 0.5, 0.25, 0.125, 0.75] * 5


def not_drawn(caption, draw):
    """What stands for a figure: its pixels are those of a machine's fonts."""
    return {"caption": caption, "light": "light", "dark": "dark", "width": 1, "height": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory, fake):
    """The report on three methods of two seeds, one of them under a second label, one failed run.

    AP are eighths and sixteenths, so that sums are exact in any order and on any machine.
    """
    folder, out = tmp_path_factory.mktemp("golden") / "results", tmp_path_factory.mktemp("out")
    costs = {"nvan": (63.71, GOOD), "stenvan": (17.78, FAIR), "mine[mode=a_b]": (32.6, POOR)}
    for method, (gmacs, ap) in costs.items():
        for seed in range(2):
            cost = {**fake.cost, "gmacs": gmacs, "latency_ms": 10 * gmacs + seed}
            cost = None if method.startswith("mine") else cost
            values = [value - 0.0625 * seed for value in ap]
            fake.scored(folder, method, seed, values, cost=cost, dataset="mars")
    fake.scored(
        folder, "nvan", 0, POOR, label=fake.other_label, dataset="mars", dropped=3, gallery=80,
        notes=["2 images & <b> were left out"],
    )  # fmt: skip
    fake.fail(folder)
    patch = pytest.MonkeyPatch()
    patch.setattr(html, "_plotly", lambda: "/* plotly stands here */")
    patch.setattr(html, "script", lambda: "/* the page's own script stands here */")
    patch.setattr(html, "style", lambda: "/* the style stands here */")
    patch.setattr(html.embedded, "drawn", not_drawn)
    patch.setattr(building, "save", lambda figure, path: write_text(path, ""))
    report = building.build([folder], out, building.FORMATS)
    patch.undo()
    return {path.name: path for path in report.written}


@pytest.mark.parametrize("name", FILES)
def test_every_format_says_what_it_said(made, name):
    found = made[name].read_text(encoding="utf-8")
    if os.environ.get("ZOO_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(found, encoding="utf-8")
    assert found == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_golden_files_are_those_of_every_format(made):
    assert {path.name for path in GOLDEN.iterdir()} == set(FILES)
    assert {name for name in made if not name.endswith((".png", ".pdf"))} == set(FILES)
