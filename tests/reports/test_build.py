import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reports import build as building
from reports.build import build

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)]+)\)")
NO_TORCH = """
import sys
import reports.build
ours = {n for n in sys.modules if n.startswith(("benchmark", "methods", "zoo"))}
assert not {"torch", "torchvision", "timm", "matplotlib.pyplot"} & set(sys.modules)
assert ours <= {"benchmark", "benchmark.record"}, ours
"""


@pytest.fixture
def small(empty, fake):
    """One run under two labels: few figures, so quick to draw."""
    for label in (fake.label, fake.other_label):
        fake.write(empty, fake.record(label=label))
    return empty


def test_every_link_in_the_report_leads_to_a_file_beside_it(folder, tmp_path):
    report = build([folder], tmp_path / "out")
    links = LINK.findall(report.path.read_text())
    assert len(links) == 2 * 3 + 1  # two trade-offs and CMC a label, training once
    for link in links:
        assert "/" not in link and (tmp_path / "out" / link).read_bytes()[:4] == b"\x89PNG"
    assert {path.name for path in report.written} == {*links, "report.md"}
    assert report.written[-1] == report.path == tmp_path / "out" / "report.md"


def test_the_same_records_give_the_same_bytes(folder, tmp_path):
    first, second = build([folder], tmp_path / "a"), build([folder], tmp_path / "b")
    assert len(first.written) == len(second.written) > 1
    for one, two in zip(first.written, second.written, strict=True):
        assert one.name == two.name and one.read_bytes() == two.read_bytes()


def test_a_report_may_lie_in_the_result_folder_itself(small):
    before = build([small], small).path.read_bytes()
    assert build([small], small).path.read_bytes() == before


def test_figures_of_an_earlier_report_go_and_other_files_stay(small, tmp_path):
    out = tmp_path / "out"
    old = {path.name for path in build([small], out).written}
    (out / "my-own.png").write_bytes(b"mine")
    (out / "cmc-copy.png").write_bytes(b"mine too")
    for path in small.glob("runs/*/records/mars-torchreid*.json"):
        path.unlink()
    new = {path.name for path in build([small], out).written}
    assert new < old
    assert {path.name for path in out.iterdir()} == new | {"my-own.png", "cmc-copy.png"}


def test_an_interrupted_build_leaves_the_old_report_whole(small, tmp_path, monkeypatch):
    out = tmp_path / "out"
    old = build([small], out).path.read_text()
    for path in small.glob("runs/*/records/mars-torchreid*.json"):
        path.unlink()

    def stop(path, text):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "write_text", stop)
    with pytest.raises(KeyboardInterrupt):
        build([small], out)
    assert (out / "report.md").read_text() == old
    assert all((out / link).is_file() for link in LINK.findall(old))


def test_problems_and_failures_are_handed_to_the_caller(small, fake, tmp_path):
    fake.fail(small)
    (records,) = small.glob("runs/*/records")
    (records / "x.json").write_text("{")
    report = build([small], tmp_path / "out")
    assert len(report.problems) == len(report.failures) == 1
    assert report.failures[0].reason in report.path.read_text()


def test_no_records_at_all_is_an_error_of_one_line(empty, tmp_path):
    with pytest.raises(ValueError, match=r"no records to report on below .*results") as caught:
        build([empty], tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_only_failures_still_make_a_report_that_names_them(empty, fake, tmp_path):
    fake.fail(empty)
    report = build([empty], tmp_path / "out")
    assert [path.name for path in report.written] == ["report.md"]
    assert "the loss is not a number" in report.path.read_text()


def test_one_method_alone_has_no_picture_of_a_trade_off(empty, fake, tmp_path):
    fake.write(empty, fake.record())
    names = [path.name for path in build([empty], tmp_path / "out").written]
    assert [name.split("-")[0] for name in names] == ["cmc", "training", "report.md"]


def test_latencies_of_two_machines_are_not_drawn_together(empty, fake, tmp_path):
    fake.write(empty, fake.record())
    other = {**fake.environment, "gpu": "H200"}
    fake.write(empty, fake.record("nvan", environment=other))
    names = [path.name for path in build([empty], tmp_path / "out").written]
    assert any(name.startswith("map-gmacs-") for name in names)
    assert not any(name.startswith("map-latency-") for name in names)


def test_a_method_that_a_figure_cannot_show_is_named_below_it(empty, fake, tmp_path):
    for method, cost in (("a", fake.cost), ("b", fake.cost), ("c", None)):
        fake.write(empty, fake.record(method, cost=cost))
    text = build([empty], tmp_path / "out").path.read_text()
    assert "mAP against computation. Not measured, so not shown: c." in text


def test_names_of_figures_do_not_depend_on_what_else_is_reported(small, tmp_path):
    both = {path.name for path in build([small], tmp_path / "a").written}
    shutil.copytree(small, tmp_path / "less")
    for path in (tmp_path / "less").glob("runs/*/records/mars-torchreid*.json"):
        path.unlink()
    assert {path.name for path in build([tmp_path / "less"], tmp_path / "b").written} < both


def test_reports_import_neither_torch_nor_anything_else_of_ours():
    assert subprocess.run([sys.executable, "-c", NO_TORCH], cwd=ROOT).returncode == 0
