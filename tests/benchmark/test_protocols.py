"""Every protocol against its row of the table of rules, written out slowly and separately."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics import METRICS
from benchmark.protocols import score
from benchmark.ranking import Embeddings, distance_blocks
from benchmark.rules import PROTOCOLS, Protocol

OFFICIAL = ("mars-official", "mars-ste-nvan")
MARS = (*OFFICIAL, "mars-ap3d", "mars-torchreid")
DUKE = ("duke-folders", "duke-ste-nvan")
TWO_CAMERAS = ("ilids-10", "prid178-10", "prid200-rand10")
TRAP = (*OFFICIAL, "duke-ste-nvan")
STRICT = (*OFFICIAL, "duke-ste-nvan", *TWO_CAMERAS)
DROPS_JUNK = ("mars-torchreid", "validation")  # and AP3D's, whose queries come first


def gallery_of(name, pids, query):
    """The gallery's rows in their order, rule by rule."""
    rows = list(range(len(pids)))
    if name in OFFICIAL or name in DUKE:
        return rows
    if name == "mars-ap3d":
        return [*query, *(r for r in rows if r not in query and pids[r] != -1)]
    if name in DROPS_JUNK:
        return [r for r in rows if r not in query and pids[r] != -1]
    return [r for r in rows if r not in query]  # two cameras, and open


def is_junk(name, pids, camids, q, row):
    """Whether a gallery row is junk to a query.

    Where id -1 is dropped, it can only be there as a query of AP3D's; it finds and is nobody.
    """
    if name in TWO_CAMERAS:
        return False
    own = row == q if camids is None else (pids[row], camids[row]) == (pids[q], camids[q])
    return own or pids[row] == -1


def rank_of_matches(name, distances, pids, camids, query, q):
    """Sort the gallery stably by distance and count along it."""
    gallery = np.array(gallery_of(name, pids, query), dtype=int)
    sorted_rows = gallery[np.argsort(distances[gallery], kind="stable")]
    ranks, rank = [], 0
    for unfiltered, row in enumerate(sorted_rows.tolist(), start=1):
        if is_junk(name, pids, camids, q, row):
            continue
        rank += 1
        if pids[row] == pids[q]:
            ranks.append(np.inf if name == "mars-ste-nvan" and unfiltered > 10_000 else rank)
    return ranks


def ap_of(ranks, form):
    """Mean over the matches of the precision there, or of the trapezoid that ends there."""
    total = 0.0
    for i, r in enumerate(ranks, start=1):
        before = 1.0 if r == 1 else (i - 1) / (r - 1)
        total += i / r if form == "std" else (i / r + before) / 2
    return total / len(ranks)


def literal(name, distances, pids, camids, query):
    """``{query: (AP, first, matches)}`` of the matched queries, or an error's first word."""
    ranks = {
        q: rank_of_matches(name, distances[i], pids, camids, query, q) for i, q in enumerate(query)
    }
    if name in STRICT and not all(ranks.values()):
        return "unmatched"
    form = "trap" if name in TRAP else "std"
    rows = {q: (ap_of(r, form), r[0], len(r), len(r) / r[-1]) for q, r in ranks.items() if r}
    return rows or "none"


def distances_of(test, query, distance):
    return np.concatenate([d for _, d in distance_blocks(test.vectors, np.array(query), distance)])


def same(found, expected, query):
    """Compare the scores of one protocol with the literal rows."""
    table = found.per_query
    assert table["query"].tolist() == list(expected)
    columns = table[["AP", "first", "matches", "INP"]].to_numpy()
    np.testing.assert_allclose(columns, list(expected.values()), rtol=1e-12)
    assert found.mAP == pytest.approx(np.mean([v[0] for v in expected.values()]), rel=1e-12)
    assert found.mINP == pytest.approx(np.mean([v[3] for v in expected.values()]), rel=1e-12)
    assert (found.values["mAP"], found.values["mINP"]) == (found.mAP, found.mINP)
    for k in (1, 5, 10, 20):
        assert found.values[f"R{k}"] == pytest.approx(found.cmc[k - 1], rel=1e-12)
    for k in (1, 2, 5, 50):
        assert found.cmc[k - 1] == pytest.approx(
            np.mean([v[1] <= k for v in expected.values()]), rel=1e-12
        )
    assert (found.queries, found.dropped) == (len(expected), len(query) - len(expected))


def numbers(count, *choices):
    return st.lists(st.sampled_from(choices), min_size=count, max_size=count)


@st.composite
def tables(draw, cameras=True):
    """Tracks with junk, distractors and persons, coarse vectors with many ties, some queries."""
    count = draw(st.integers(3, 24))
    vectors = np.array(
        draw(st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=count, max_size=count))
    )
    pids = draw(numbers(count, -1, 0, 1, 1, 2, 2, 3))
    camids = draw(numbers(count, 1, 2, 3)) if cameras else None
    query = draw(st.lists(st.sampled_from(range(count)), min_size=1, max_size=count, unique=True))
    return Embeddings(vectors, pids, camids), query


@st.composite
def matched_tables(draw):
    """Every query has a match in another camera, so that strict protocols have something to say."""
    test, query = draw(tables())
    known = [q for q in query if test.pids[q] != -1]
    extra_pids = [*test.pids[known], 9, 9]
    extra_cams = [*(test.camids[known] % 3 + 1), 1, 2]
    vectors = torch.cat([test.vectors, test.vectors[[*known, 0, 1]] + 1])
    first = len(test.pids) + len(known)
    grown = Embeddings(vectors, [*test.pids, *extra_pids], [*test.camids, *extra_cams])
    return grown, [*known, first]


@st.composite
def two_camera_tables(draw):
    """Persons seen once by each of two cameras; the first camera asks."""
    persons = draw(st.integers(1, 12))
    vectors = draw(
        st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=2 * persons, max_size=2 * persons)
    )
    order = draw(st.permutations(range(2 * persons)))
    pids = np.tile(np.arange(1, persons + 1), 2)[order]
    camids = np.repeat([1, 2], persons)[order]
    return Embeddings(np.array(vectors), pids, camids), np.flatnonzero(camids == 1).tolist()


def check(name, test, query, distance):
    expected = literal(name, distances_of(test, query, distance), test.pids, test.camids, query)
    if expected == "unmatched":
        with pytest.raises(ValueError, match="have no match"):
            score(test, query, name, distance)
    elif expected == "none":
        with pytest.raises(ValueError, match="none of"):
            score(test, query, name, distance)
    else:
        found = score(test, query, name, distance)
        same(found, expected, query)
        assert found.gallery == len(gallery_of(name, test.pids.tolist(), query))


distances = st.sampled_from(["cosine", "euclidean"])


@pytest.mark.parametrize("name", [*MARS, *DUKE, "open", "validation"])
@given(table=tables() | matched_tables(), distance=distances)
@settings(deadline=None)
def test_each_protocol_is_its_rules_written_out(name, table, distance):
    check(name, *table, distance)


@pytest.mark.parametrize("name", TWO_CAMERAS)
@given(table=two_camera_tables(), distance=distances)
@settings(deadline=None)
def test_each_two_camera_protocol_is_its_rules_written_out(name, table, distance):
    check(name, *table, distance)


@given(table=tables(cameras=False), distance=distances)
@settings(deadline=None)
def test_without_cameras_only_the_query_itself_is_left_out(table, distance):
    check("open", *table, distance)
    check("mars-ap3d", *table, distance)


def test_every_protocol_is_tested_here():
    assert set(PROTOCOLS) == {*MARS, *DUKE, *TWO_CAMERAS, "open", "validation"}


@given(table=matched_tables(), distance=distances)
@settings(deadline=None)
def test_several_protocols_in_one_pass_are_each_alone(table, distance):
    test, query = table
    names = ["mars-official", "mars-ap3d", "duke-ste-nvan", "duke-folders"]
    together = score(test, query, names, distance)
    assert list(together) == names
    for name in names:
        alone = score(test, query, name, distance)
        assert together[name].per_query.equals(alone.per_query)
        assert together[name].values == alone.values


@given(table=matched_tables(), data=st.data())
@settings(deadline=None)
def test_the_order_of_the_queries_changes_no_querys_result(table, data):
    test, query = table
    shuffled = data.draw(st.permutations(query))
    one, other = (score(test, q, "mars-official").per_query for q in (query, shuffled))
    assert (
        one.sort_values("query")
        .reset_index(drop=True)
        .equals(other.sort_values("query").reset_index(drop=True))
    )


def small():
    """Two persons, one of them in one camera only, junk and a distractor."""
    vectors = np.array([[1, 0], [9, 1], [1, 1], [8, 1], [0, 1]])
    return Embeddings(vectors, pids=[-1, 1, 0, 1, 2], camids=[1, 1, 1, 2, 1])


def test_a_query_without_a_match_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match=r"1 of 2 queries have no match.*row 4.*mars-torchreid"):
        score(small(), [1, 4], "mars-official")


def test_a_query_without_a_match_is_skipped_and_counted():
    found = score(small(), [1, 4], "open")
    assert (found.queries, found.dropped, found.gallery) == (1, 1, 3)
    assert found.per_query["query"].tolist() == [1]


def test_the_cmc_of_a_small_gallery_goes_on_with_its_last_value():
    found = score(small(), [1], "open")
    assert found.cmc.tolist() == [1.0] * 50
    assert found.values["R20"] == 1.0


def test_an_alias_scores_as_its_protocol():
    one, other = (score(small(), [1], name) for name in ("mars-torchreid", "mars-cosam"))
    assert one.values == other.values and one.gallery == other.gallery == 3
    assert list(score(small(), [1], ["mars-cosam"])) == ["mars-cosam"]


def test_a_metric_of_ones_own_is_a_mean_in_the_values_and_a_column_of_the_table(monkeypatch):
    monkeypatch.setitem(METRICS, "half", lambda ranks: (ranks[:, 0] <= 2) / 2)
    found = score(small(), [1, 3], "mars-official")
    assert found.values["half"] == np.mean(found.per_query["half"]) > 0
    assert found.per_query["half"].tolist() == [(f <= 2) / 2 for f in found.per_query["first"]]
    monkeypatch.delitem(METRICS, "half")
    assert set(score(small(), [1, 3]).values) == {"R1", "R5", "R10", "R20", "mAP", "mINP"}


def test_a_protocol_of_ones_own_is_scored_by_its_rules(monkeypatch):
    rules = {"queries": "outside", "junk": False, "ap": "trap", "unmatched": "skip"}
    monkeypatch.setitem(PROTOCOLS, "mine", Protocol(name="mine", **rules, about="mine", cut=1))
    found = score(small(), [1], "mine")
    assert found.gallery == 3 and found.values["R1"] == 1.0


def test_per_query_rows_tell_the_person():
    table = score(small(), [3, 1], "mars-official").per_query
    assert list(table) == ["query", "pid", "AP", "INP", "first", "matches"]
    assert table["pid"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("query", "words"),
    [([], "one or more"), ([5], "one or more of 0..4"), ([-1], "one or more"), ([1, 1], "twice")],
)
def test_query_rows_that_cannot_be_are_refused(query, words):
    with pytest.raises(ValueError, match=words):
        score(small(), query, "open")


def test_query_rows_may_be_small_unsigned_numbers():
    found = score(small(), np.array([1], dtype=np.uint16), "open")
    assert found.queries == 1


@pytest.mark.parametrize("rerank", [None, "kr(20,6,0.3)"])
def test_an_unknown_distance_is_refused(rerank):
    with pytest.raises(ValueError, match="expected cosine or euclidean"):
        score(small(), [1], "open", "l2", rerank=rerank)


def test_an_unknown_protocol_lists_near_misses():
    with pytest.raises(LookupError, match="mars-official"):
        score(small(), [1], "mars-oficial")


@pytest.fixture(scope="module")
def mars():
    """The real tables of MARS, with generated vectors: weak ones, so that the cut matters."""
    folder = os.environ.get("ZOO_MARS_INFO")
    if not folder:
        pytest.skip("ZOO_MARS_INFO is not set: it names the folder of MARS's .mat files")
    info = scipy.io.loadmat(Path(folder) / "tracks_test_info.mat")["track_test_info"].astype(int)
    query = scipy.io.loadmat(Path(folder) / "query_IDX.mat")["query_IDX"].ravel().astype(int) - 1
    generator = torch.Generator().manual_seed(0)
    persons = torch.randn(info[:, 2].max() + 2, 32, generator=generator)
    vectors = torch.randn(len(info), 32, generator=generator) + 0.4 * persons[info[:, 2]]
    return Embeddings(vectors, info[:, 2], info[:, 3]), query


@pytest.fixture(scope="module")
def mars_scores(mars):
    return score(*mars, list(MARS))


@pytest.mark.parametrize(
    ("name", "gallery", "queries", "dropped"),
    [
        ("mars-official", 12180, 1980, 0),
        ("mars-ste-nvan", 12180, 1980, 0),
        ("mars-ap3d", 11310, 1980, 0),
        ("mars-torchreid", 9330, 1840, 140),
    ],
)
def test_mars_has_the_known_numbers_of_tracks_and_queries(
    mars_scores, name, gallery, queries, dropped
):
    found = mars_scores[name]
    assert (found.gallery, found.queries, found.dropped) == (gallery, queries, dropped)


def test_mars_queries_rank_as_written_out(mars, mars_scores):
    test, query = mars
    distances = distances_of(test, query, "cosine")
    rows = {name: mars_scores[name].per_query.set_index("query") for name in MARS}
    everyone = dict.fromkeys(query.tolist())  # in order, and quick to look into
    for name, i in itertools.product(MARS, range(0, len(query), 150)):
        ranks = rank_of_matches(name, distances[i], test.pids, test.camids, everyone, query[i])
        if not ranks:
            assert query[i] not in rows[name].index
            continue
        found = rows[name].loc[query[i]]
        assert (found["first"], found["matches"]) == (ranks[0], len(ranks))
        assert found["AP"] == pytest.approx(ap_of(ranks, "trap" if name in TRAP else "std"))


def test_the_cut_of_ste_nvan_hides_matches_on_weak_vectors_only(mars_scores):
    official, cut = mars_scores["mars-official"], mars_scores["mars-ste-nvan"]
    assert 0 < official.mAP - cut.mAP < 1e-4
    assert official.cmc.tolist() == cut.cmc.tolist()
