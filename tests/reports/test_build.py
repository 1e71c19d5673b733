import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reports import build as building
from reports.build import FORMATS, build, stale
from reports.read import inspection
from reports.read.inspection import Inspection, Strip

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)]+)\)")
NO_TORCH = """
import sys
import reports.build
ours = {n for n in sys.modules if n.startswith(("benchmark", "methods", "zoo"))}
assert not {"torch", "torchvision", "timm", "matplotlib.pyplot"} & set(sys.modules)
names = ("record", "record_schema", "published", "published.bibliography", "significance")
names += ("files", "label", "progress", "variants")
allowed = {f"benchmark.{name}" for name in names}
assert ours <= {"benchmark", *allowed}, ours
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
    # three trade-offs and CMC a label, training once, and what the papers print on two data sets
    assert len(links) == 2 * 4 + 1 + 2 * 2
    for link in links:
        assert link.count("/") == 1 and (tmp_path / "out" / link).read_bytes()[:4] == b"\x89PNG"
    written = {path.relative_to(tmp_path / "out").as_posix() for path in report.written}
    assert written == {*links, "report.html", "report.md"}
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
    old = set(build([small], out).written)
    own = {out / "my-own.png", out / "cmc-copy.png", out / "published" / "mine.png"}
    for path in own:
        path.write_bytes(b"mine")
    for path in small.glob("runs/*/records/mars-torchreid*.json"):
        path.unlink()
    new = set(build([small], out).written)
    assert new < old
    assert {path for path in out.rglob("*") if path.is_file()} == new | own
    assert all(any(path.iterdir()) for path in out.iterdir() if path.is_dir())


def test_long_names_of_earlier_reports_are_cleaned_up(small, tmp_path):
    (tmp_path / f"map-gmacs-synthetic-quick-mars-official-1-cos-bn-{'0' * 12}.png").touch()
    (tmp_path / "inspect-sta-0123456789ab-open@1_cos-bn-query-00012.png").touch()
    build([small], tmp_path, ("md",))
    assert [path.name for path in tmp_path.glob("*.png")] == []


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
    assert [path.name for path in report.written] == ["report.html", "report.md"]
    assert "the loss is not a number" in report.path.read_text()


def test_one_method_alone_has_no_picture_of_a_trade_off(empty, fake, tmp_path):
    fake.write(empty, fake.record())
    names = [path.name for path in build([empty], tmp_path / "out", ("md",)).written]
    published = ["mars-frames.png", "duke_video-frames.png"]
    assert names == ["cmc.png", *published, "training.png", "report.md"]


def test_latencies_of_two_machines_are_not_drawn_together(empty, fake, tmp_path):
    fake.write(empty, fake.record())
    other = {**fake.environment, "processor": "another"}
    fake.write(empty, fake.record("nvan", environment=other))
    names = [path.name for path in build([empty], tmp_path / "out").written]
    assert "map-gmacs.png" in names
    assert "map-latency.png" not in names


def test_a_method_that_a_figure_cannot_show_is_named_below_it(empty, fake, tmp_path):
    for method, cost in (("a", fake.cost), ("b", fake.cost), ("c", None)):
        fake.write(empty, fake.record(method, cost=cost))
    text = build([empty], tmp_path / "out").path.read_text()
    assert "mAP and R1 against computation. Not measured, so not shown: c." in text


def test_names_of_figures_do_not_depend_on_what_else_is_reported(small, tmp_path):
    both = {
        str(path.relative_to(tmp_path / "a")) for path in build([small], tmp_path / "a").written
    }
    shutil.copytree(small, tmp_path / "less")
    for path in (tmp_path / "less").glob("runs/*/records/mars-torchreid*.json"):
        path.unlink()
    less = build([tmp_path / "less"], tmp_path / "b").written
    assert {str(path.relative_to(tmp_path / "b")) for path in less} < both


def test_reports_import_neither_torch_nor_anything_else_of_ours():
    assert subprocess.run([sys.executable, "-c", NO_TORCH], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("formats", "kinds"),
    [
        (("md",), {".md", ".png"}),
        (("html",), {".html"}),
        (("tex",), {".tex", ".pdf"}),
        (("csv",), {".csv"}),
        (("json",), {".json"}),
        (FORMATS, {".md", ".png", ".html", ".tex", ".pdf", ".csv", ".json"}),
    ],
    ids=("md", "html", "tex", "csv", "json", "all"),
)
def test_each_format_writes_what_it_needs_and_no_more(small, tmp_path, formats, kinds):
    report = build([small], tmp_path / "out", formats)
    assert {path.suffix for path in report.written} == kinds
    found = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == set(report.written)
    assert [path.name for path in report.reports] == [f"report.{name}" for name in formats]


def test_latex_s_figures_lie_beside_it_as_vectors(small, tmp_path):
    report = build([small], tmp_path, ("tex",))
    links = re.findall(r"\\includegraphics\[.*?\]\{(.*?)\}", report.path.read_text())
    assert links
    for link in links:
        assert (tmp_path / link).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("formats", [(), ("docx",), ("md", "pdf")], ids=str)
def test_an_unknown_format_is_an_error_that_names_those_there_are(small, tmp_path, formats):
    with pytest.raises(ValueError, match="expected md, html, tex, csv, json"):
        build([small], tmp_path / "out", formats)
    assert not (tmp_path / "out").exists()


def test_a_fresh_report_is_not_stale(small, tmp_path):
    build([small], tmp_path, FORMATS)
    assert stale([small], tmp_path, FORMATS) == []


def test_a_report_is_stale_when_a_record_changed_a_file_was_edited_or_one_is_missing(
    small, fake, tmp_path
):
    build([small], tmp_path, ("md", "csv"))
    (tmp_path / "report.md").write_text("edited by hand")
    next(tmp_path.glob("*/cmc.png")).unlink()
    (tmp_path / f"cmc-old-{'0' * 12}.png").write_bytes(b"")
    found = stale([small], tmp_path, ("md", "csv"))
    assert [line.rpartition(" ")[2] for line in found] == ["missing", "now", "report"]
    assert "report.md is not what the records give now" in found[1]
    build([small], tmp_path, ("md", "csv"))
    fake.write(small, fake.record("nvan"))
    told = " ".join(stale([small], tmp_path, ("md", "csv")))
    assert "report.md is not what" in told and "report.csv is not what" in told


def test_checking_writes_nothing(small, tmp_path):
    assert stale([small], tmp_path / "nothing", ("csv",))
    assert not (tmp_path / "nothing").exists()


def test_what_was_looked_at_is_in_the_report_with_the_pictures_that_were_drawn(
    small, fake, tmp_path
):
    (run,) = (small / "runs").iterdir()
    strip = Strip(
        kind="query", rank=None, row=3, pid=1, camid=1, distance=None,
        frames=np.zeros((2, 8, 4, 3), np.uint8), attention={"scores": np.ones((2, 2))},
    )  # fmt: skip
    about = {"run": run.name[-12:], "method": "sta", "recipe": "quick", "seed": 0, "split": 0}
    about |= {"dataset": "synthetic", "fingerprint": "bits", "label": "open@1/cos-bn/even2"}
    one = Inspection(**about, query=3, ap=0.5, first=2.0, matches=1, strips=(strip,))
    inspection.save(one, run / "inspect" / "open@1_cos-bn_even2")
    drawn = run / "inspect" / "open@1_cos-bn_even2" / "query-00003.png"
    drawn.write_bytes(b"as it was drawn")
    report = build([small], tmp_path / "out", ("md",))
    found = sorted(path for path in report.written if path.parent.name == "inspected")
    assert [path.name.split("query")[1] for path in found] == [
        "-00003-attention-0.png",
        "-00003.png",
    ]
    assert found[1].read_bytes() == b"as it was drawn"
    assert found[0].read_bytes().startswith(b"\x89PNG")
    assert "## Inspected queries" in report.path.read_text()
    inspection.save(one, run / "inspect" / "open").write_text("{")
    problems = build([small], tmp_path / "out", ("csv",)).problems
    assert any("query-00003.json is no inspection" in line for line in problems)


@pytest.mark.slow
def test_a_thousand_records_make_a_page_that_can_still_be_sent(tmp_path, fake):
    """On two idle cores it takes some 30 s."""
    names = ("mars-official", "mars-ste-nvan", "mars-ap3d", "mars-torchreid", "open")
    labels = [f"{name}@1/cos-bn/chunk-first8" for name in names]
    rng = np.random.default_rng(0)
    for method in range(40):
        cost = {**fake.cost, "gmacs": float(rng.uniform(5, 80))}
        for seed in range(5):
            for label in labels:
                ap = rng.integers(1, 17, 360) / 16
                name = f"sta[blocks={method + 1}]"
                fake.scored(tmp_path / "results", name, seed, ap, label=label, cost=cost)
    report = build([tmp_path / "results"], tmp_path / "out", FORMATS)
    assert not report.problems
    assert (tmp_path / "out" / "report.html").stat().st_size <= 6_000_000
