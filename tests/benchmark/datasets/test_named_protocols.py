import numpy as np
import pytest

from benchmark.datasets.catalogue import open_dataset
from benchmark.protocols import score
from benchmark.ranking import Embeddings
from benchmark.rules import ALIASES, PROTOCOLS
from benchmark.variants import choose


def embedded(dataset, seed=0):
    """Vectors near one direction a person."""
    rng = np.random.default_rng(seed)
    people = {t.pid: rng.normal(size=8) for t in dataset.test}
    vectors = np.stack([people[t.pid] + rng.normal(size=8) for t in dataset.test])
    return Embeddings(
        vectors, np.array([t.pid for t in dataset.test]), np.array([t.camid for t in dataset.test])
    )


def by_hand(dataset, embeddings, ap):
    """Rank-1 and mAP by sorting, where each query has matches in other cameras only."""
    vectors = np.asarray(embeddings.vectors, np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery = range(len(dataset.test))
    if dataset.protocol != "duke-folders":
        gallery = [row for row in gallery if row not in set(dataset.query)]
    aps, firsts = [], []
    for query in dataset.query:
        asked = dataset.test[query]
        rows = [
            row
            for row in gallery
            if (dataset.test[row].pid, dataset.test[row].camid) != (asked.pid, asked.camid)
        ]
        rows.sort(key=lambda row: -vectors[query] @ vectors[row])
        hits = [i for i, row in enumerate(rows, start=1) if dataset.test[row].pid == asked.pid]
        precision = [i / rank for i, rank in enumerate(hits, start=1)]
        before = [1 if rank == 1 else i / (rank - 1) for i, rank in enumerate(hits)]
        trapezoid = [(p + q) / 2 for p, q in zip(precision, before, strict=True)]
        aps.append(np.mean(trapezoid if ap == "trap" else precision))
        firsts.append(hits[0] == 1)
    return np.mean(firsts), np.mean(aps)


@pytest.mark.parametrize(("protocol", "ap"), [("duke-folders", "std"), ("duke-ste-nvan", "trap")])
def test_duke_ranks_against_the_gallery_folder_with_the_queries_in_it(duke_tree, protocol, ap):
    dataset = open_dataset("duke_video", duke_tree())
    embeddings = embedded(dataset)
    found = score(embeddings, dataset.query, protocol)
    assert (found.gallery, found.queries, found.dropped) == (5, 2, 0)
    assert (found.cmc[0], found.mAP) == pytest.approx(by_hand(dataset, embeddings, ap))


@pytest.mark.parametrize("split", [0, 7])
def test_two_cameras_rank_the_persons_of_one_half(ilids_tree, split):
    dataset = open_dataset(f"ilids_vid[split={split}]", ilids_tree())
    embeddings = embedded(dataset, split)
    found = score(embeddings, dataset.query, dataset.protocol)
    assert (found.gallery, found.queries) == (3, 3)
    assert (found.cmc[0], found.mAP) == pytest.approx(by_hand(dataset, embeddings, "std"))


def test_the_rules_of_prid_are_the_same_for_178_and_200_persons_under_two_names(prid_tree):
    dataset = open_dataset("prid2011", prid_tree())
    embeddings = embedded(dataset)
    found = score(embeddings, dataset.query, ["prid178-10", "prid200-rand10"])
    assert found["prid178-10"].mAP == found["prid200-rand10"].mAP
    assert found["prid178-10"].gallery == 2


@pytest.mark.parametrize("name", ["ilids-10", "prid178-10", "prid200-rand10", "duke-ste-nvan"])
def test_a_query_without_a_match_is_an_error_where_it_cannot_happen(name):
    test = Embeddings(np.eye(3), np.array([1, 2, 3]), np.array([1, 2, 2]))
    with pytest.raises(ValueError, match="have no match"):
        score(test, [0], name)


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_finds_the_rules_and_is_not_listed_beside_them(duke_tree, alias):
    assert choose(alias, PROTOCOLS, "protocol") is PROTOCOLS["mars-torchreid"]
    assert alias not in list(PROTOCOLS)
    dataset = open_dataset("duke_video", duke_tree())
    embeddings = embedded(dataset)
    found = score(embeddings, dataset.query, alias)
    assert found.mAP == score(embeddings, dataset.query, "mars-torchreid").mAP
    assert list(score(embeddings, dataset.query, [alias])) == [alias]


def test_an_unknown_protocol_is_still_unknown():
    with pytest.raises(LookupError, match="did you mean duke-folders"):
        choose("duke-folder", PROTOCOLS, "protocol")
    with pytest.raises(KeyError):
        PROTOCOLS["nothing"]
