"""Scoring a finished run again: every test set by itself, as the run was made, into its folder."""

import dataclasses
import shutil

import pytest

from benchmark.label import Label
from benchmark.recipes import QUICK, RECIPES, replace
from reports.read.results import collect
from tests.zoo.conftest import ask
from zoo.experiment import rescore as rescoring
from zoo.experiment.execute import execute
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.plan import plan
from zoo.experiment.rescore import Rules, open_run_folder, rescore, score_file

OPTIONS = ExecutionOptions(workers=0, command="zoo eval later")


def again(folder, people=None, **rules):
    return rescore(folder.path, Rules(**rules), data_root=people, options=OPTIONS)


@pytest.fixture(scope="module")
def two_test_sets(people, crowd, tmp_path_factory):
    """A run by Euclidean distance, scored on its own test part and on a second data set's."""
    out = tmp_path_factory.mktemp("two")
    asked = {"changes": {"distance": "l2sq-raw"}, "also_test": (f"folder={crowd}",)}
    planned = plan(ask(people, out, **asked))
    assert execute(planned) == []
    return RunFolder.of(planned.runs[0].spec, out), planned


@pytest.fixture
def scored_twice(two_test_sets, tmp_path):
    folder, _ = two_test_sets
    return RunFolder(shutil.copytree(folder.path, tmp_path / "o" / "runs" / folder.path.name))


def test_a_run_is_also_scored_on_a_second_data_set(two_test_sets):
    folder, planned = two_test_sets
    own, other = planned.runs[0].dataset, planned.also_test[0]
    found = {entry.fingerprint: entry for entry in folder.read_records()}
    assert set(found) == {own.fingerprint, other.fingerprint}
    assert found[other.fingerprint].queries == len(other.query) == 2
    assert any(note.startswith("trained on folder") for note in found[other.fingerprint].notes)
    assert len(list(folder.path.glob("weights.*"))) == 1 and len(folder.all_embeddings()) == 2


def test_test_sets_of_one_run_are_not_mixed(scored_twice):
    before = {r.fingerprint: r for r in scored_twice.read_records()}
    made, refused = again(scored_twice)
    assert len(made) == 2 and not refused
    for entry in made:
        same = before[entry.fingerprint]
        assert (entry.metrics, entry.queries, entry.label) == (
            same.metrics,
            same.queries,
            same.label,
        )


def test_the_distance_is_the_run_s_own_unless_another_is_named(scored_twice):
    def distances(made):
        return {Label.parse(entry.label).distance for entry in made}

    assert distances(again(scored_twice)[0]) == {"l2sq-raw"}
    assert distances(again(scored_twice, distance="cos-bn")[0]) == {"cos-bn"}


def test_all_protocols_mean_the_same_as_in_a_bench(finished_run, people, tmp_path):
    made, _ = again(finished_run, protocols="all")
    asked = plan(ask(people, tmp_path / "b", protocols="all"))
    assert {Label.parse(entry.label).protocol for entry in made} == set(
        asked.runs[0].scoring.protocols
    )


def test_what_is_scored_again_reaches_the_report(finished_run):
    again(finished_run, protocols="open,mars-ap3d", distance="cos-raw")
    frame = collect([finished_run.path.parent.parent]).frame
    assert set(frame["label"]) == {
        "open@1/cos-bn/chunk-first4",
        "open@1/cos-raw/chunk-first4",
        "mars-ap3d@1/cos-raw/chunk-first4",
    }


def test_what_is_scored_again_says_by_which_command_where_and_at_what_cost(
    finished_run, people, monkeypatch
):
    (first,) = finished_run.read_records()
    monkeypatch.setattr(rescoring, "commit", lambda: "later")
    monkeypatch.setattr(rescoring, "where", lambda *_: {"device": "elsewhere"})
    ((entry,), _) = again(finished_run, people, frames="even2")
    assert (entry.command, entry.commit) == ("zoo eval later", "later")
    assert entry.environment == {"device": "elsewhere"} and entry.cost["frames"] == 2
    assert first in finished_run.read_records() and first.command != entry.command


def test_kept_embeddings_are_scored_without_the_data_and_without_the_network(
    finished_run, monkeypatch
):
    monkeypatch.setattr(rescoring, "open_data_of", None)
    monkeypatch.setattr("zoo.experiment.stages.load_weights", None)
    (_, entry), _ = again(finished_run, rerank="kr(4,2,0.3)", distance="l2sq-raw")
    assert entry.label == "open@1/l2sq-raw/chunk-first4/kr(4,2,0.3)"


def test_a_run_is_scored_with_its_stored_settings_whatever_the_recipe_says_today(
    finished_run, people, monkeypatch
):
    changed = {"height": 32, "frames": 2, "distance": "l2sq-raw", "test_frames": "all"}
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, changed))
    ((entry,), _) = again(finished_run)
    assert entry.label == "open@1/cos-bn/chunk-first4"
    ((entry,), _) = again(finished_run, people, frames="even")
    assert entry.label == "open@1/cos-bn/even4" and entry.cost["height"] == 64


def test_a_protocol_that_does_not_allow_the_data_is_an_error_unless_all_are_asked_for(
    scored_twice, monkeypatch
):
    write = rescoring.write_records

    def refusing(folder, embeddings, scoring, *more):
        if scoring.protocols == ("validation",):
            raise ValueError("not these data")
        return write(folder, embeddings, scoring, *more)

    monkeypatch.setattr(rescoring, "write_records", refusing)
    monkeypatch.setattr(rescoring, "choose_protocols", lambda *_: ("open", "validation"))
    made, refused = again(scored_twice, protocols="all")
    assert len(made) == 2 and refused == ["not these data"] * 2
    with pytest.raises(ValueError, match="not these data"):
        again(scored_twice, protocols="open,validation")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"distance": "cos"}, "did you mean cos-bn"),
        ({"frames": "middle"}, "unknown frame rule"),
        ({"protocols": "opne"}, "did you mean open"),
        ({"rerank": "best"}, "is no re-ranking"),
    ],
)
def test_an_unknown_rule_is_refused(finished_run, rules, says):
    with pytest.raises((LookupError, ValueError), match=says):
        again(finished_run, **rules)


def test_a_run_without_records_is_not_finished(finished_run):
    shutil.rmtree(finished_run.records)
    with pytest.raises(FileNotFoundError, match="the run is not finished"):
        again(finished_run)


def test_a_run_is_opened_from_its_folder(finished_run, people):
    run = open_run_folder(finished_run.path, people)
    assert run.spec == finished_run.spec() and run.recipe.epochs == 2


# ---- embedding files -----------------------------------------------------------------------------


def test_an_embedding_file_is_scored_as_its_run_was(scored_twice):
    records = {r.fingerprint: r for r in scored_twice.read_records()}
    own = records[scored_twice.spec().fingerprint]
    (file, _) = scored_twice.all_embeddings()
    ((label, scores),), refused = score_file(file, Rules())
    assert str(label) == own.label and scores.values == own.metrics and not refused


def test_an_embedding_file_by_itself_is_scored_under_open(finished_run, tmp_path):
    (file,) = finished_run.all_embeddings()
    alone = shutil.copy(file, tmp_path / "alone.safetensors")
    ((label, _),), _ = score_file(alone, Rules())
    assert str(label) == "open@1/cos-bn/chunk-first4"
    labels = [label.protocol for label, _ in score_file(alone, Rules(protocols="all"))[0]]
    assert {"open", "mars-ap3d", "duke-folders"} <= set(labels)


def test_an_embedding_file_has_its_frames(finished_run):
    (file,) = finished_run.all_embeddings()
    with pytest.raises(ValueError, match="holds clips of chunk-first4: --frames needs a run"):
        score_file(file, Rules(frames="all4"))


def test_rules_are_as_before_where_nothing_is_said(finished_run):
    spec, before = finished_run.spec(), finished_run.read_records()
    more = dataclasses.replace(before[0], label="mars-ap3d@1/cos-bn/chunk-first4")
    found = Rules().scoring(spec, [*before, more])
    assert found.protocols == ("open", "mars-ap3d") and found.rerank is None
    assert str(found.evaluation.frames) == "chunk-first4"
