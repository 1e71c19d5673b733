"""What training goes on from."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from benchmark import training_state
from benchmark.progress import SILENT, Silent
from benchmark.training_state import TrainingState


def state_at(path, seed=0, progress=SILENT):
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    return TrainingState(model, optimiser, Accelerator(cpu=True), path, progress=progress)


def step(state):
    state.optimiser.zero_grad()
    state.model(torch.rand(4, 3)).square().sum().backward()
    state.optimiser.step()
    state.step += 1


def weights(state):
    return {k: v.clone() for k, v in state.model.state_dict().items()}


def equal(a, b):
    return all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(training_state, "SAVE_EVERY", 0.0)


def test_what_is_loaded_goes_on_as_what_was_saved(tmp_path):
    state = state_at(tmp_path / "checkpoint.pt")
    step(state)
    state.epoch, state.seconds, state.means = 1, 2.5, {"loss": 0.5}
    state.keep_if_best(0.4)
    state.save(final=True)
    best = weights(state)
    step(state)
    other = state_at(tmp_path / "checkpoint.pt", seed=9)
    assert (other.epoch, other.step, other.seconds, other.means) == (1, 1, 2.5, {"loss": 0.5})
    assert (other.best_mAP, other.best_epoch) == (0.4, 1) and equal(other.best, best)
    step(other)  # same moments of Adam, same random numbers
    assert equal(weights(other), weights(state))


def test_a_checkpoint_holds_nothing_but_tensors_and_numbers(tmp_path):
    state_at(tmp_path / "checkpoint.pt").save(final=True)
    data = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert data["best"] is None and data["epoch"] == 0


def test_checkpoints_are_not_written_more_often_than_needed_except_the_last(tmp_path):
    state = state_at(tmp_path / "checkpoint.pt")
    state.save(final=False)
    assert not state.path.exists() and state.saved == "none yet"
    state.epoch = 4
    state.save(final=True)
    assert state.path.exists() and state.saved.endswith("checkpoint.pt of epoch 4")


def test_a_checkpoint_that_is_old_enough_is_written_again(tmp_path, always):
    state = state_at(tmp_path / "checkpoint.pt")
    state.save(final=False)
    assert state.path.exists()


def test_the_best_epoch_is_kept_apart_from_the_weights_that_go_on(tmp_path):
    state = state_at(tmp_path / "checkpoint.pt")
    kept = []
    for epoch, mAP in enumerate([0.0, 0.7, 0.7, 0.2], start=1):
        step(state)
        state.epoch = epoch
        state.keep_if_best(mAP)
        kept.append(weights(state))
    assert (state.best_epoch, state.best_mAP) == (2, 0.7)
    assert equal(weights(state), kept[3])
    state.restore_best()
    assert equal(weights(state), kept[1])


def test_even_a_score_of_nought_is_kept(tmp_path):
    state = state_at(tmp_path / "checkpoint.pt")
    state.epoch = 1
    state.keep_if_best(0.0)
    assert state.best_epoch == 1


def test_without_a_best_epoch_nothing_is_restored(tmp_path):
    state = state_at(tmp_path / "checkpoint.pt")
    before = weights(state)
    state.restore_best()
    assert equal(weights(state), before)


# ---- damage --------------------------------------------------------------------------------------


class Heard(Silent):
    """Remembers its lines."""

    def __init__(self):
        self.lines = []

    def note(self, line):
        self.lines.append(line)


def changed(path, **values):
    torch.save(torch.load(path, weights_only=True) | values, path)


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-700]),
    "empty": lambda path: path.write_bytes(b""),
    "no checkpoint": lambda path: path.write_bytes(b"PK\3\4 and then nothing"),
    "one byte": lambda path: path.write_bytes(one_byte_off(path.read_bytes())),
    "a list": lambda path: torch.save([1, 2], path),
    "a part is missing": lambda path: torch.save({"model": {}}, path),
    "other shape": lambda path: changed(path, model=nn.Linear(4, 2).state_dict()),
    "other shape of the best": lambda path: changed(path, best=nn.Linear(4, 2).state_dict()),
    "other type": lambda path: changed(path, epoch="three"),
    "negative": lambda path: changed(path, step=-1),
    "no number": lambda path: changed(path, seconds=float("nan")),
    "no optimiser": lambda path: changed(path, optimiser={"state": {}, "param_groups": []}),
    "random state": lambda path: changed(path, rng=torch.zeros(3, dtype=torch.uint8)),
}


def one_byte_off(data):
    """The same with one byte of a tensor changed, which only a checksum can tell."""
    at = data.index(nn.Linear(3, 2).weight.new_tensor([0.25]).numpy().tobytes())
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_named_and_set_aside_and_training_starts_anew(tmp_path, name):
    path, heard = tmp_path / "checkpoint.pt", Heard()
    state = state_at(path)
    step(state)
    with torch.no_grad():
        state.model.bias.fill_(0.25)
    state.epoch = 1
    state.keep_if_best(0.4)
    state.save(final=True)
    DAMAGES[name](path)
    fresh = state_at(tmp_path / "none.pt", seed=5)
    random = torch.rand(3)
    other = state_at(path, seed=5, progress=heard)
    assert torch.equal(torch.rand(3), random)
    assert (other.epoch, other.step, other.best) == (0, 0, None)
    assert equal(weights(other), weights(fresh)) and not other.optimiser.state_dict()["state"]
    (line,) = heard.lines
    assert line.startswith(f"  {path} is damaged (") and "\n" not in line
    assert line.endswith("set aside as checkpoint.pt.damaged; training starts anew")
    assert not path.exists() and (tmp_path / "checkpoint.pt.damaged").is_file()
