"""What a run will take here."""

import dataclasses

import pytest
import torch

from methods.sta import STA
from tests.zoo.conftest import ask
from zoo import registry
from zoo.experiment.estimate import describe, estimates
from zoo.experiment.plan import plan


def estimated(people, out, **changes):
    return estimates(plan(ask(people, out, dry_run=True, **changes)))


def test_twice_the_epochs_are_twice_the_steps(people, tmp_path):
    (first,), (second,) = (estimated(people, tmp_path, changes={"epochs": n}) for n in (2, 4))
    assert second.steps == 2 * first.steps > 0
    assert first.seconds > 0 and first.memory_mb > 0


def test_a_larger_batch_takes_more_memory(people, tmp_path):
    (few,), (many,) = (
        estimated(people, tmp_path, changes={"clips_per_id": clips}) for clips in (2, 4)
    )
    assert many.memory_mb == pytest.approx(2 * few.memory_mb)


def test_a_checkpoint_is_not_trained(people, tmp_path):
    planned = plan(ask(people, tmp_path, dry_run=True))
    (run,) = planned.runs
    taken = dataclasses.replace(run, spec=dataclasses.replace(run.spec, checkpoint="sta.x@0"))
    (found,) = estimates(dataclasses.replace(planned, runs=(taken,)))
    assert found.steps == 0


def test_seeds_of_one_method_are_counted_once(people, tmp_path):
    first, second = estimated(people, tmp_path, seeds=2)
    assert first == second


def test_a_method_that_looks_at_values_is_estimated_too(people, tmp_path, monkeypatch):
    class Looks(STA):
        def forward(self, clips):
            assert float(clips.mean()) == float(clips.mean())
            return super().forward(clips)

    def looks(backbone="resnet50", num_classes=0):
        return Looks(backbone, num_classes)

    monkeypatch.setattr(registry, "METHODS", (*registry.METHODS, looks))
    (found,) = estimated(people, tmp_path, methods="looks")
    assert found.seconds > 0 and found.memory_mb > 0


def test_no_network_computes(people, tmp_path, monkeypatch):
    seen, forward = set(), STA.forward
    monkeypatch.setattr(
        STA, "forward", lambda self, clips: seen.add(clips.device) or forward(self, clips)
    )
    estimated(people, tmp_path)
    assert seen == {torch.device("meta")}


def test_the_plan_is_told_in_one_line(people, tmp_path):
    planned = plan(ask(people, tmp_path / "o", seeds=2, dry_run=True))
    line = describe(planned, estimates(planned))
    assert line.startswith("2 runs, about ") and line.endswith(f"into {tmp_path / 'o'}")
    assert not (tmp_path / "o").exists()


def test_data_that_are_not_rendered_yet_are_said_to_be(tmp_path):
    request = ask(None, tmp_path, dataset="synthetic[identities=3]", dry_run=True)
    planned = plan(request)
    line = describe(planned, estimates(planned))
    assert line.endswith("synthetic[identities=3] is rendered first; run ids are known then")
    assert not list(tmp_path.rglob("*.jpg"))
