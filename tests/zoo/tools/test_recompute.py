"""A record's numbers, again: from its table of queries and from embeddings."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from benchmark.embed import ClipEmbeddings
from benchmark.protocols import score
from benchmark.record import Record
from zoo.tools.recompute import counted, faults_of_ranks, faults_of_table

LABEL = "mars-official@1/cos-bn/chunk-first4"


@pytest.fixture
def embeddings():
    """Five persons, junk and a distractor under two cameras; one clip a tracklet."""
    pids = np.array([-1, 0, *np.repeat([1, 2, 3, 4, 5], 4)])
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(8, 6))[pids] + rng.normal(size=(len(pids), 6))).astype(np.float32)
    return ClipEmbeddings(
        key={"frames_rule": "chunk-first4"},
        metric=vectors,
        embedding=vectors,
        row=np.arange(len(pids)),
        frames=np.full(len(pids), 4),
        pids=pids,
        camids=np.tile([1, 2], 11),
        query=np.arange(2, 22, 4),
        neck=None,
    )


@pytest.fixture
def scored(embeddings, tmp_path):
    """The record of these embeddings, and its table of queries."""
    found = score(embeddings.pooled("embedding"), embeddings.query, "mars-official", "cosine")
    found.per_query.to_csv(tmp_path / "q.csv", index=False)
    sizes = {"gallery": found.gallery, "queries": found.queries, "dropped": found.dropped}
    names = dict.fromkeys(("run", "method", "recipe", "dataset", "fingerprint"), "x")
    numbers = {"metrics": found.values, "cmc": found.cmc.tolist()}
    return Record(label=LABEL, **names, **sizes, **numbers), tmp_path / "q.csv"


def test_nothing_is_found_where_nothing_was_changed(scored, embeddings):
    record, table = scored
    assert [*faults_of_table(record, table), *faults_of_ranks(record, embeddings, "e")] == []


def test_a_metric_that_was_raised_is_found_in_the_table_and_in_the_ranks(scored, embeddings):
    record, table = scored
    for name in ("mAP", "mINP", "R5"):
        better = dataclasses.replace(record, metrics=record.metrics | {name: 0.99})
        (by_table,), (by_ranks,) = (
            list(faults_of_table(better, table)),
            list(faults_of_ranks(better, embeddings, "e.safetensors")),
        )
        true = f"{100 * record.metrics[name]:.2f}"
        assert by_table == f"{name} is 99.00, by q.csv it is {true}"
        assert by_ranks == f"{name} is 99.00, ranked from e.safetensors it is {true}"


def test_what_another_processor_rounds_otherwise_is_no_fault(scored, embeddings):
    record, _ = scored
    near = dataclasses.replace(record, metrics={"mAP": record.metrics["mAP"] + 5e-4})
    assert list(faults_of_ranks(near, embeddings, "e")) == []


def test_another_curve_and_another_number_of_queries_are_found(scored, embeddings):
    record, table = scored
    curve = [1.0] * len(record.cmc)
    assert list(faults_of_table(dataclasses.replace(record, cmc=curve), table)) == [
        "cmc is not that of q.csv"
    ]
    fewer = dataclasses.replace(record, queries=4)
    assert list(faults_of_table(fewer, table)) == ["q.csv has 5 rows of 5 queries, expected 4"]
    assert next(faults_of_ranks(fewer, embeddings, "e")) == (
        "gallery, queries and dropped are 22/4/0, ranked again 22/5/0"
    )


def test_a_query_twice_in_the_table_is_found(scored):
    record, table = scored
    rows = pd.read_csv(table)
    pd.concat([rows[:4], rows[:1]]).to_csv(table, index=False)
    assert list(faults_of_table(record, table)) == ["q.csv has 5 rows of 4 queries, expected 5"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "query,AP,INP,first\n1,x,1,1\n", "\0\xff"])
def test_a_table_that_is_none_is_told_in_one_line(scored, text):
    record, table = scored
    table.write_text(text)
    (line,) = faults_of_table(dataclasses.replace(record, queries=1), table)
    assert line.startswith("q.csv is no table of queries: ") and "\n" not in line


def test_a_first_match_before_the_first_rank_is_found(scored):
    record, table = scored
    pd.read_csv(table).assign(first=0).to_csv(table, index=False)
    (line,) = faults_of_table(record, table)
    assert line == "q.csv has a first match at rank 0: expected ranks from 1"


def test_a_metric_of_a_plugin_is_the_mean_of_its_column(scored):
    record, table = scored
    pd.read_csv(table).assign(mine=0.5).to_csv(table, index=False)
    for value, faults in ((0.5, 0), (0.6, 1)):
        with_mine = dataclasses.replace(record, metrics=record.metrics | {"mine": value})
        assert len(list(faults_of_table(with_mine, table))) == faults


def test_embeddings_that_cannot_be_ranked_are_told_in_one_line(scored, embeddings):
    record, _ = scored
    changes = (
        {"query": np.array([99])},
        {"pids": np.array([1])},
        {"key": {}},
        {"parts": "two"},
        {"row": np.zeros(0, int)},
    )
    for change in changes:
        (line,) = faults_of_ranks(record, dataclasses.replace(embeddings, **change), "e")
        assert line.startswith("cannot be ranked again from e: ") and "\n" not in line


def test_junk_and_distractors_are_nobody_when_persons_are_counted(embeddings):
    assert counted(embeddings) == {
        "test persons": 5,
        "test tracklets": 22,
        "query persons": 5,
        "query tracklets": 5,
        "junk tracklets": 1,
        "distractor tracklets": 1,
    }
