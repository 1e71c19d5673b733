import pytest

from reports.formats.provenance import duration
from reports.read.results import collect
from tests.reports.rendered import column, render, tables_of


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


@pytest.mark.parametrize(
    ("seconds", "words"), [(61.5, "62 s"), (600, "10 min"), (7500, "2 h 05 min")]
)
def test_durations_are_told_in_a_fitting_unit(seconds, words):
    assert duration(seconds) == words
