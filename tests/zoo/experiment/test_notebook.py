"""What a notebook shows."""

import sys
import textwrap
import types

import numpy as np
import pandas as pd
import pytest

from zoo.experiment import notebook
from zoo.experiment.notebook import NotebookProgress, as_html, is_notebook


@pytest.fixture
def shown(monkeypatch):
    """A stand-in for IPython; what is shown, in order."""
    seen = []

    class Handle:
        def update(self, data):
            seen.append(data)

    display = types.SimpleNamespace(HTML=str, display=lambda _, display_id: Handle())
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return seen


def test_the_bar_is_drawn_over_itself_and_goes_when_the_work_is_done(shown, monkeypatch):
    monkeypatch.setattr(notebook, "EVERY_S", 0)
    with NotebookProgress() as progress:
        progress.begin("[1/2] <sta>, seed 0")
        progress.advance("train", 3, 10)
        progress.note("failed: x < y")
    assert "[1/2] &lt;sta&gt;, seed 0 · train" in shown[1]
    assert '<progress value="3" max="10"></progress> 3/10' in shown[1]
    assert shown[-1] == "failed: x &lt; y"


def test_work_that_goes_on_side_by_side_has_a_bar_each(shown):
    with NotebookProgress() as progress:
        first, second = progress.line("[1/2] sta, on a"), progress.line("[2/2] nvan, on b")
        first.advance("train", 3, 10)
        second.advance("embed", 10, 10)
        assert "[1/2] sta, on a · train" in shown[-1] and "[2/2] nvan, on b · embed" in shown[-1]
        first.end()
        assert "sta" not in shown[-1] and "nvan" in shown[-1]


def test_the_clock_starts_anew_when_work_of_the_same_name_does(shown, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now[0])
    with NotebookProgress() as progress:
        for second, done in ((0, 1), (60, 10), (70, 1), (75, 10)):
            now[0] = float(second)
            progress.advance("embed", done, 10)
    drawn = [line for line in shown if "10/10" in line]
    assert drawn[0].endswith("10/10, 1 min 0 s") and drawn[1].endswith("10/10, 5 s")


def test_the_bar_is_not_drawn_at_every_step(shown):
    with NotebookProgress() as progress:
        for step in range(1, 1001):
            progress.advance("train", step, 1000)
    assert len(shown) < 20 and "1000/1000" in shown[-2]


@pytest.mark.parametrize(
    ("shell", "expected"),
    [(None, False), (object(), False), (types.SimpleNamespace(kernel=1), True)],
)
def test_only_jupyter_is_a_notebook(monkeypatch, shell, expected):
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert is_notebook() is expected
    monkeypatch.delitem(sys.modules, "IPython")
    assert not is_notebook()


def test_tables_are_one_for_what_compares_with_intervals_in_percent():
    row = {"dataset": "a&b", "training": "quick", "name": "sta", "runs": 3, "params_m": 24.2}
    row |= {"gmacs": 16.31, "mAP": 0.5, "mAP_low": 0.45, "mAP_high": 0.55}
    row |= {"R1": 0.6, "R1_low": np.nan, "R1_high": np.nan}
    table = pd.DataFrame([row | {"label": "open"}, row | {"label": "mars"}])
    found = as_html(table, {"cmc-x.png": b"\x89PNG"}, ["x < y"])
    assert found.count("<table") == 2 and "a&amp;b · quick · open" in found
    assert "50.0 (45.0 to 55.0)" in found and "<td>60.0</td>" in found and "16.3" in found
    assert '<img alt="cmc-x" width="480" src="data:image/png;base64,iVBORw' in found
    assert "<p>x &lt; y</p>" in found
    assert as_html(table.iloc[:0], {}) == ""


CELL = """
import zoo
from tests.conftest import TINY
from zoo.experiment.paper_recipes import make_recipe
result = zoo.bench(["sta", "resnet50_avg"], dataset="folder", data_root={people!r}, out={out!r},
                   recipe=make_recipe("quick", **TINY), workers=0, device="cpu")
result
"""


@pytest.mark.slow
def test_a_notebook_shows_a_bar_a_table_and_figures_and_no_log(people, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [CELL.format(people=str(people), out=str(tmp_path / "o")), "result.table.head()"]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    bars = []

    class Client(nbclient.NotebookClient):
        def process_message(self, msg, *more):
            if msg["msg_type"] == "update_display_data":
                bars.append(msg["content"]["data"]["text/html"])
            return super().process_message(msg, *more)

    Client(book, timeout=300, resources={"metadata": {"path": "."}}).execute()
    first, second = (cell["outputs"] for cell in book.cells)
    assert not [output for output in first if output["output_type"] == "stream"], first
    assert any("<progress" in text and "train" in text for text in bars)
    assert len(first) == 2 and "<progress" not in first[0]["data"]["text/html"], "the bar has gone"
    assert "sta seed 0: mAP" in first[0]["data"]["text/html"]
    found = first[1]["data"]["text/html"]
    assert "<table" in found and "resnet50_avg" in found
    assert found.count('src="data:image/png;base64,iVBORw') >= 2
    assert "<table" in second[0]["data"]["text/html"]
