"""Whose methods ours are."""

import ast
import re
from pathlib import Path

import pytest

import zoo
from benchmark.published.bibliography import PAPERS, paper_of

METHODS = Path(__file__).parents[3] / "methods"
DOCSTRINGS = " ".join(
    " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    for path in sorted(METHODS.glob("*.py"))
)


def test_every_method_has_one_paper_and_every_paper_s_methods_are_there():
    ours = set(zoo.list_methods())
    listed = [method for paper in PAPERS for method in paper.methods]
    assert len(listed) == len(set(listed)) and ours <= set(listed)
    assert paper_of("sta[blocks=8]").key == "sta" and paper_of("mine") is None


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_what_is_told_of_a_paper_stands_in_a_method_s_docstring(paper):
    authors = "Radford et al." if paper.key == "clip" else ", ".join(paper.authors)
    _, *after = DOCSTRINGS.split(f'{authors}: "{paper.title}"')
    known = (str(paper.year), paper.venue, paper.arxiv)
    assert any(all(part in text[:50] for part in known) for text in after)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_an_entry_has_the_fields_that_are_known_and_no_blank_one(paper):
    entry = paper.bibtex
    assert entry.count("{") == entry.count("}") and "{}" not in entry
    assert f"year = {{{paper.year}}}" in entry
    assert ("booktitle" in entry or "journal" in entry) == bool(paper.venue)
    assert len(re.findall(r"^@(article|inproceedings|misc)\{\w+,$", entry, re.M)) == 1


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_a_paper_s_link_is_an_https_page_and_its_preprint_if_there_is_a_number(paper):
    assert re.fullmatch(r"https://[\w.-]+/[\w./-]+", paper.link)
    if paper.arxiv:
        assert paper.link == f"https://arxiv.org/abs/{paper.arxiv}"
