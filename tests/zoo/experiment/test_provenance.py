"""What a record says beside its numbers."""

import dataclasses
import platform

import pytest

from benchmark.recipes import QUICK, replace
from tests.zoo.experiment.test_spec import DATA, spec_of
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.provenance import common_record, notes_of


def record_of(spec, dataset=DATA, training=None, **options):
    about = {"cost": {}, "checkpoint": "0", "selection": "last epoch", "training": training or {}}
    return common_record(spec, dataset, ExecutionOptions(**options), **about)


def test_a_record_names_run_machine_and_command():
    found = record_of(spec_of(seed=3), command="zoo bench")
    assert (found.run, found.seed, found.command) == (spec_of(seed=3).id, 3, "zoo bench")
    assert found.environment["device"] == "cpu" and found.environment["torch"]
    assert found.arguments == {"backbone": spec_of().backbone, "neck": "bn"}
    assert found.notes == []


def test_data_that_were_not_trained_on_are_told():
    other = dataclasses.replace(DATA, name="other", fingerprint="1", notes=("rebuilt",))
    assert record_of(spec_of(), other).notes == ["rebuilt", "trained on none (0), scored on other"]


@pytest.mark.parametrize("method", ["seresnet50_tp", "seresnet50_ta", "seresnet50_rnn"])
def test_a_method_named_for_se_without_se_says_so(method):
    (note,) = record_of(spec_of(method)).notes
    assert note.startswith(f"{method} is named for SE-ResNet-50 and built on resnet50[")
    assert notes_of(spec_of(method, replace(QUICK, {"backbone": "own"}))) == []


def test_the_baseline_of_sta_says_where_it_is_the_average():
    assert "sta_baseline equals sta_avg here" in record_of(spec_of("sta_baseline")).notes[0]
    assert notes_of(spec_of("sta_baseline", replace(QUICK, {"frames": 1}))) == []
    assert notes_of(spec_of("sta_avg")) == []


def test_a_method_that_brings_its_network_says_that_it_started_elsewhere():
    spec = dataclasses.replace(spec_of(), backbone="own")
    assert notes_of(spec) == ["sta brings its own network: init=synthetic was not for it"]


def test_persons_that_were_held_out_are_told():
    (note,) = notes_of(spec_of(validation={"folds": 4}))
    assert note == "1 of 4 parts of the training persons was held out to validate"


def test_a_transformer_that_starts_at_random_says_so():
    narrow = "vit_base_patch16_clip_quickgelu_224[depth=2,embed_dim=64,num_heads=4]"
    says = f"starts from random weights: there is no packaged start for {narrow}"
    assert notes_of(spec_of("clip_vit_avg")) == [says]
    assert notes_of(spec_of("clip_vit_avg", replace(QUICK, {"init": "none"}))) == []
    taken = dataclasses.replace(spec_of("clip_vit_avg"), checkpoint="clip_vit_avg.x@0")
    assert notes_of(taken) == []


def test_a_record_says_how_many_processes_trained_and_what_batch_norm_saw():
    before = record_of(spec_of())
    assert (before.processes, before.compiled, before.notes) == (1, False, [])
    apart = record_of(spec_of(), training={"processes": [1, 4], "compiled": True})
    assert (apart.processes, apart.compiled) == (4, True)
    assert apart.notes == ["trained by 1 then 4 processes, BatchNorm of each process apart"]
    gpus = record_of(spec_of(), training={"processes": [8], "synchronised": True})
    assert gpus.notes == ["trained by 8 processes, BatchNorm synchronised"]
    (note,) = record_of(spec_of("sta", replace(QUICK, {"chunk": 8}))).notes
    assert note == "features were computed 8 clips at a time, and BatchNorm saw no more"


def test_a_record_names_its_machine_and_what_carried_it_out():
    found = record_of(spec_of(), engine="ray").environment
    assert found["engine"] == "ray" and found["node"] == platform.node()
    assert record_of(spec_of()).environment["engine"] == "local"
