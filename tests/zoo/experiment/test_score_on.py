"""A trained network scored on any data."""

import dataclasses

import pytest

from reports.analysis.groups import collect, groups
from tests.zoo.shelf import NAME
from zoo.experiment.data import open_dataset
from zoo.experiment.find_checkpoint import find_checkpoint
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.rescore import Rules, rescore
from zoo.experiment.score_on import score_on

OPTIONS = ExecutionOptions(workers=0, command="zoo score x")


@pytest.fixture
def score(settings):
    def run(source, dataset, rules=Rules(), **places):
        found = find_checkpoint(source)
        splits = dataset if isinstance(dataset, list) else [dataset]
        return score_on(found, splits, rules, options=OPTIONS, settings=settings, **places)

    return run


@pytest.fixture
def other(crowd):
    return open_dataset("folder[name=airport]", crowd)


def test_a_run_on_other_data_keeps_a_record_that_says_what_was_trained_on(
    finished_run, other, score
):
    before = finished_run.read_records()
    scored = score(finished_run.path, other)
    (entry,) = scored.records
    assert (entry.dataset, entry.fingerprint) == ("folder[name=airport]", other.fingerprint)
    fingerprint = before[0].fingerprint
    assert f"trained on folder ({fingerprint}), scored on folder[name=airport]" in entry.notes
    assert entry.command == "zoo score x" and entry.checkpoint == before[0].checkpoint
    assert len(finished_run.read_records()) == len(before) + 1


def test_the_report_keeps_it_apart_and_says_what_was_trained_on(finished_run, other, score):
    score(finished_run.path, other)
    keys = {
        (group.key.dataset, group.key.source)
        for group in groups(collect([finished_run.path.parent.parent]).frame, 100)
    }
    assert keys == {("folder", ""), ("folder[name=airport]", "folder")}


def test_on_its_own_data_a_run_has_the_scores_that_it_had(finished_run, people, score):
    (before,) = finished_run.read_records()
    (entry,) = score(finished_run.path, open_dataset("folder", people)).records
    assert entry.metrics == before.metrics and len(finished_run.read_records()) == 1


def test_a_checkpoint_s_records_lie_in_a_result_folder(shelf, other, score, tmp_path):
    scored = score(NAME, other, out=tmp_path / "out")
    (entry,) = scored.records
    assert "trained on folder (fingerprint unknown), scored on folder[name=airport]" in entry.notes
    assert scored.folder.path.parent == tmp_path / "out" / "runs"
    assert scored.folder.spec().checkpoint == f"{NAME}@{shelf.sha256}"


def test_the_rules_that_are_given_hold(finished_run, other, score):
    rules = Rules(frames="all2", distance="l2sq-raw", protocols="all")
    labels = {entry.label for entry in score(finished_run.path, other, rules).records}
    assert "open@1/l2sq-raw/all2" in labels
    with pytest.raises(LookupError, match="did you mean cos-bn"):
        score(finished_run.path, other, Rules(distance="cos"))
    with pytest.raises(ValueError, match="frame rule"):
        score(finished_run.path, other, Rules(frames="middle"))


def test_splits_have_a_record_each_that_scoring_again_keeps_apart(finished_run, other, score):
    splits = [dataclasses.replace(other, split=k, splits=2) for k in range(2)]
    splits[1] = dataclasses.replace(splits[1], query=splits[1].query[:1])
    found = score(finished_run.path, splits).records
    assert [entry.split for entry in found] == [0, 1] and found[0].queries != found[1].queries
    again, _ = rescore(finished_run.path, Rules(), options=OPTIONS)
    told = {(entry.split, entry.queries) for entry in again if entry.dataset == other.name}
    assert told == {(entry.split, entry.queries) for entry in found}


def test_a_split_whose_persons_were_trained_on_is_refused(finished_run, people, score):
    own = open_dataset("folder", people)
    with pytest.raises(ValueError, match="was trained on split 0 of folder"):
        score(finished_run.path, dataclasses.replace(own, split=1, splits=2))
    splits = [dataclasses.replace(own, split=k, splits=2) for k in (1, 0)]
    assert [entry.split for entry in score(finished_run.path, splits).records] == [0]


def test_a_run_keeps_its_own_records(finished_run, other, score, tmp_path):
    with pytest.raises(ValueError, match="leave out --out"):
        score(finished_run.path, other, out=tmp_path)
