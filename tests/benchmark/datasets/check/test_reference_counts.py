import os
from pathlib import Path

import pytest

from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.check.reference_counts import claims_to_be, count
from benchmark.datasets.mars import COUNTS
from benchmark.datasets.mars_files import TABLES
from benchmark.datasets.matlab import table

INFO = os.environ.get("ZOO_MARS_INFO")


def test_junk_and_distractors_are_tracklets_but_no_persons():
    tracklets = tuple(
        Tracklet(pid, camid, "", ("x",) * frames)
        for pid, camid, frames in ((-1, 1, 2), (0, 2, 3), (0, 3, 1), (5, 1, 4), (5, 2, 1))
    )
    found = count(
        Dataset(
            name="any",
            train=(Tracklet(1, 0, "", ("x",)),),
            test=tracklets,
            query=(3,),
            fingerprint="",
            protocol="open",
        )
    )
    assert found == {
        "train persons": 1,
        "train tracklets": 1,
        "train frames": 1,
        "test persons": 1,
        "test tracklets": 5,
        "test frames": 11,
        "query persons": 1,
        "query tracklets": 1,
        "query frames": 4,
        "junk tracklets": 1,
        "distractor tracklets": 2,
        "cameras": 3,
    }


REFERENCE = {"train persons": 2, "test persons": 3, "query persons": 4, "cameras": 2}


@pytest.mark.parametrize(
    ("counts", "claims"),
    [
        ({"train persons": 2, "test persons": 3, "query persons": 5, "cameras": 9}, True),
        ({"train persons": 2, "test persons": 9, "query persons": 9, "cameras": 2}, False),
        ({"cameras": 2}, False),
    ],
)
def test_q49_half_of_the_counts_make_a_claim_and_cameras_do_not_vote(counts, claims):
    assert claims_to_be(REFERENCE, counts) is claims


def test_nothing_published_is_nothing_to_claim():
    assert claims_to_be({}, {"train persons": 2}) is False
    assert claims_to_be({"cameras": 2}, {"cameras": 2}) is False


@pytest.mark.skipif(INFO is None, reason="ZOO_MARS_INFO names no folder of MARS tables")
def test_the_real_tables_make_the_published_counts():
    train, test, query = (
        table(Path(INFO, file), variable, "").tolist() for file, variable in TABLES.items()
    )

    def tracklets(rows):
        return tuple(Tracklet(p, c, "", ("x",) * (end - start + 1)) for start, end, p, c in rows)

    found = Dataset(
        name="mars",
        train=tracklets(train),
        test=tracklets(test),
        query=tuple(row - 1 for row in query[0]),
        fingerprint="",
        protocol="mars-official",
    )
    counts = count(found)
    assert {key: counts[key] for key in COUNTS} == COUNTS
    assert claims_to_be(COUNTS, counts)
    cameras = {}
    for tracklet in found.test:
        cameras.setdefault(tracklet.pid, set()).add(tracklet.camid)
    assert all(len(cameras[found.test[row].pid]) > 1 for row in found.query)
    gone = set(found.query)
    others = {(t.pid, t.camid) for row, t in enumerate(found.test) if row not in gone}
    alone = [
        row
        for row in found.query
        if not any(
            (found.test[row].pid, c) in others for c in range(1, 7) if c != found.test[row].camid
        )
    ]
    assert len(alone) == 140  # what dropping the queries from the gallery costs
