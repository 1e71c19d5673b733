import re
from itertools import pairwise

import pytest

from reports.analysis.groups import groups
from reports.formats import latex
from reports.formats.latex import escape
from reports.read.results import collect

HARD = r"50 % & $5 #1 a_b {c} ~ ^ \ ± – − × ≈ λ"


@pytest.fixture
def tables(folder, fake):
    """The usual records and one without costs, written by nobody's program."""
    fake.write(folder, fake.record("mine[mode=a|b]", cost=None, metrics={"mAP": 0.5}, cmc=[]))
    return groups(collect([folder]).frame)


def test_latex_prints_any_text_as_it_is():
    assert escape(HARD) == (
        r"50 \% \& \$5 \#1 a\_b \{c\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"$\pm$ -- $-$ $\times$ $\approx$ $\lambda$"
    )


def test_latex_tables_have_as_many_cells_as_columns(tables, folder):
    text = latex.render(collect([folder]), tables, [])
    found = re.findall(r"\\begin\{tabular\}\{@\{\}(\w+)@\{\}\}\n(.*?)\\end\{tabular\}", text, re.S)
    assert len(found) >= 4
    for spec, body in found:
        assert body.startswith("\\toprule\n") and "\\midrule\n" in body and "\\bottomrule" in body
        for line in body.splitlines():
            if line.endswith(r"\\") and "multicolumn" not in line:
                assert len(re.split(r"(?<!\\)&", line)) == len(spec), line
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(found)


def test_latex_is_balanced_and_plain_enough_for_t1(tables, folder):
    text = latex.render(collect([folder]), tables, [])
    bare = re.sub(r"\\[{}]", "", re.sub(r"(?<!\\)%.*", "", text))
    assert bare.count("{") == bare.count("}")
    assert not [character for character in bare if ord(character) > 255]


def test_latex_marks_the_best_bold_and_ties_underlined(empty, fake):
    values = [0.25, 0.75, 0.5, 1.0] * 10
    fake.scored(empty, "nvan", 0, values)
    fake.scored(empty, "sta", 0, [values[0] - 0.125, *values[1:]])
    results = collect([empty])
    text = latex.render(results, groups(results.frame, 500), [])
    assert r"\textbf{62.5}" in text and r"\underline{62.2}" in text
    assert "underlined: not distinguishable from the best" in text


def test_a_group_above_columns_spans_exactly_them(tables, folder):
    text = latex.render(collect([folder]), tables, [])
    (line, rules) = re.search(r"(.*multicolumn.*)\n(.*cmidrule.*)", text).groups()
    widths = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
    spans = [tuple(map(int, span)) for span in re.findall(r"\{(\d+)-(\d+)\}", rules)]
    assert all(last <= sum(widths) for _, last in spans)
    assert [b[0] - a[1] for a, b in pairwise(spans)] == [1] * (len(spans) - 1)


def test_signs_and_unsteady_latencies_stand_in_the_tables_with_their_meaning(empty, fake):
    busy = {**fake.cost, "latency_ms": 457.0, "latency_iqr_ms": 267.0}
    noted = fake.record("seresnet50_avg", cost=busy, notes=["no SE block under backbone=resnet50"])
    fake.write(empty, noted)
    fake.write(empty, fake.record("nvan"))
    results = collect([empty])
    text = latex.render(results, groups(results.frame, 0), [])
    assert r"\texttt{seresnet50\_avg}\textsuperscript{1}" in text
    assert r"\textsuperscript{1} no SE block under backbone=resnet50" in text
    assert r"457 (267.0)\textsuperscript{\ddag}" in text and "unsteady" in text


def test_a_matrix_of_pairs_is_a_table_of_its_own(empty, fake):
    for method, ap in (("nvan", 0.75), ("sta", 0.25)):
        fake.scored(empty, method, 0, [ap, ap / 2] * 10)
    results = collect([empty])
    text = latex.render(results, groups(results.frame, 200), [])
    (matrix,) = [part for part in text.split(r"\begin{table}") if "Who beats whom" in part]
    assert r"1 & \texttt{nvan} &  & > 99 & a \\" in matrix
    assert r"2 & \texttt{sta} & < 1 &  & b \\" in matrix
