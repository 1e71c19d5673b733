import json

import numpy as np
import pytest

from reports.analysis.convergence import with_verdicts
from reports.analysis.groups import groups
from reports.analysis.trends import all_trends, counted
from reports.figures.style import styles
from reports.formats.payload import ROW, payload
from reports.read.results import collect


@pytest.fixture
def page_data(empty):
    """The payload of what lies in the folder, as the page's script reads it."""

    def page_data():
        results = with_verdicts(collect([empty]))
        tables = groups(results.frame, 100)
        style_of = styles(name for group in tables for name in group.rows["name"])
        titles = [group.key.label for group in tables]
        made = payload(tables, titles, all_trends(results), counted(results), style_of)
        return json.loads(json.dumps(made, allow_nan=False))

    return page_data


def test_a_row_s_values_stand_in_the_order_of_the_columns(empty, fake, page_data):
    fake.scored(empty, "sta", 0, [0.5, 0.5, 0.75, 0.75] * 5)
    made = page_data()
    ((row,),) = [group["rows"] for group in made["groups"]]
    values = dict(zip(made["columns"], row["values"], strict=True))
    assert made["columns"] == list(ROW)
    assert values["mAP"] == 0.625 and values["gmacs"] == 17.78 and values["seeds"] == 1
    assert values["mAP_low"] <= 0.625 <= values["mAP_high"] and values["mAP_sd"] is None
    assert row["name"] in made["styles"]


def test_what_records_share_is_kept_once(empty, fake, page_data):
    for seed in range(3):
        fake.write(empty, fake.record(seed=seed))
    made = page_data()
    (row,) = made["groups"][0]["rows"]
    places = [
        dict(zip(made["recordColumns"], one, strict=True))["environment"] for one in row["records"]
    ]
    assert places == [0, 0, 0] and made["shared"]["environment"] == [fake.environment]


def test_marks_and_footnotes_reach_the_page_as_plain_text(empty, fake, page_data):
    busy = {**fake.cost, "latency_iqr_ms": 100.0}
    run = fake.write(empty, fake.record("a_b", cost=busy, notes=["odd <b>"]))
    (run / "log.jsonl").write_text('{"epoch": 1, "accuracy": 0.2}\n')
    fake.write(empty, fake.record("nvan", score=0.6))
    (group,) = page_data()["groups"]
    rows = {row["name"]: row for row in group["rows"]}
    assert (rows["a_b"]["sign"], rows["nvan"]["sign"]) == ("¹ †", "")
    assert (rows["a_b"]["onFronts"], rows["nvan"]["onFronts"]) == (False, True)
    assert (rows["a_b"]["unsteady"], rows["nvan"]["unsteady"]) == (True, False)
    assert group["footnotes"][0] == "¹ odd <b>" and group["footnotes"][1].startswith("† not conv")
    (caution,) = [line for line in group["cautions"] if "unsteady" in line]
    assert caution.endswith(": a_b.") and "`" not in caution and "\\" not in caution


def test_numbers_are_short_and_missing_ones_null(empty, fake, page_data):
    fake.write(empty, fake.record(score=1 / 3, cost=None, metrics={"mAP": 1 / 3}, cmc=[]))
    made = page_data()
    (row,) = made["groups"][0]["rows"]
    values = dict(zip(made["columns"], row["values"], strict=True))
    assert values["mAP"] == 0.33333 and values["R1"] is None and values["cmc"] is None
    assert not np.isnan(values["runs"])
