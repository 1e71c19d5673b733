import dataclasses
import re

import pytest

from reports.analysis.comparing import differences
from reports.formats import comparison


@pytest.fixture
def found(compared, inspected):
    looked = (("<b>sta", dataclasses.replace(inspected, query=3)),)
    compared = dataclasses.replace(compared, looked=looked, notes=("a & b were left out",))
    return comparison.parts(compared, differences(compared.systems, 50))


def test_markdown_says_who_is_ahead_and_links_every_picture(found):
    text = comparison.to_markdown(found, "compare")
    links = re.findall(r"\]\(([^)]+)\)", text)
    names = [one.name for one in (*found.charts, *found.films, *found.attention)]
    assert links == [f"compare/{name}.png" for name in names]
    assert text.startswith("# `nvan` and `sta` compared") and "is ahead of `sta`" in text
    assert "zoo inspect results/runs/nvan-0 --label mars-official@1/cos-bn/chunk-first8" in text
    assert "a \\& b were left out" in text and "**`cos-bn`**" in text


def test_the_page_holds_tables_films_and_attention_and_asks_for_nothing(found):
    page = comparison.to_html(found)
    assert page.count('class="strip right"') == page.count('class="strip wrong"') == 1
    for section in ("differences", "films", "attention", "made"):
        assert f'<section id="{section}"' in page
    assert "<caption" in page and "mAP by camera pair (%)" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert 'class="caution">Only 20 test persons' in page


def test_a_name_is_text_whatever_it_holds(found):
    assert "<b>sta" not in comparison.to_html(found)
    assert all(re.fullmatch(r"[\w-]+", one.name) for one in found.attention)
