"""What the site's pages say of methods, checkpoints and commands."""

import configparser
import re
from pathlib import Path

import pytest
from generate import commands, example, method_pages, model_zoo
from generate.families import families, page_of

from zoo.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs"
COUNTS = {function.__name__: [23.5, 32.56] for function in METHODS} | {"sta": [27.7, None]}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The generated pages."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "methods").mkdir()
    method_pages.write(folder / "methods", COUNTS)
    model_zoo.write(folder)
    return folder


def test_every_method_stands_on_one_page_that_is_written_by_hand():
    told = [method for family in families() for method in family.methods]
    assert sorted(told) == sorted(function.__name__ for function in METHODS)
    assert all((DOCS / "methods" / f"{family.key}.md").is_file() for family in families())
    assert page_of("sta[blocks=8]") == "sta" and page_of("mine") is None


@pytest.mark.parametrize("family", families(), ids=lambda family: family.key)
def test_a_method_page_has_all_of_its_parts(family, written):
    page = (DOCS / "methods" / f"{family.key}.md").read_text()
    assert "## Equations" in page and f"ideas/{family.key}.html" in page
    text = (written / "methods" / f"{family.key}.md").read_text()
    for part in (
        "Members and cost",
        "What is decided",
        "Measured here",
        "Where it looks",
        "Papers",
    ):
        assert f"## {part}" in text
    assert all(f"| `{method}` |" in text for method in family.methods)


def test_what_cannot_be_counted_stays_blank(written):
    text = (written / "methods" / "sta.md").read_text().partition("## What is decided")[0]
    (row,) = re.findall(r"^\| `sta` \|.*$", text, re.MULTILINE)
    assert row.endswith("| 27.70 |  |")


def test_printed_figures_are_said_to_be_printed(written):
    text = (written / "methods" / "sta.md").read_text()
    heading = text.index("## Printed in papers")
    assert "**Not measured here.**" in text[heading:]
    assert "sta, Table 1, row 1" in text[heading:] and "| 64.0 | 74.5 |" in text[heading:]


def test_scores_of_the_example_are_those_of_its_page():
    found = example.scores(("sta",))
    assert found and all(0 <= row.mAP <= 1 and row.name.startswith("sta") for row in found)
    assert all(row.mAP_interval is None or row.mAP_interval[0] <= row.mAP for row in found)


def test_an_example_without_data_is_refused(tmp_path):
    (tmp_path / "report.html").write_text("<html></html>")
    with pytest.raises(ValueError, match="holds no data: make it again"):
        example.scores(("sta",), tmp_path / "report.html")


def test_pictures_of_attention_are_found_by_their_method(tmp_path):
    for name in ("sta-b6-query-1-attention-0.png", "sta-b6-query-1.png", "stenvan-1-attention.png"):
        (tmp_path / name).write_bytes(b"")
    found = example.attention_pictures(("sta",), tmp_path)
    assert [path.name for path in found] == ["sta-b6-query-1-attention-0.png"]


def test_the_model_zoo_keeps_measured_and_published_apart(written):
    text = (written / "checkpoints.md").read_text()
    own, theirs = text.index("## With the package"), text.index("## Released by the authors")
    assert own < text.index("`stenvan.synthetic`") < theirs < text.index("`stenvan.mars-released`")
    assert "| 81.3 | 88.7 |" in text[theirs:] and "not measured here" in text[theirs:]
    assert "licence | Apache-2.0" in text


def test_every_command_has_its_help():
    text = commands.text()
    for name in ("bench", "data check", "compare"):
        assert f"## zoo {name}\n" in text and f"Usage: zoo {name} " in text


def test_what_the_configuration_needs_is_in_the_extra():
    setup = configparser.ConfigParser()
    setup.read(DOCS.parent / "setup.cfg")
    extra = setup["options.extras_require"]["docs"]
    assert {"sphinx", "myst-nb", "furo"} <= {line.split(">=")[0] for line in extra.split()}
    assert 'extensions = [\n    "myst_nb"' in (DOCS / "conf.py").read_text()
