import io
import json

import numpy as np
import pandas as pd
import pytest

from reports.analysis.groups import groups
from reports.formats import exports
from reports.read.results import collect


@pytest.fixture
def tables(folder, fake):
    """The usual records and one without costs, written by nobody's program."""
    fake.write(folder, fake.record("mine[mode=a|b]", cost=None, metrics={"mAP": 0.5}, cmc=[]))
    return groups(collect([folder]).frame)


def test_csv_holds_every_row_of_every_table_and_its_key(tables):
    read = pd.read_csv(io.StringIO(exports.to_csv(exports.frame(tables))))
    assert len(read) == sum(len(group.rows) for group in tables)
    assert set(read["label"]) == {group.key.label for group in tables}
    for group in tables:
        own = read[read["label"] == group.key.label].set_index("name")
        assert list(own.index) == list(group.rows["name"])
        assert own["mAP"].to_list() == pytest.approx(group.rows["mAP"].to_list())


def test_csv_and_json_say_the_same(tables):
    read = pd.read_csv(io.StringIO(exports.to_csv(exports.frame(tables))))
    told = json.loads(exports.to_json(tables))["results"]
    assert len(told) == len(read) and list(told[0]) == list(read.columns)
    for one, (_, other) in zip(told, read.iterrows(), strict=True):
        for key, value in one.items():
            if value is None or value == "":
                assert pd.isna(other[key])
            elif isinstance(value, int | float):
                assert other[key] == pytest.approx(value)
            else:
                assert str(other[key]) == value


def test_what_is_missing_is_blank_and_null_and_never_zero(tables):
    data = exports.frame(tables)
    text = exports.to_csv(data)
    (line,) = [line for line in text.splitlines() if "mine[mode=a|b]" in line]
    read = pd.read_csv(io.StringIO(text), dtype=str)
    assert list(read.loc[read["R1"].isna(), "name"]) == ["mine[mode=a|b]"]
    assert "nan" not in line.lower()
    (told,) = [row for row in json.loads(exports.to_json(tables))["results"] if row["R1"] is None]
    assert told["gmacs"] is None and told["mAP_sd"] is None and told["mAP"] == 0.5


def test_sizes_that_differ_within_a_row_are_left_blank(empty, fake):
    for seed in range(2):
        fake.write(empty, fake.record(seed=seed, gallery=100 + seed))
    (row,) = exports.frame(groups(collect([empty]).frame)).to_dict("records")
    assert np.isnan(row["gallery"]) and row["queries"] == 40


def test_printed_figures_are_told_apart_by_their_columns(tables):
    found = exports.published(tables)
    assert {"value", "measured", "measured_dataset", "measured_label"} <= set(found)
    assert set(found["method"]) <= {"nvan", "stenvan", "sta"}
    assert not found["value"].isna().any()
