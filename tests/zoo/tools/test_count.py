"""`zoo cost --against published`: counts without a clock, and what the papers print."""

import json

import pandas as pd
import pytest

from zoo.tools import count as costs

NARROW = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


@pytest.fixture(scope="module")
def counts():
    return costs.count_methods(["stenvan", "nlam_nltp"], NARROW, lambda *_: None)[0]


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
    _, grown = costs.count_methods(["nvan", "resnet50_avg"], NARROW, lambda *_: None)
    at = {(row["method"], row["clip"]): row["gmacs"] for row in grown}
    plain = {frames: at["resnet50_avg", f"{frames}x256x128"] for frames in (4, 8)}
    ours = {frames: at["nvan", f"{frames}x256x128"] for frames in (4, 8)}
    assert plain[8] == pytest.approx(2 * plain[4], rel=1e-3)
    assert ours[8] > 2.2 * ours[4]


def test_a_clip_that_does_not_fit_has_no_row():
    _, grown = costs.count_methods(["stenvan"], NARROW, lambda *_: None)
    assert {row["frames"] for row in grown} == {4, 8}  # pairs of pairs: T = 2 does not fit
    assert costs.wide(grown, "clip")[0]["4x256x128"] > 0


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
