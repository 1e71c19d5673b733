"""`zoo cost --against published`: counts without a clock, and what the papers print."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch import nn

from benchmark.cost import timing
from methods.head import Head
from zoo import registry
from zoo.tools import count as costs

NARROW = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


@pytest.fixture(scope="module")
def counts():
    return costs.count_methods(["stenvan", "nlam_nltp"], NARROW)[0]


def test_the_parts_sum_to_the_whole_and_name_every_attention_layer(counts):
    for one in counts.values():
        assert sum(one.parts.values()) == pytest.approx(one.gmacs, rel=1e-9)
        assert {"stem", "stage1", "stage2", "stage3", "stage4", "rest"} <= set(one.parts)
    assert sum(part.startswith("non_local.") for part in counts["stenvan"].parts) == 5
    assert {"after.stage3", "after.stage4", "aggregate"} <= set(counts["nlam_nltp"].parts)


def test_ratios_are_ours_by_theirs_in_both_units(counts):
    (row,) = [row for row in costs.against(counts) if row["method"] == "stenvan"]
    assert row["printed_gflop"] == 16.5 and row["paper"] == "stenvan/1"
    assert row["ratio_1e9"] == pytest.approx(counts["stenvan"].gmacs / 16.5, abs=1e-4)
    assert row["ratio_2^30"] == pytest.approx(row["ratio_1e9"] * 1e9 / 2**30, abs=1e-4)


def test_a_method_without_a_printed_figure_keeps_its_row_with_blanks(counts):
    (row,) = [row for row in costs.against(counts) if row["method"] == "nlam_nltp"]
    assert row["paper"] is row["printed_gflop"] is row["ratio_1e9"] is None


def test_variants_that_a_paper_counts_follow_their_method():
    assert costs.with_printed(["sta", "nvan_t"]) == ["sta", "nvan_t", "nvan_t[pool_after=3]"]


def test_softmax_attention_grows_with_the_square_of_t():
    _, grown = costs.count_methods(["nvan", "resnet50_avg"], NARROW)
    at = {(row["method"], row["clip"]): row["gmacs"] for row in grown}
    plain = {frames: at["resnet50_avg", f"{frames}x256x128"] for frames in (4, 8)}
    ours = {frames: at["nvan", f"{frames}x256x128"] for frames in (4, 8)}
    assert plain[8] == pytest.approx(2 * plain[4], rel=1e-3)
    assert ours[8] > 2.2 * ours[4]


def test_a_clip_that_does_not_fit_has_no_row():
    _, grown = costs.count_methods(["stenvan"], NARROW)
    assert {row["frames"] for row in grown} == {4, 8}  # pairs of pairs: T = 2 does not fit
    assert costs.wide(grown, "clip")[0]["4x256x128"] > 0


def test_a_method_is_built_anew_for_the_clips_that_it_must_be_built_for_and_no_others(monkeypatch):
    made, create = [], registry.create

    def noted(name, **options):
        made.append((name, options["frames"], options["size"]))
        return create(name, **options)

    monkeypatch.setattr(registry, "create", noted)
    whole = (8, (256, 128))
    counts, grown = costs.count_methods(["nvan", "cosam"], NARROW)
    assert set(counts) == {"nvan", "cosam"}
    assert [one[1:] for one in made if one[0] == "nvan"] == [whole]
    clips = [whole, (2, (256, 128)), (4, (256, 128)), (8, (128, 64)), (8, (192, 96))]
    assert [one[1:] for one in made if one[0] == "cosam"] == clips
    assert len(grown) == 10


@pytest.fixture
def far(monkeypatch):
    """A method with an operator that cannot be counted, beside two that it is compared with."""

    class Far(nn.Module):
        distance = "cosine"

        def __init__(self, num_classes):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 6, 3), Head(6, num_classes)

        @property
        def neck(self):
            return self.head.neck

        def forward(self, clips):
            x = self.conv(clips.flatten(0, 1)).unflatten(0, clips.shape[:2]).mean((1, 3, 4))
            return self.head(x + 0 * torch.cdist(x[:, None], x[:, None])[:, 0])

    def far(backbone: nn.Module | str = "resnet50", num_classes: int = 0):
        return Far(num_classes)

    monkeypatch.setattr(registry, "METHODS", (far, *registry.METHODS))


def test_what_cannot_be_counted_is_a_blank_with_the_operators_name(far):
    counts, grown = costs.count_methods(["far", "resnet50_avg"], NARROW)
    rows = {row["method"]: row for row in costs.against(counts)}
    assert rows["far"]["gmacs"] is None and rows["far"]["uncounted"] == "cdist"
    assert rows["resnet50_avg"]["gmacs"] > 0 and rows["resnet50_avg"]["uncounted"] is None
    assert {row["method"] for row in grown} == {"resnet50_avg"}
    assert {row["method"] for row in costs.parts(counts)} == {"resnet50_avg"}


def test_tables_without_a_count_are_written_without_a_plot(far, tmp_path):
    counts, grown = costs.count_methods(["far"], NARROW)
    written = costs.write(tmp_path, costs.against(counts), costs.parts(counts), grown)
    assert [path.name for path in written] == ["published.csv", "parts.csv", "growth.csv"]


@pytest.fixture
def notes():
    """Anybody who waits, and the lines that stay."""
    lines = []
    waiting = SimpleNamespace(begin=lambda title: None, advance=lambda *_: None, note=lines.append)
    return waiting, lines


@pytest.mark.parametrize(
    ("frames", "size", "fitting", "says"),
    [
        (6, (64, 32), {"sta", "resnet50_ta"}, "stenvan: left out: T = 6 frames do not fit"),
        (4, (48, 24), {"stenvan", "resnet50_ta"}, "sta: left out: K = 4 blocks do not divide"),
    ],
)
def test_a_method_that_does_not_fit_is_a_line_and_not_the_end(
    notes, monkeypatch, frames, size, fitting, says
):
    monkeypatch.setattr(timing, "MOST_SECONDS", 0.01)
    waiting, lines = notes
    found = costs.measure_methods(
        ["stenvan", "sta", "resnet50_ta"],
        frames,
        size,
        backbone=NARROW,
        device=torch.device("cpu"),
        progress=waiting,
    )
    assert set(found) == fitting
    (line,) = lines
    assert line.startswith(says)
    assert {(one.frames, one.height, one.width) for one in found.values()} == {(frames, *size)}


def test_a_backbone_that_does_not_fit_a_method_is_a_line(notes):
    waiting, lines = notes
    shallow = "resnet50[channels=4+8+8+8,layers=1+1+1+1,stem=4]"
    counts, _ = costs.count_methods(["nvan", "sta"], shallow, waiting)
    assert set(counts) == {"sta"}
    assert lines == [
        "nvan: left out: stage 2 of the backbone has 1 blocks, and non-local layers need 2 of them"
    ]


def test_a_method_that_nobody_knows_is_the_end():
    with pytest.raises(LookupError, match="stenvam"):
        costs.count_methods(["stenvam"], NARROW)


def test_the_command_measures_what_fits_and_says_what_does_not(call, monkeypatch):
    monkeypatch.setattr(timing, "MOST_SECONDS", 0.01)
    small = ("--height", 64, "--width", 32, "--backbone", NARROW, "--device", "cpu")
    words = ("--methods", "stenvan,resnet50_ta", *small)
    status, out, err = call("cost", *words, "--frames", 6, "--json")
    (row,) = json.loads(out)
    assert status == 0 and row["method"] == "resnet50_ta" and row["uncounted"] == []
    assert "latency_steady" in row and "stenvan: left out" in err
    status, out, err = call("cost", "--methods", "stenvan", *small, "--frames", 6)
    assert status == 1 and not out and "stenvan: left out" in err


def test_the_command_prints_json_and_writes_tables_and_a_plot(call, tmp_path):
    words = ["--methods", "sta", "--backbone", NARROW, "--against", "published", "--json"]
    status, out, _ = call("cost", *words, "--out", tmp_path)
    (row,) = json.loads(out)
    assert status == 0
    assert {"method", "gmacs", "params_m", "frames", "height", "width", "parts"} <= set(row)
    assert (row["frames"], row["height"], row["width"]) == (8, 256, 128)
    assert set(pd.read_csv(tmp_path / "growth.csv")["method"]) == {"sta"}
    assert pd.read_csv(tmp_path / "parts.csv")["percent"].sum() == pytest.approx(100, abs=0.1)
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_anything_but_published_is_one_line(call):
    status, _, err = call("cost", "--against", "rumours")
    assert status == 2 and "expected published" in err and "Traceback" not in err
