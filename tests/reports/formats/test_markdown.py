import dataclasses
import re

from reports.read.results import collect
from tests.reports.rendered import column, render, tables_of


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
    assert (
        "cpu, AMD EPYC, 2 threads, fp32, clips of 8 × 256 × 128 (frames × height × width)"
        in markdown
    )
    assert "`aten::add` × 16, `aten::softmax` × 5" in markdown


def test_two_labels_are_two_tables_each_with_its_gallery(folder, fake):
    markdown = render(collect([folder]))
    results = [t for t in tables_of(markdown) if "mAP (%)" in t[0]]
    assert [len(rows) - 1 for rows in results] == [3, 2]
    assert "120 gallery tracks, 40 queries used, 0 dropped." in markdown
    assert "80 gallery tracks, 40 queries used, 3 dropped." in markdown
    for label in (fake.label, fake.other_label):
        assert f"### `synthetic` · shared recipe `quick` · `{label}`" in markdown


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


def test_notes_stand_in_the_report_with_the_runs_they_are_about(report, fake):
    noted = fake.record("nvan", notes=["2 images were left out | <b>"])
    markdown = report(fake.record(), noted)
    assert rf"- 2 images were left out \| \<b\> (`{noted.run}`)" in markdown


def test_the_order_of_the_folders_does_not_matter(fake, tmp_path):
    for i, method in enumerate(("sta", "nvan", "stenvan")):
        fake.write(tmp_path / str(i), dataclasses.replace(fake.record(method), seed=i))
    folders = [tmp_path / str(i) for i in range(3)]
    assert render(collect(folders)) == render(collect(folders[::-1]))


def test_no_value_slips_through_as_nan_or_none(report, fake):
    bare = fake.record("b", cost=None, cmc=[], metrics={}, environment={}, command=None)
    markdown = report(fake.record("a"), bare)
    assert not re.search(r"\b(nan|NaN|None,|inf)\b", markdown)
