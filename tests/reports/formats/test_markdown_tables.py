import pytest
from markdown_it import MarkdownIt

from reports.analysis.sheets import Cell, Column, Sheet
from reports.figures.pictures import Picture
from reports.formats.markdown_tables import markdown_table, picture_link, sheet, small


@pytest.mark.parametrize(
    ("cell", "kind", "shown"),
    [
        (Cell("70.0", "best"), "number", "**70.0**"),
        (Cell("69.9", "tie"), "number", "69.9 ≈"),
        (Cell("457", sign="‡"), "number", "457 ‡"),
        (Cell("a_b", sign="¹ †"), "name", "`a_b` ¹ †"),
        (Cell("a_b"), "words", r"a\_b"),
        (Cell("70.0", "best", "‡"), "number", "**70.0** ‡"),
    ],
)
def test_a_cell_has_its_mark_and_the_sign_behind_it(cell, kind, shown):
    assert markdown_table([Column("x", [cell], kind=kind)]).splitlines()[-1] == f"| {shown} |"


def test_a_header_over_columns_is_said_in_each():
    columns = [Column("mAP", [Cell("1")], header="published: a_b")]
    assert markdown_table(columns).startswith(r"| mAP, published: a\_b |")


def test_names_and_words_stand_left_and_numbers_right():
    columns = [Column("n", [Cell("a")], kind="name"), Column("m", [Cell("1")])]
    assert markdown_table(columns).splitlines()[1] == "| --- | ---: |"


def test_a_sheet_has_its_title_above_and_its_notes_below():
    made = sheet(Sheet("Who <b>", [Column("n", [Cell("1")])], ["one", "two & three"]))
    assert made[0] == r"**Who \<b\>**" and made[2] == r"<sub>one; two \& three.</sub>"
    assert len(sheet(Sheet("t", [Column("n", [Cell("1")])], []))) == 2
    assert small(["x"]) == "<sub>x.</sub>"


def test_a_caption_is_text_in_the_picture_and_below_it():
    made = picture_link(Picture("results", None, "x.png", "a_b ![x](y) <img>"))
    tokens = MarkdownIt("commonmark").parse(made)
    images = [c for t in tokens for c in t.children or () if c.type == "image"]
    assert [image.attrs["src"] for image in images] == ["x.png"]
    assert "<img>" not in made.replace(r"\<img\>", "")
