import dataclasses
import re

import pytest
from markdown_it import MarkdownIt

from reports.analysis.groups import collect, groups
from reports.formats import markdown as page
from reports.formats.markup import block, code, table, text
from reports.formats.provenance import duration


def render(results):
    return page.render(results, groups(results.frame))


def tables_of(markdown):
    """Every table as a list of rows of cells, read by a Markdown parser."""
    tables, row = [], None
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            row = []
            tables[-1].append(row)
        elif token.type == "inline" and row is not None:
            row.append(token.content)
        elif token.type == "table_close":
            row = None
    return tables


def column(markdown, title, number=0):
    """The cells below a title of the n-th table that has it."""
    head, *rows = [table for table in tables_of(markdown) if title in table[0]][number]
    return [row[head.index(title)] for row in rows]


@pytest.fixture
def report(empty, fake):
    """Writes records and renders the report on them."""

    def report(*records):
        for record in records:
            fake.write(empty, record)
        return render(collect([empty]))

    return report


def test_accuracy_is_percent_with_its_spread_and_the_best_is_bold(report, fake):
    records = [fake.record("sta", seed=i, score=0.7 + i / 50) for i in range(3)]
    markdown = report(*records, fake.record("nvan", score=0.6))
    assert column(markdown, "mAP (%)") == ["**72.0 ± 2.0**", "60.0"]
    assert column(markdown, "mINP (%)") == ["**36.0 ± 1.0**", "30.0"]
    assert column(markdown, "Seeds") == ["3", "1"]


def test_what_looks_equal_is_bold_in_both_rows(report, fake):
    markdown = report(fake.record("sta", score=0.70001), fake.record("nvan", score=0.70002))
    assert column(markdown, "mAP (%)") == ["**70.0**", "**70.0**"]


def test_the_best_of_one_is_not_bold(report, fake):
    assert column(report(fake.record()), "mAP (%)") == ["70.0"]


def test_what_is_missing_is_blank_and_never_zero(report, fake):
    blank = fake.record("nvan", score=0.5, cost=None, metrics={"mAP": 0.5})
    markdown = report(fake.record("sta"), blank)
    # The run's own cost stands in where there is one, and here there is none.
    for title in ("R1 (%)", "mINP (%)", "GMACs", "Latency (ms)", "Clips/s", "Params (M)"):
        assert column(markdown, title)[1] == ""
        assert column(markdown, title)[0] != ""


def test_costs_are_shown_with_their_unit_and_conditions(report, fake):
    markdown = report(fake.record())
    assert column(markdown, "GMACs") == ["17.78"]
    assert column(markdown, "Latency (ms)") == ["210 (4.0)"]
    assert column(markdown, "Clips/s") == ["5.10 (4)"]
    assert "cpu, AMD EPYC, fp32, clips of 8 × 256 × 128 (frames × height × width)" in markdown
    assert "`aten::add` × 16, `aten::softmax` × 5" in markdown


def test_two_labels_are_two_tables_each_with_its_gallery(folder, fake):
    markdown = render(collect([folder]))
    results = [t for t in tables_of(markdown) if "mAP (%)" in t[0]]
    assert [len(rows) - 1 for rows in results] == [3, 2]
    assert "120 gallery tracks, 40 queries used, 0 dropped." in markdown
    assert "80 gallery tracks, 40 queries used, 3 dropped." in markdown
    for label in (fake.label, fake.other_label):
        assert f"### `synthetic` · `quick` · `{label}`" in markdown


def test_two_fingerprints_of_one_data_set_have_two_headlines(report, fake):
    markdown = report(fake.record(), fake.record("nvan", fingerprint="000000000000"))
    assert "### `synthetic` (`000000000000`) · " in markdown
    assert "### `synthetic` (`5f0c2b7de9a1`) · " in markdown


def test_galleries_that_differ_between_records_are_said_to(report, fake):
    markdown = report(fake.record("sta"), fake.record("nvan", gallery=119, dropped=1))
    assert "**Gallery and queries differ between records:**" in markdown
    assert "119 gallery tracks, 40 queries used, 1 dropped (`nvan`)" in markdown


def test_galleries_that_differ_between_splits_only_are_told_by_split(report, fake):
    records = [
        fake.record(method, split=split, gallery=100 + split)
        for method in ("sta", "nvan")
        for split in range(2)
    ]
    markdown = report(*records)
    assert "split 0: 100 gallery tracks" in markdown and "split 1: 101 gallery" in markdown
    assert "differ between records" not in markdown
    assert column(markdown, "Runs (splits × seeds)") == ["2 (2 × 1)", "2 (2 × 1)"]


def test_a_pipe_does_not_end_a_cell(report, fake):
    markdown = report(fake.record("sta[mode=a|b]"), fake.record("nvan"))
    for rows in tables_of(markdown):
        assert len({len(row) for row in rows}) == 1
    assert "`sta[mode=a|b]`" in column(markdown, "Method")


def test_the_reader_is_told_which_bits_and_what_to_type(report, fake):
    markdown = report(fake.record(), fake.record("nvan", commit="abc1234+changes"))
    record = fake.record()
    for word in (record.fingerprint, record.checkpoint, record.run, record.commit):
        assert word in markdown
    assert f"```sh\n{record.command}\n```" in markdown
    assert "`abc1234+changes`; the tree had changes" in markdown
    assert "Which epoch was scored: last epoch." in markdown
    assert "processor AMD EPYC, threads 2, gpu none, device cpu, precision fp32" in markdown
    assert "torch 2.15.0" in markdown and "40 persons, 160 tracklets" in markdown


def test_each_machine_is_told_once_and_each_run_says_on_which_it_ran(report, fake):
    gpu = {**fake.environment, "gpu": "H200", "device": "cuda"}
    markdown = report(fake.record(), fake.record("nvan"), fake.record("x", environment=gpu))
    assert markdown.count("**Machine A**") == 1 and markdown.count("**Machine B**") == 1
    assert "gpu H200" in markdown
    assert column(markdown, "Machine") == ["A", "A", "B"]


def test_what_was_not_recorded_is_said_to_be_missing(report, fake):
    markdown = report(fake.record(commit=None, command=None, selection=None, checkpoint=None))
    assert "Commit: not recorded." in markdown
    assert "Which epoch was scored: not recorded." in markdown
    assert "No command was recorded for" in markdown
    assert "sha256 of the scored weights was not recorded" in markdown


def test_notes_stand_in_the_report_with_the_runs_they_are_about(report, fake):
    noted = fake.record("nvan", notes=["2 images were left out | <b>"])
    markdown = report(fake.record(), noted)
    assert rf"- 2 images were left out \| \<b\> (`{noted.run}`)" in markdown


def test_failures_and_problems_are_told_at_the_top_and_at_the_end(folder, fake):
    fake.fail(folder)
    (folder / "runs" / "nvan-ffffffffffff").mkdir()
    (fake.write(folder, fake.record("broken")) / "records").joinpath("x.json").write_text("{")
    markdown = render(collect([folder]))
    top = "1 run failed, 1 run has no result yet, 1 file could not be used"
    assert top in markdown.partition("## Results")[0]
    failed = tables_of(markdown.partition("## Failed runs")[2])[0]
    assert failed[1] == [
        "`0123456789ab`",
        "`sta[blocks=8]`",
        "`quick`",
        "`synthetic`",
        "train",
        "`the loss is not a number at step 12`",
        "0",
        "3",
    ]
    assert "`runs/nvan-ffffffffffff`" in markdown
    assert "x.json is not JSON" in markdown.partition("## Problems")[2]


def test_without_failures_and_problems_the_report_says_so(folder):
    markdown = render(collect([folder]))
    assert "## Failed runs\n\nNone." in markdown and "## Problems\n\nNone" in markdown


def test_a_run_that_failed_after_it_had_results_is_said_to(report, fake, empty):
    record = fake.record()
    fake.write(empty, record)
    fake.fail(empty, f"sta-{record.run}")
    assert f"Results of `{record.run}` from before the failure" in render(collect([empty]))


def test_the_order_of_the_folders_does_not_matter(fake, tmp_path):
    for i, method in enumerate(("sta", "nvan", "stenvan")):
        fake.write(tmp_path / str(i), dataclasses.replace(fake.record(method), seed=i))
    folders = [tmp_path / str(i) for i in range(3)]
    assert render(collect(folders)) == render(collect(folders[::-1]))


def test_free_text_stays_text():
    hard = "a|b `c` *d* _e_ <script> [f](g) \\ #h\nsecond line"
    (token,) = [t for t in MarkdownIt("commonmark").parse(text(hard)) if t.type == "inline"]
    assert {child.type for child in token.children} <= {"text", "text_special"}
    assert "".join(child.content for child in token.children) == " ".join(hard.split())


@pytest.mark.parametrize("words", ["plain", "a`b", "``", "a|b", "`edge`", "x_y*z"])
def test_code_holds_any_word_in_a_line_and_in_a_cell(words):
    def spans(markdown):
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
        children = [child for token in tokens for child in token.children or ()]
        return [child.content for child in children if child.type == "code_inline"]

    assert spans(code(words)) == [words]
    assert spans(table([("title", [code(words)])])) == [words]


def test_a_block_is_not_closed_by_what_is_in_it():
    (token,) = MarkdownIt("commonmark").parse(block(["a", "```", "b"]))
    assert token.content == "a\n```\nb\n"


def test_columns_without_a_single_value_are_left_out():
    assert table([("a", ["1", "2"]), ("b", ["", ""])]) == "| a |\n| --- |\n| 1 |\n| 2 |"


@pytest.mark.parametrize(
    ("seconds", "words"), [(61.5, "62 s"), (600, "10 min"), (7500, "2 h 05 min")]
)
def test_durations_are_told_in_a_fitting_unit(seconds, words):
    assert duration(seconds) == words


def test_no_value_slips_through_as_nan_or_none(report, fake):
    bare = fake.record("b", cost=None, cmc=[], metrics={}, environment={}, command=None)
    markdown = report(fake.record("a"), bare)
    assert not re.search(r"\b(nan|NaN|None,|inf)\b", markdown)
