"""Distances and pairs of cameras of a run."""

import numpy as np
import pandas as pd
import pytest

from benchmark import embed
from zoo.experiment.folder import RunFolder
from zoo.tools.compared_runs import choose_runs
from zoo.tools.distances import Tally


@pytest.fixture
def member(inspected):
    return choose_runs([inspected["sta"], inspected["stenvan"]], label="open").systems["sta"][0]


def test_every_pair_of_a_query_and_a_track_that_is_no_junk_is_counted_once(member):
    tally = Tally()
    tally.add(*member)
    found = tally.distances()
    (file,) = RunFolder(member[0].folder.path).all_embeddings()
    tracks = embed.load(file)
    gallery = np.setdiff1d(np.arange(len(tracks.pids)), tracks.query)
    queries = pd.read_csv(member[0].folder.records / member[1].per_query)["query"]
    right = sum((tracks.pids[gallery] == tracks.pids[q]).sum() for q in queries)
    assert found.right.sum() == right
    assert found.wrong.sum() == len(queries) * len(gallery) - right
    tally.add(*member)
    assert tally.distances().right.sum() == 2 * right


def test_with_two_cameras_the_pair_s_map_is_the_whole_score(member):
    """Queries are camera 1, their gallery camera 2: nothing is cut away."""
    tally = Tally()
    tally.add(*member)
    (row,) = tally.cameras(1).to_dict("records")
    assert (row["query"], row["gallery"], row["queries"]) == (1, 2, member[1].queries)
    assert row["mAP"] == pytest.approx(member[1].metrics["mAP"])
    assert row["R1"] == pytest.approx(member[1].metrics["R1"])


def test_nothing_added_is_nothing_known():
    assert Tally().distances() is None and Tally().cameras(1) is None
