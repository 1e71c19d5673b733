import dataclasses

import numpy as np
import pandas as pd
import pytest

from reports.analysis.groups import comparison, groups
from reports.read.results import collect

GROUP = ["dataset", "fingerprint", "training", "label"]


@pytest.fixture
def read(empty, fake):
    """Writes records and reads them back as a frame."""

    def read(*records):
        for record in records:
            fake.write(empty, record)
        return collect([empty]).frame

    return read


def test_seeds_become_mean_and_standard_deviation(read, fake):
    scores = [0.70, 0.73, 0.78]
    (row,) = comparison(read(*(fake.record(seed=i, score=s) for i, s in enumerate(scores)))).iloc
    assert row["mAP"] == pytest.approx(np.mean(scores))
    assert row["mAP_sd"] == pytest.approx(np.std(scores, ddof=1))
    assert row["mINP"] == pytest.approx(np.mean(scores) / 2)
    assert (row["runs"], row["seeds"], row["splits"]) == (3, 3, 1)


def test_one_seed_has_no_standard_deviation(read, fake):
    (row,) = comparison(read(fake.record())).iloc
    assert np.isnan(row["mAP_sd"]) and row["mAP"] == 0.7


def test_one_seed_twice_is_not_a_spread(read, fake):
    twice = [fake.record(score=0.6), dataclasses.replace(fake.record(score=0.8), run="f" * 12)]
    (row,) = comparison(read(*twice)).iloc
    assert row["mAP"] == pytest.approx(0.7) and np.isnan(row["mAP_sd"]) and row["seeds"] == 1


def test_splits_and_seeds_count_alike_in_the_mean(read, fake):
    runs = [(s, split, 0.5 + s / 10 + split / 5) for s in range(2) for split in range(3)]
    records = [fake.record(seed=s, split=split, score=score) for s, split, score in runs]
    (row,) = comparison(read(*records)).iloc
    assert row["mAP"] == pytest.approx(np.mean([score for *_, score in runs]))
    assert (row["runs"], row["seeds"], row["splits"]) == (6, 2, 3)


def test_costs_are_the_median_over_seeds(read, fake):
    latencies = [10.0, 12.0, 90.0]
    records = [
        fake.record(seed=i, cost={**fake.cost, "latency_ms": ms}) for i, ms in enumerate(latencies)
    ]
    (row,) = comparison(read(*records)).iloc
    assert row["latency_ms"] == 12.0 and row["best_batch"] == 4


def test_a_best_batch_that_differs_between_seeds_is_left_out(read, fake):
    records = [fake.record(seed=i, cost={**fake.cost, "best_batch": 2**i}) for i in range(2)]
    assert np.isnan(comparison(read(*records))["best_batch"].item())


@pytest.mark.parametrize(
    "other",
    [
        {"dataset": "mars"},
        {"fingerprint": "000000000000"},
        {"recipe": "unified"},
        {"recipe": "paper/sta"},
        {"label": "mars-official@2/cos-bn/chunk-first8"},
    ],
    ids=str,
)
def test_what_does_not_compare_is_never_in_one_group(read, fake, other):
    frame = read(fake.record("sta"), fake.record("nvan", run="another", **other))
    found = groups(frame)
    assert [list(group.rows["method"]) for group in found] in (
        [["sta"], ["nvan"]],
        [["nvan"], ["sta"]],
    )
    for group in found:
        assert len(group.records[GROUP].drop_duplicates()) == 1
        assert set(group.records["method"]) == set(group.rows["method"])


def test_paper_recipes_form_one_group_and_keep_their_names(read, fake):
    frame = read(fake.record("sta", recipe="paper/sta"), fake.record("nvan", recipe="paper/nvan"))
    (group,) = groups(frame)
    assert group.key.training == "paper"
    assert set(group.rows["recipe"]) == {"paper/sta", "paper/nvan"}


def test_one_method_under_two_paper_recipes_is_two_rows_with_two_names(read, fake):
    frame = read(*(fake.record("resnet50", recipe=f"paper/{name}") for name in ("a", "b")))
    assert set(comparison(frame)["name"]) == {"resnet50 (paper/a)", "resnet50 (paper/b)"}


def test_one_method_built_in_two_ways_is_two_rows_named_by_the_difference(read, fake):
    frame = read(
        *(fake.record(arguments={"backbone": b, "blocks": 4}) for b in ("resnet18", "resnet50"))
    )
    assert set(comparison(frame)["name"]) == {"sta (backbone=resnet18)", "sta (backbone=resnet50)"}


def test_a_published_number_is_a_row_of_its_own_and_marked(read, fake):
    frame = read(fake.record(), fake.record(origin="published", run="table 3"))
    assert set(comparison(frame)["name"]) == {"sta", "sta (published)"}


def test_the_best_map_comes_first_and_a_row_without_it_last(read, fake):
    frame = read(
        fake.record("b", score=0.5),
        fake.record("a", metrics={"R1": 0.9}),
        fake.record("c", score=0.8),
        fake.record("d", score=0.5),
    )
    assert list(comparison(frame)["method"]) == ["c", "b", "d", "a"]


def test_what_was_not_measured_stays_missing(read, fake):
    (row,) = comparison(read(fake.record(cost=None, cmc=[], metrics={"mAP": 0.5}))).iloc
    assert np.isnan([row["R1"], row["mINP"], row["gmacs"], row["latency_ms"]]).all()
    assert row["cmc"] is None


def test_the_cmc_is_the_mean_of_padded_curves(read, fake):
    frame = read(fake.record(seed=0, cmc=[0.5, 0.7]), fake.record(seed=1, cmc=[0.7]))
    (row,) = comparison(frame).iloc
    assert row["cmc"] == pytest.approx([0.6, *[0.7] * 19])


def test_no_records_have_no_groups():
    assert groups(pd.DataFrame()) == []
