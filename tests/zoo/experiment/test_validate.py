"""Epochs are scored on training persons that are held out."""

import dataclasses
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from tests.zoo.conftest import ask
from zoo.experiment import validate
from zoo.experiment.data import open_dataset
from zoo.experiment.execute import execute
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.plan import plan
from zoo.experiment.validate import ValidationPlan, check_folds, open_validation


@pytest.fixture(scope="module")
def validated(crowd, tmp_path_factory):
    """Two epochs, validated and the better one kept, where no test image can be read."""
    data = shutil.copytree(crowd, tmp_path_factory.mktemp("data") / "data")
    for part in ("query", "gallery"):
        for image in (data / part).rglob("*.jpg"):
            image.write_bytes(image.read_bytes()[:20])
    out = tmp_path_factory.mktemp("validated")
    asked = {"changes": {"epochs": 2}, "validate": 1, "select": "best-validation"}
    planned = plan(ask(data, out, train_only=True, **asked))
    assert execute(planned) == []
    return planned.runs[0], RunFolder.of(planned.runs[0].spec, out)


def test_the_log_has_the_validation_scores_of_every_epoch(validated):
    _, folder = validated
    lines = [json.loads(line) for line in (folder.path / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert all(0 <= line["validation_mAP"] <= 1 and "validation_R1" in line for line in lines)


def test_the_summary_says_which_epoch_was_kept(validated):
    _, folder = validated
    lines = [json.loads(line) for line in (folder.path / "log.jsonl").read_text().splitlines()]
    best = max(lines, key=lambda line: line["validation_mAP"])["epoch"]
    selection = folder.summary()["selection"]
    assert selection == f"epoch {best}, the best on held-out training persons"
    assert folder.summary()["training"]["best_epoch"] == best
    stored = torch.load(folder.training_checkpoint, weights_only=True)["best"]
    weights = load_file(folder.weights)
    assert all(torch.equal(weights[key], stored[key]) for key in weights)


def test_the_persons_that_are_held_out_are_not_trained_on(validated):
    run, folder = validated
    held_out, validation = open_validation(run.spec, run.dataset, ExecutionOptions(workers=0))
    tested = {tracklet.pid for tracklet in held_out.test}
    assert len(tested) == 2 and not tested & set(held_out.train_pids)
    assert folder.summary()["training"]["persons"] == 8 and validation.keep_best
    assert not {t.folder for t in held_out.test} & {t.folder for t in run.dataset.test}
    assert load_file(folder.weights)["head.classifier.weight"].shape[0] == 8


def test_without_validation_all_persons_are_trained_on(validated, people):
    run, _ = validated
    spec = dataclasses.replace(run.spec, validation=None)
    assert open_validation(spec, run.dataset, ExecutionOptions()) == (run.dataset, None)


def test_validating_makes_another_run_and_its_records_say_so(crowd, tmp_path):
    plain, validated = (
        plan(ask(crowd, tmp_path, changes={"epochs": 0}, validate=every)) for every in (0, 1)
    )
    assert plain.runs[0].spec.id != validated.runs[0].spec.id
    assert execute(validated) == []
    (record,) = RunFolder.of(validated.runs[0].spec, tmp_path).read_records()
    assert "1 of 5 parts of the training persons was held out to validate" in record.notes
    assert record.selection == "last epoch"


def test_data_without_enough_persons_are_refused_before_anything_is_trained(people, tmp_path):
    with pytest.raises(ValueError, match="4 training persons are too few"):
        plan(ask(people, tmp_path, validate=1))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"folds": 1}, "fold 0 of 1"),
        ({"fold": 5}, "fold 5 of 5"),
        ({"every": 0}, "every 0 epochs: expected 1 or more"),
        ({"select": "best"}, "select is 'best', expected one of last, best-validation"),
    ],
)
def test_what_is_no_plan_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        ValidationPlan(**fields)


def test_the_data_set_itself_is_left_as_it_was(crowd):
    before = open_dataset("folder", crowd)
    before.held_out()
    assert before == open_dataset("folder", crowd)


def test_a_network_whose_vectors_cannot_be_ranked_has_diverged(crowd, tmp_path, monkeypatch):
    def embedded(self, model):
        raise ValueError("the vector of row 0 holds NaN or infinity: nothing to rank")

    monkeypatch.setattr(validate._Scorer, "__call__", embedded)
    (failure,) = execute(plan(ask(crowd, tmp_path, train_only=True, validate=1)))
    assert failure.reason.startswith("epoch 1 cannot be scored: the vector of row 0 holds NaN")


@pytest.mark.parametrize(("folds", "persons"), [(37, 600), (5, 12), (2, 8), (6, 96)])
def test_five_folds_or_folds_of_two_batches_of_persons_are_taken(folds, persons):
    check_folds(folds, persons, ids_per_batch=8)


@pytest.mark.parametrize(("folds", "persons", "most"), [(500, 600, 37), (38, 600, 37), (6, 30, 5)])
def test_folds_of_too_few_persons_are_refused_with_the_most_that_fit(folds, persons, most):
    with pytest.raises(ValueError, match=rf"of {persons} training .* take --folds {most} or fewer"):
        check_folds(folds, persons, ids_per_batch=8)
    check_folds(most, persons, ids_per_batch=8)
