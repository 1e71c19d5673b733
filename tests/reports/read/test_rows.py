import dataclasses

import pytest

from reports.read.rows import base, is_unsteady, level, padded, row


def test_a_short_cmc_goes_on_with_its_last_value():
    curve = padded([0.5, 0.75])
    assert len(curve) == 20 and list(curve[:3]) == [0.5, 0.75, 0.75] and curve[-1] == 0.75


def test_a_long_cmc_is_cut_and_none_stays_none():
    assert list(padded([i / 100 for i in range(50)])) == [i / 100 for i in range(20)]
    assert padded([]) is None


@pytest.mark.parametrize(
    ("recipe", "selection", "expected", "training"),
    [
        ("paper/sta", "last epoch", "paper", "paper"),
        ("quick[lr=0.1]", None, "shared", "quick[lr=0.1]"),
        ("quick[lr=0.1]", "tuned in study one", "tuned", "tuned quick"),
    ],
)
def test_a_record_belongs_to_one_level_of_comparison(
    fake, tmp_path, recipe, selection, expected, training
):
    record = fake.record(recipe=recipe, selection=selection)
    assert level(record) == expected
    path = tmp_path / "runs" / "sta-1" / "records" / "x.json"
    assert row(record, {}, (), path)["training"] == training


def test_a_set_of_the_same_name_but_other_bits_is_told_apart_by_its_fingerprint(fake, tmp_path):
    record = fake.record(dataset="mars")
    path = tmp_path / "runs" / "sta-1" / "records" / "x.json"
    sources = [
        row(record, {"spec": {"dataset": name, "fingerprint": bits}}, (), path)["source"]
        for name, bits in (("mars", record.fingerprint), ("mars", "ff"), ("synthetic", "ff"))
    ]
    assert sources == ["", "mars (ff)", "synthetic"]
    noted = dataclasses.replace(record, per_query="x.csv")
    assert row(noted, {}, (), path)["per_query"] == path.parent / "x.csv"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("quick", "quick"), ("mars[persons=9]", "mars"), ("folder:/some/where", "folder")],
)
def test_a_name_without_its_arguments(name, expected):
    assert base(name) == expected


@pytest.mark.parametrize(
    ("latency", "iqr", "expected"),
    [
        (100.0, 10.0, False),
        (100.0, 10.1, True),
        (457.0, 267.0, True),
        (100.0, float("nan"), False),
        (float("nan"), 3.0, False),
        (0.0, 3.0, False),
    ],
)
def test_a_latency_is_unsteady_where_its_spread_is_over_a_tenth_of_it(latency, iqr, expected):
    assert is_unsteady(latency, iqr) is expected
