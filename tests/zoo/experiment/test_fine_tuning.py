"""Starting from trained weights: a checkpoint, another run or a file."""

import dataclasses
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark.files import sha256
from tests.conftest import TINY
from tests.zoo.conftest import ask
from tests.zoo.shelf import BACKBONE, shelve
from zoo.experiment.data import open_dataset
from zoo.experiment.execute import execute
from zoo.experiment.fine_tuning import load_start, with_hash
from zoo.experiment.folder import RunFolder
from zoo.experiment.network import build
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.plan import plan
from zoo.experiment.resolve import check_fit
from zoo.experiment.spec import specify, start_of

QUICK = recipe("quick", TINY | {"epochs": 0, "neck": "own"})


class Lines:
    def __init__(self):
        self.lines = []

    def begin(self, title): ...
    def advance(self, what, done, total): ...

    def note(self, line):
        self.lines.append(line.strip())


def starting(source, **changes):
    return recipe("quick", QUICK.training_settings() | {"init": str(source)} | changes)


@pytest.fixture(scope="module")
def nvan(people, tmp_path_factory):
    """The folder of a trained `nvan`."""
    torch.set_num_threads(1)
    asked = {"methods": "nvan", "recipe": dataclasses.replace(QUICK, epochs=1)}
    planned = plan(ask(people, tmp_path_factory.mktemp("nvan"), train_only=True, **asked))
    assert execute(planned) == []
    return RunFolder.of(planned.runs[0].spec, planned.out)


def start(nvan, people, method="nvan", **changes):
    """The network that a run of that start begins with, and what was said."""
    spec = specify(method, with_hash(starting(nvan, **changes)), open_dataset("folder", people))
    told = Lines()
    return build(spec, 9, progress=told), told.lines


def test_the_whole_network_but_for_the_classifier_is_where_the_other_ended(nvan, people):
    model, lines = start(nvan, people)
    stored, state = load_file(nvan.weights), model.state_dict()
    assert all(torch.equal(state[key], stored[key]) for key in stored if "classifier" not in key)
    assert state["head.classifier.weight"].shape[0] == 9
    digest = sha256(nvan.weights)[:12]
    assert lines == [f"starts from {nvan} (sha256 {digest}), with a classifier of its own"]


def test_a_method_of_the_same_layers_starts_from_another_one(nvan, people):
    model, _ = start(nvan, people, "stenvan")
    stored, state = load_file(nvan.weights), model.state_dict()
    assert {k for k in state if "classifier" not in k} <= set(stored)
    assert all(torch.equal(state[k], stored[k]) for k in stored if "classifier" not in k)


def test_a_method_of_other_layers_is_refused_with_those_that_differ(nvan):
    with pytest.raises(ValueError, match=r"does not fit: missing: .*; unknown: ") as error:
        check_fit("sta", with_hash(starting(nvan)))
    assert "\n" not in str(error.value)


def test_a_run_is_known_by_the_bits_that_it_starts_from(nvan, people, tmp_path):
    data = open_dataset("folder", people)
    copy = tmp_path / "a+b.safetensors"
    shutil.copyfile(nvan.weights, copy)
    one, same = (specify("nvan", with_hash(starting(p)), data) for p in (nvan, copy))
    state = load_file(nvan.weights)
    save_file({k: v + 1 if v.is_floating_point() else v for k, v in state.items()}, copy)
    other = specify("nvan", with_hash(starting(copy)), data)
    assert one.id == same.id != other.id
    assert one.settings["init"] == f"{nvan}@{sha256(nvan.weights)}"
    assert re.search(r"@[0-9a-f]{12}[],]", one.recipe)
    assert one.trained_by().init == one.settings["init"]


def test_a_start_of_untrained_kind_is_left_as_it_is():
    assert with_hash(QUICK) is QUICK
    assert start_of("imagenet") is None and start_of("nvan.synthetic") is None


def test_a_short_hash_is_completed_and_a_wrong_one_refused(nvan):
    digest = sha256(nvan.weights)
    assert with_hash(starting(f"{nvan}@{digest[:12]}")).init == f"{nvan}@{digest}"
    with pytest.raises(ValueError, match=rf"has sha256 {digest[:12]}…, not {'0' * 12}…"):
        with_hash(starting(f"{nvan}@{'0' * 64}"))


def test_a_file_that_changes_after_planning_is_refused(nvan, people, tmp_path):
    path = tmp_path / "start.safetensors"
    shutil.copyfile(nvan.weights, path)
    spec = specify("nvan", with_hash(starting(path)), open_dataset("folder", people))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ValueError, match="is no longer the file with sha256"):
        build(spec, 9)
    build(spec, 9, trained=True)  # the run's own weights will be loaded: it is not needed


def test_a_checkpoint_serves_by_name_in_half_precision(tmp_path, monkeypatch):
    row = shelve(tmp_path / "home")
    monkeypatch.setenv("ZOO_CHECKPOINTS", str(tmp_path / "home" / "checkpoints.toml"))
    shape = {"channels": (4, 8, 8, 8), "layers": (1, 2, 3, 1), "stem": 0}
    chosen = with_hash(starting(row.name, **shape))
    assert chosen.init == f"{row.name}@{row.sha256}" and str(chosen.backbone_of("resnet50")) == (
        BACKBONE
    )
    check_fit("sta", chosen)


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("sta.nowhere", LookupError, "init takes a checkpoint's name, the folder of a trained run"),
        ("runs/none", FileNotFoundError, "init=runs/none does not exist"),
        ("none.safetensors", FileNotFoundError, "init=none.safetensors does not exist"),
        ("a[b].safetensors", ValueError, "link it under a plainer name"),
    ],
)
def test_what_is_nothing_to_start_from_is_refused_in_one_line(name, error, says):
    with pytest.raises(error, match=re.escape(says)) as raised:
        with_hash(starting(name))
    assert "\n" not in str(raised.value)


def test_only_safetensors_are_read(tmp_path, nvan):
    for name in ("start.pth", "start.pt"):
        torch.save({}, tmp_path / name)
        with pytest.raises(ValueError, match=r"is no safetensors file: .*`zoo convert`"):
            with_hash(starting(tmp_path / name))
    fake = tmp_path / "start.safetensors"
    torch.save({}, fake)
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_start(torch.nn.Linear(1, 1), f"{fake}@{sha256(fake)}")


def test_a_folder_without_trained_weights_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no trained weights"):
        with_hash(starting(tmp_path))


def test_weights_that_are_no_numbers_are_refused(nvan, tmp_path):
    state = load_file(nvan.weights)
    key = next(k for k in state if k.endswith("weight") and "classifier" not in k)
    state[key] = state[key] * torch.nan
    save_file(state, tmp_path / "start.safetensors")
    with pytest.raises(ValueError, match="holds NaN or infinity in "):
        check_fit("nvan", with_hash(starting(tmp_path / "start.safetensors")))


def test_a_record_says_what_its_run_started_from(call, nvan, people, tmp_path):
    places = ["--data-root", people, "--out", tmp_path, "--workers", "0", "--device", "cpu"]
    words = ["--methods", "stenvan", "--dataset", "folder", "--recipe", "quick"]
    settings = {k: v for k, v in TINY.items() if k != "init"}
    settings |= {"epochs": 1, "neck": "own", "init": nvan}
    changes = [
        word
        for k, v in settings.items()
        for word in ("--set", f"{k}={'+'.join(map(str, v)) if isinstance(v, tuple) else v}")
    ]
    status, _, err = call("bench", *words, *changes, *places)
    assert status == 0 and f"starts from {nvan}" in err
    (run,) = (tmp_path / "runs").iterdir()
    (record,) = RunFolder(run).read_records()
    assert any(note.startswith(f"starts from {nvan} (sha256 ") for note in record.notes)
    status, _, err = call("bench", *words, *changes, *places)
    assert status == 0 and "starts from" not in err  # it is trained
