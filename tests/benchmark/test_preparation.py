"""What a method does before its first step: once, resumable, and none of the others' business."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn

import zoo
from benchmark import embed, training_state
from benchmark.clips import frame_rule
from benchmark.datasets.folder import folder
from benchmark.pixels import normalise, read_clip
from benchmark.preparation import FILE, prepare
from benchmark.progress import Silent
from benchmark.recipes import recipe
from benchmark.train import train
from methods.head import Head
from tests.conftest import TINY
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.run import Run
from zoo.experiment.spec import specify

RECIPE = recipe("quick", {**TINY, "init": "synthetic", "neck": "own"})
BACKBONE = str(RECIPE.backbone_of("vit_base_patch16_clip_quickgelu_224"))


class Killed(Exception):
    """Stands for a kill: nothing after it runs."""


class Killer(Silent):
    """Strikes when so many clips of the pass, or steps of training, are done; counts the pass."""

    def __init__(self, what=None, at=None):
        self.strikes, self.passed, self.lines = (what, at), [], []

    def note(self, line):
        self.lines.append(line)

    def advance(self, what, done, total):
        if what == "prepare":
            self.passed.append(done)
        if (what, done) == self.strikes:
            raise Killed


@pytest.fixture(autouse=True)
def small_batches_saved_each_time(monkeypatch):
    monkeypatch.setattr(training_state, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(embed, "BATCH_FRAMES", 12)  # three clips of four frames


def tf_clip(data):
    torch.manual_seed(3)
    size = RECIPE.height, RECIPE.width
    return zoo.create("tf_clip", len(data.train_pids), backbone=BACKBONE, size=size)


def ready(data, path, *, workers=0, progress=None):
    """A network that was prepared, and who was told."""
    model, progress = tf_clip(data), progress or Killer()
    prepare(model, data, RECIPE, path, torch.device("cpu"), workers, progress)
    return model, progress


def test_every_training_person_has_the_mean_over_tracklets_of_the_means_over_clips(
    people, tmp_path
):
    data, rule = folder(people), frame_rule("dense", RECIPE.frames)
    model, _ = ready(data, tmp_path)
    fresh, rows = tf_clip(data).eval(), []
    for pid in data.train_pids:
        vectors = []
        for tracklet in (t for t in data.train if t.pid == pid):
            clips = torch.stack(
                [read_clip(tracklet, frames, 64, 32) for frames in rule.clips(len(tracklet))]
            )
            with torch.no_grad():
                tokens = fresh.tower.tokens(normalise(clips))
                vectors.append(fresh.tower.proj(tokens[:, :, 0].mean(1)).mean(0))
        rows.append(torch.stack(vectors).mean(0))
    torch.testing.assert_close(model.head.memory.rows, torch.stack(rows), rtol=1e-4, atol=1e-5)


def test_a_killed_pass_goes_on_and_ends_with_the_same_bits(people, tmp_path):
    data = folder(people)
    whole, told = ready(data, tmp_path)
    expected, points = whole.head.memory.rows, told.passed
    assert len(points) > 4
    cut = tmp_path / "cut"
    cut.mkdir()
    for i, workers in ((0, 0), (2, 2), (len(points) - 1, 0)):
        killer = Killer("prepare", points[i])
        with pytest.raises(Killed):
            ready(data, cut, workers=workers, progress=killer)
    resumed, told = ready(data, cut)
    assert told.passed == []  # the last kill fell behind the last clip
    assert torch.equal(resumed.head.memory.rows, expected)


def test_a_pass_goes_on_where_it_was_saved(people, tmp_path):
    data, killer = folder(people), Killer("prepare", 6)
    with pytest.raises(Killed):
        ready(data, tmp_path, progress=killer)
    _, told = ready(data, tmp_path)
    assert killer.passed == [3, 6] and told.passed[0] > 6


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_pass_is_set_aside_and_starts_anew(people, tmp_path, damage):
    data = folder(people)
    whole, _ = ready(data, tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    with pytest.raises(Killed):
        ready(data, tmp_path / "cut", progress=Killer("prepare", 6))
    saved = tmp_path / "cut" / FILE
    if damage == "cut":
        saved.write_bytes(saved.read_bytes()[:-100])
    else:
        torch.save({"sums": torch.zeros(1), "clips": torch.zeros(1)}, saved)
    heard = Killer()
    model, _ = ready(data, tmp_path / "cut", progress=heard)
    assert heard.passed[0] == 3 and (tmp_path / "cut" / f"{FILE}.damaged").is_file()
    (line,) = heard.lines
    assert line.startswith(f"  {saved} is damaged (") and line.endswith("the pass starts anew")
    state = whole.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_the_random_numbers_and_the_mode_of_training_are_left_alone(people, tmp_path):
    data = folder(people)
    model = tf_clip(data)
    modes, encode = [], model._projected_mean

    def odd(clips):
        modes.append(model.training)
        torch.rand(3)
        return encode(clips)

    model._projected_mean = odd
    before = torch.get_rng_state()
    prepare(model.train(), data, RECIPE, tmp_path, torch.device("cpu"), 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training and set(modes) == {False}


class Plain(nn.Module):
    """A network that has nothing to prepare, and one that says so."""

    def __init__(self, num_classes=4):
        super().__init__()
        self.head = Head(3, num_classes)

    def forward(self, clips):
        return self.head(clips.mean((1, 3, 4)))  # [B, T, 3, H, W] -> [B, 3]


class Nothing(Plain):
    def preparation(self, classes):
        self.classes = classes.tolist()


def test_a_network_without_anything_to_prepare_is_shown_nothing(people, tmp_path):
    data, told = folder(people), Killer()
    for model in (Plain(), Nothing()):
        before = {k: v.clone() for k, v in model.state_dict().items()}
        prepare(model, data, RECIPE, tmp_path, torch.device("cpu"), 0, told)
        assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert told.passed == [] and not (tmp_path / FILE).exists()
    assert model.classes == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]


def test_a_training_that_goes_on_is_not_prepared_again(people, tmp_path):
    data = folder(people)

    def go(progress):
        train(
            model := tf_clip(data),
            data,
            RECIPE,
            tmp_path,
            seed=3,
            accelerator=Accelerator(cpu=True),
            workers=0,
            progress=progress,
        )
        return model

    with pytest.raises(Killed):
        go(Killer("train", 3))
    assert (tmp_path / FILE).is_file()
    told = Killer()
    go(told)
    assert told.passed == [] and not (tmp_path / FILE).exists()


def test_a_run_that_was_killed_in_the_pass_and_after_it_ends_with_the_same_bits(people, tmp_path):
    data = folder(people)
    spec = specify("tf_clip", RECIPE, data)

    def trained(path, progress):
        options = ExecutionOptions(device="cpu", workers=0, command="test")
        return Run(spec, data, options, RunFolder(path), progress).train().read_bytes()

    told = Killer()
    whole = trained(tmp_path / "whole", told)
    points = [("prepare", told.passed[0]), ("prepare", told.passed[3])]
    for strike in (*points, ("train", 1), ("train", 3)):
        with pytest.raises(Killed):
            trained(tmp_path / "cut", Killer(*strike))
    assert trained(tmp_path / "cut", Killer()) == whole
