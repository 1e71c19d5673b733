"""Embedding files: what is kept is what was computed, and only for its key."""

import dataclasses

import numpy as np
import pytest
import torch

import zoo
from benchmark import embed
from benchmark.clips import frame_rule
from benchmark.contract import BrokenContract
from benchmark.datasets.folder import folder
from benchmark.pixels import normalise, read_clip
from benchmark.progress import SILENT, Silent
from zoo.tools.probe import stir_norms

KEY = {
    "weights": "w",
    "method": "m",
    "fingerprint": "f",
    "height": 64,
    "width": 32,
    "precision": "no",
}
BACKBONE = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


def make(people, rule="chunk-first4", workers=0, progress=SILENT, parts=None):
    torch.manual_seed(0)
    model = zoo.create("resnet50_avg", backbone=BACKBONE).eval()
    stir_norms(model)
    if parts is not None:
        model.parts = parts
    found = embed.embed(
        model,
        folder(people),
        frame_rule(rule),
        height=64,
        width=32,
        key={**KEY, "frames_rule": rule},
        device=torch.device("cpu"),
        precision="no",
        workers=workers,
        progress=progress,
    )
    return model, found


def test_every_test_tracklet_gets_the_vector_of_its_own_clip(people):
    model, found = make(people)
    for row, tracklet in enumerate(folder(people).test):
        clip = read_clip(tracklet, frame_rule("chunk-first4").clips(len(tracklet))[0], 64, 32)
        with torch.no_grad():
            out = model(normalise(clip[None]))
        assert np.allclose(found.embedding[row], out.embedding[0], atol=1e-5)
        assert np.allclose(found.metric[row], out.metric[0], atol=1e-5)


def test_the_file_gives_back_what_was_saved(people, tmp_path):
    _, found = make(people, "all4")
    embed.save(found, tmp_path / "e.safetensors")
    again = embed.load(tmp_path / "e.safetensors")
    assert again.key == found.key
    for name in ("metric", "embedding", "row", "frames", "pids", "camids", "query", "neck"):
        assert np.array_equal(getattr(again, name), getattr(found, name)), name


def test_a_file_made_with_another_key_is_not_taken(people, tmp_path):
    _, found = make(people)
    path = tmp_path / "e.safetensors"
    assert embed.load_if(path, found.key) is None
    embed.save(found, path)
    assert embed.load_if(path, found.key) is not None
    assert embed.load_if(path, {**found.key, "weights": "other"}) is None
    path.write_bytes(path.read_bytes()[:100])
    assert embed.load_if(path, found.key) is None


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x00" * 64])
def test_what_is_no_embedding_file_is_named(tmp_path, content):
    (tmp_path / "e.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"e\.safetensors is no embedding file"):
        embed.load(tmp_path / "e.safetensors")


def test_dense_clips_are_averaged_with_equal_weight_after_the_neck(people):
    _, found = make(people, "dense4")
    tracks = found.pooled("embedding").vectors.numpy()
    for row in range(len(found.pids)):
        assert np.allclose(tracks[row], found.embedding[found.row == row].mean(0), atol=1e-6)


def test_all_weighs_clips_by_frames_and_applies_the_neck_after_the_mean(people):
    model, found = make(people, "all4")
    tracks = found.pooled("embedding").vectors
    for row in range(len(found.pids)):
        clips = found.row == row
        mean = np.average(found.metric[clips], axis=0, weights=found.frames[clips])
        with torch.no_grad():
            expected = model.neck(torch.from_numpy(mean).float()[None])[0]
        assert torch.allclose(tracks[row], expected, atol=1e-5)


def test_all_max_takes_the_largest_over_single_frames(people):
    _, found = make(people, "all-max")
    tracks = found.pooled("metric").vectors.numpy()
    for row in range(len(found.pids)):
        assert np.allclose(tracks[row], found.metric[found.row == row].max(0))


def split(parts, pooled):
    return [vector.reshape(parts, -1) for vector in pooled.vectors.numpy()]


def test_the_parts_of_a_tracklets_vector_have_unit_length_after_the_mean_over_its_clips(people):
    _, found = make(people, "dense4", parts=2)
    assert found.parts == 2
    for space in ("embedding", "metric"):
        for row, halves in enumerate(split(2, found.pooled(space))):
            mean = getattr(found, space)[found.row == row].mean(0).reshape(2, -1)
            expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
            assert np.allclose(halves, expected, atol=1e-5)


def test_the_clips_are_kept_as_the_network_gave_them_whatever_its_parts(people):
    _, one = make(people, "dense4")
    _, two = make(people, "dense4", parts=2)
    assert one.parts == 1 and np.array_equal(one.embedding, two.embedding)
    lengths = np.linalg.norm(one.pooled("embedding").vectors, axis=1)
    assert not np.allclose(lengths, lengths[0])


def test_a_part_of_length_nought_stays_nought(people):
    _, found = make(people, parts=2)
    width = found.embedding.shape[1] // 2
    half = np.concatenate(
        [found.embedding[:, :width], np.zeros_like(found.embedding[:, width:])], 1
    )
    vectors = dataclasses.replace(found, embedding=half).pooled("embedding").vectors
    assert vectors.isfinite().all() and (vectors[:, width:] == 0).all()


def test_parts_survive_the_file_and_are_no_part_of_its_key(people, tmp_path):
    _, found = make(people, parts=2)
    path = tmp_path / "e.safetensors"
    embed.save(found, path)
    again = embed.load(path)
    assert (again.parts, again.key) == (2, found.key)
    assert embed.load_if(path, found.key).parts == 2
    assert torch.equal(again.pooled("metric").vectors, found.pooled("metric").vectors)


def test_progress_is_told_the_clips_done_of_all(people, monkeypatch):
    monkeypatch.setattr(embed, "BATCH_FRAMES", 8)
    told = []

    class Told(Silent):
        def advance(self, what, done, total):
            told.append((what, done, total))

    _, found = make(people, progress=Told())
    clips = len(found.row)
    assert told == [("embed", min(i, clips), clips) for i in range(2, clips + 2, 2)]


def test_a_neck_that_is_no_batchnorm_is_refused(people, monkeypatch):
    model = torch.nn.Linear(4, 4)
    model.neck = torch.nn.LayerNorm(4)
    monkeypatch.setattr(zoo, "create", lambda *_, **__: model)
    with pytest.raises(BrokenContract, match="neck is a LayerNorm, expected BatchNorm1d or Ident"):
        make(people)


def test_workers_and_chunks_change_nothing_that_matters(people, monkeypatch):
    _, once = make(people, "all4")
    monkeypatch.setattr(embed, "BATCH_FRAMES", 4)
    _, again = make(people, "all4", workers=2)
    assert np.allclose(once.embedding, again.embedding, atol=1e-5)
    assert np.array_equal(once.row, again.row)
