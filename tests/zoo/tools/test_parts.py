"""Tracklets embedded in parts."""

import numpy as np
import pytest

from benchmark.progress import SILENT
from tests.zoo.shelf import NAME
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import find, table
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import ExecutionOptions
from zoo.tools import parts
from zoo.tools.features import tracklets_in
from zoo.tools.parts import cut, embed_in_parts


@pytest.fixture
def embedded(shelf, people, tmp_path, monkeypatch):
    """Embed the people's training tracklets, cut into parts of so many at least."""
    settings = read_settings()
    checkpoint = find(NAME, table(settings))

    def run(size, engine=LOCAL):
        monkeypatch.setattr(parts, "LEAST", size)
        return embed_in_parts(
            tracklets_in(people / "train"),
            checkpoint,
            shelf.sha256,
            settings,
            folder=tmp_path / "f.npz.parts",
            options=ExecutionOptions(workers=0, engine=engine.name),
            engine=engine,
            progress=SILENT,
        )

    return run


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(parts.embed, "BATCH_FRAMES", 16)


def test_parts_are_cut_where_a_batch_ends_and_a_tracklet_begins(
    shelf, people, small_batches, monkeypatch
):
    monkeypatch.setattr(parts, "LEAST", 1)
    rows = tracklets_in(people / "train")
    starts = cut(rows, find(NAME, table(read_settings())))
    assert starts[0] == 0 and 1 < len(starts) < len(rows) and starts == sorted(set(starts))


def test_parts_hold_the_bits_of_the_whole(embedded, small_batches, tmp_path):
    assert np.array_equal(embedded(1), embedded(1000))
    assert not (tmp_path / "f.npz.parts").exists()


def test_what_is_embedded_is_not_embedded_again(embedded, small_batches, tmp_path, monkeypatch):
    real, made = parts.embed_by, []

    def counted(*words, **more):
        made.append(words[1].dataset.fingerprint)
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(*words, **more)

    whole = embedded(1000)
    monkeypatch.setattr(parts, "embed_by", counted)
    with pytest.raises(KeyboardInterrupt):
        embedded(1)
    assert len(list((tmp_path / "f.npz.parts").glob("*.npy"))) == 1
    assert np.array_equal(embedded(1), whole)
    assert made.count(made[0]) == 1 and made.count(made[1]) == 2


def test_other_weights_on_a_machine_are_refused(embedded, monkeypatch):
    monkeypatch.setattr(parts, "_LOADED", {})
    real = parts.open_checkpoint

    def other(*words):
        loaded = real(*words)
        return loaded._replace(file=loaded.file._replace(sha256="0" * 64))

    monkeypatch.setattr(parts, "open_checkpoint", other)
    with pytest.raises(RuntimeError, match="has sha256 000000000000… there"):
        embedded(1000)
