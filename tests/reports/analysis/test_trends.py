import json

import numpy as np
import pytest

from benchmark.files import write_json
from reports.analysis.groups import groups
from reports.analysis.trends import all_trends, counted, without_frames
from reports.read.results import collect

AP = [0.25, 0.75, 0.5, 1.0] * 10


def sweep(folder, record, knob, values, spec_bits):
    """Note a run's sweep as `zoo bench --sweep` does."""
    (run,) = folder.glob(f"runs/*-{record.run}")
    points = [{"value": v, "dataset": name, "fingerprint": bits} for v, name, bits in values]
    told = {"dataset": record.dataset, "fingerprint": spec_bits}
    write_json(
        run / "sweeps" / f"{knob}.json", {"knob": knob, "trained_on": told, "points": points}
    )
    summary = json.loads((run / "run.json").read_text())
    write_json(run / "run.json", {**summary, "spec": told})


@pytest.fixture
def swept(empty, fake):
    """Two methods trained on one set, scored on it and on two others."""
    for method, worse in (("sta", 0.0), ("nvan", 0.125)):
        own = fake.scored(empty, method, 0, AP)
        points = [(0.3, own.dataset, own.fingerprint)]
        for value, lower in ((0.0, 0.0), (0.6, 0.25)):
            name, bits = f"synthetic[occlusion={value}]", f"bits{value}"
            ap = [max(a - lower - worse, 0.125) for a in AP]
            fake.scored(empty, method, 0, ap, dataset=name, fingerprint=bits, run=own.run)
            points.append((value, name, bits))
        sweep(empty, own, "occlusion", points, own.fingerprint)
    return empty


def test_a_sweep_is_one_series_a_method_over_the_values_of_its_knob(swept):
    (trend,) = all_trends(collect([swept]))
    assert trend.kind == "knob" and trend.axis == "occlusion of the test set"
    assert trend.title.startswith("trained once on synthetic · quick · mars-official@1")
    sta = trend.rows[trend.rows["name"] == "sta"]
    assert list(sta["x"]) == [0.0, 0.3, 0.6]
    lowest = np.mean([max(a - 0.25, 0.125) for a in AP])
    assert list(sta["mAP"]) == pytest.approx([np.mean(AP), np.mean(AP), lowest])
    assert (sta["mAP_low"] < sta["mAP"]).all() and (sta["mAP"] < sta["mAP_high"]).all()


def test_what_a_sweep_scored_is_in_no_ranking(swept):
    results = collect([swept])
    assert len(results.frame) == 6 and results.frame["swept"].sum() == 4
    (group,) = groups(results.frame)
    assert group.key.dataset == "synthetic" and len(group.records) == 2


def test_a_run_scored_on_a_set_it_was_not_trained_on_is_never_ranked_with_those_that_were(
    empty, fake
):
    fake.scored(empty, "sta", 0, AP, dataset="mars")
    far = fake.scored(empty, "nvan", 0, AP, dataset="mars")
    (run,) = empty.glob(f"runs/*-{far.run}")
    write_json(run / "run.json", {"spec": {"dataset": "synthetic", "fingerprint": "other"}})
    found = groups(collect([empty]).frame)
    assert [(g.key.source, list(g.rows["method"])) for g in found] == [
        ("", ["sta"]),
        ("synthetic", ["nvan"]),
    ]


def test_a_broken_sweep_is_named_and_the_records_stay(swept):
    path = next(swept.glob("runs/sta-*/sweeps/occlusion.json"))
    path.write_text('{"knob": "occlusion", "points": [{"value": "much"}]}')
    results = collect([swept])
    assert any("sweeps/occlusion.json is no sweep" in problem for problem in results.problems)
    assert len(results.frame) == 6


def test_recipes_that_differ_in_the_clip_length_alone_are_one_series(empty, fake):
    label = "mars-official@1/cos-bn/chunk-first{}"
    for frames, recipe in ((4, "quick"), (8, "quick[frames=8]"), (8, "quick[epochs=3,frames=8]")):
        changes = {"recipe": recipe, "label": label.format(frames)}
        fake.scored(empty, "sta", 0, AP, **changes)
    (trend,) = all_trends(collect([empty]))
    assert (trend.kind, list(trend.rows["x"])) == ("frames", [4.0, 8.0])
    assert trend.title == "synthetic · quick · mars-official@1/cos-bn/chunk-firstT"


@pytest.mark.parametrize(
    ("recipe", "rest"),
    [
        ("quick", "quick"),
        ("quick[frames=8]", "quick"),
        ("quick[epochs=3,frames=8]", "quick[epochs=3]"),
        ("quick[backbone=resnet50[layers=1+1+1+1]]", "quick[backbone=resnet50[layers=1+1+1+1]]"),
        ("paper/sta", "paper/sta"),
    ],
)
def test_a_recipe_without_its_clip_length_keeps_the_rest(recipe, rest):
    assert without_frames(recipe) == rest


def test_costs_of_several_image_sizes_are_a_series_of_their_own(empty, fake):
    for height in (128, 256):
        cost = {**fake.cost, "height": height, "width": height // 2}
        fake.write(empty, fake.record("sta", recipe=f"quick[height={height}]", cost=cost))
    (trend,) = all_trends(collect([empty]))
    assert trend.kind == "cost-size" and list(trend.rows["x"]) == [128.0, 256.0]


def test_costs_along_the_clip_length_are_one_series_a_method(empty, fake):
    for frames in (8, 2, 4):
        cost = {**fake.cost, "frames": frames, "gmacs": 2.0 * frames}
        fake.write(empty, fake.record("sta", recipe=f"quick[frames={frames}]", cost=cost))
    results = collect([empty])
    assert list(counted(results)["frames"]) == [2, 4, 8]
    (trend,) = all_trends(results)
    assert trend.kind == "cost-frames" and trend.title == "256 × 128 pixels · cpu · fp32"
    assert list(trend.rows["gmacs"]) == [4.0, 8.0, 16.0]
    assert list(trend.rows["latency_iqr_ms"]) == [4.0] * 3


def test_tuned_records_are_no_points_of_a_shared_recipe_s_series(empty, fake):
    label = "mars-official@1/cos-bn/chunk-first{}"
    for frames, selection in ((4, None), (8, None), (16, "tuned: one")):
        changes = {"recipe": f"quick[frames={frames}]", "selection": selection}
        fake.scored(empty, "sta", 0, AP, label=label.format(frames), **changes)
    (trend,) = all_trends(collect([empty]))
    assert list(trend.rows["x"]) == [4.0, 8.0]
