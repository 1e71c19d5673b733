"""P×K batches, and that nothing but the seed decides them."""

from collections import Counter

import numpy as np
import pytest
import torch

from benchmark.clips import SAMPLINGS, frame_rule
from benchmark.datasets.base import Tracklet
from benchmark.datasets.folder import folder
from benchmark.pixels import ImageError
from benchmark.recipes import recipe
from benchmark.samplers import (
    SAMPLERS,
    Draw,
    EvaluationClips,
    IdentitySampler,
    TrackletSampler,
    TrainingClips,
    batches,
)
from tests.conftest import TINY

PIDS = [1, 1, 2, 2, 2, 3, 4, 4, 5]


def test_each_batch_holds_p_persons_times_k_clips():
    sampler = IdentitySampler(PIDS, ids_per_batch=2, clips_per_id=4, seed=0)
    for batch in sampler:
        assert Counter(Counter(PIDS[d.row] for d in batch).values()) == {4: 2}


def test_an_epoch_passes_each_identity_at_most_once_and_drops_the_rest():
    sampler = IdentitySampler(PIDS, ids_per_batch=2, clips_per_id=3, seed=0)
    persons = [pid for batch in sampler for pid in {PIDS[d.row] for d in batch}]
    assert len(sampler) == 2 and len(persons) == len(set(persons)) == 4


# person 1 has 9 tracklets, person 2 four, persons 3 and 4 fewer than a group of four
MANY = [1] * 9 + [2] * 4 + [3] * 2 + [4]


def groups_of(sampler, k):
    rows = [d.row for batch in sampler for d in batch]
    return [tuple(rows[i : i + k]) for i in range(0, len(rows), k)]


def test_an_epoch_of_tracklets_passes_each_group_of_a_person_once():
    sampler = TrackletSampler(MANY, ids_per_batch=5, clips_per_id=4, seed=0)
    sampler.ids_per_batch = 5  # all groups in one batch, though there are four persons only
    groups = groups_of(sampler, 4)
    assert len(sampler) == 1 and len(list(sampler)) == 1
    assert Counter(MANY[g[0]] for g in groups) == {1: 2, 2: 1, 3: 1, 4: 1}
    assert all(len({MANY[row] for row in group}) == 1 for group in groups)
    first, second = (set(g) for g in groups if MANY[g[0]] == 1)
    assert len(first) == len(second) == 4 and not first & second
    assert all(set(g) == {9, 10, 11, 12} for g in groups if MANY[g[0]] == 2)


def test_an_epoch_of_tracklets_drops_the_last_incomplete_batch():
    pids = [pid for pid in range(7) for _ in range(8)]  # 14 groups of four
    sampler = TrackletSampler(pids, ids_per_batch=4, clips_per_id=4, seed=0)
    groups = groups_of(sampler, 4)
    assert len(sampler) == 3 and len(groups) == 12
    rows = [row for group in groups for row in group]
    assert len(rows) == len(set(rows))


def test_two_groups_of_one_person_may_meet_but_never_one_person_alone():
    pids, met = [1] * 40 + [2] * 4, 0
    for seed in range(20):
        for batch in TrackletSampler(pids, ids_per_batch=2, clips_per_id=4, seed=seed):
            assert len(batch) == 8 and len({pids[d.row] for d in batch}) == 2
    pids = [pid for pid in range(3) for _ in range(16)]
    for seed in range(20):
        for batch in TrackletSampler(pids, ids_per_batch=3, clips_per_id=4, seed=seed):
            met += len({pids[d.row] for d in batch}) == 2
    assert met


@pytest.mark.parametrize("kind", SAMPLERS.values())
def test_as_many_batches_come_as_the_sampler_says(kind):
    for p in (2, 3, 4):
        sampler = kind(MANY, p, 4, 0)
        assert [len(batch) for batch in sampler] == [4 * p] * len(sampler)


@pytest.mark.parametrize("kind", SAMPLERS.values())
def test_epochs_differ_and_come_again_with_the_seed(kind):
    def epoch(seed, number):
        sampler = kind(PIDS, 2, 4, seed)
        sampler.epoch = number
        return list(sampler)

    assert epoch(0, 0) == epoch(0, 0)
    assert epoch(0, 0) != epoch(0, 1)
    assert epoch(0, 0) != epoch(1, 0)


def test_a_small_set_uses_the_persons_it_has():
    sampler = IdentitySampler(PIDS, ids_per_batch=64, clips_per_id=2, seed=0)
    assert sampler.ids_per_batch == 5 and len(sampler) == 1


def test_one_person_alone_cannot_be_trained_on():
    with pytest.raises(ValueError, match="two persons"):
        IdentitySampler([7, 7], 2, 2, 0)


def test_a_tracklet_drawn_twice_in_a_batch_gives_two_draws():
    sampler = IdentitySampler([1, 2], ids_per_batch=2, clips_per_id=3, seed=0)
    assert sorted(next(iter(sampler)))[:3] == [Draw(0, 0, 0), Draw(0, 0, 1), Draw(0, 0, 2)]


@pytest.mark.parametrize("epoch", [0, 3])
def test_the_number_of_workers_changes_nothing(people, epoch):
    data = folder(people)

    def load(workers):
        sampler = IdentitySampler([t.pid for t in data.train], 2, 2, seed=5)
        sampler.epoch = epoch
        clips = TrainingClips(data, recipe("quick", TINY), seed=5)
        return [tuple(t.clone() for t in batch) for batch in batches(clips, sampler, workers)]

    for alone, helped in zip(load(0), load(2), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_loading_leaves_the_random_state_of_training_alone(people):
    data = folder(people)
    clips = EvaluationClips(data.test, frame_rule("chunk-first4"), 64, 32)
    before = torch.get_rng_state()
    list(batches(clips, [[0, 1]], 0))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_image_arrives_as_one_line_even_from_a_worker(tmp_path, workers):
    (tmp_path / "x.jpg").write_bytes(b"nothing")
    clips = EvaluationClips(
        [Tracklet(1, 1, str(tmp_path), ("x.jpg",))], frame_rule("chunk-first4"), 64, 32
    )
    with pytest.raises(ImageError) as error:
        list(batches(clips, [[0]], workers))
    assert "x.jpg" in str(error.value) and "\n" not in str(error.value)


def test_an_enlarged_clip_is_one_crop_of_all_its_frames(people):
    data = folder(people)
    plain = TrainingClips(data, recipe("quick", {**TINY, "flip": 0.0, "random_crop": 0.0}), seed=5)
    grown = TrainingClips(data, recipe("quick", {**TINY, "flip": 0.0, "random_crop": 1.0}), seed=5)
    draw = Draw(3, 0, 0)
    assert grown[draw][0].shape == plain[draw][0].shape == (4, 3, 64, 32)
    assert not torch.equal(grown[draw][0], plain[draw][0])
    assert torch.equal(grown[draw][0], grown[draw][0])


def test_a_sampling_of_ones_own_draws_the_frames_with_the_recipes_stride(people, monkeypatch):
    asked = []

    def own(frames, T, stride, rng):
        asked.append((frames, T, stride))
        return np.zeros(T, dtype=int)

    monkeypatch.setitem(SAMPLINGS, "own", own)
    data = folder(people)
    clips = TrainingClips(data, recipe("quick", {**TINY, "sampling": "own", "stride": 3}), seed=5)
    clip, kind, flip = clips[Draw(0, 0, 0)]
    assert asked == [(len(data.train[0]), 4, 3)]
    assert (clip == clip[:1]).all() and kind == 0 and isinstance(flip, bool)


def test_clips_are_resized_as_the_recipe_says_in_training_and_in_test(people):
    data, draw = folder(people), Draw(0, 0, 0)
    changes = {**TINY, "flip": 0.0, "random_crop": 0.0, "height": 96, "width": 48}
    by_name = []
    for resize in ("bilinear", "bicubic"):
        trained = TrainingClips(data, recipe("quick", {**changes, "resize": resize}), seed=5)[draw]
        rule = frame_rule("chunk-first4")
        by_name.append((trained[0], EvaluationClips(data.test, rule, 96, 48, resize)[0][0]))
    assert not any(torch.equal(a, b) for a, b in zip(*by_name, strict=True))


def test_single_frames_are_mirrored_where_the_recipe_says_so(people):
    data, draw = folder(people), Draw(3, 0, 0)
    plain = TrainingClips(data, recipe("quick", {**TINY, "flip": 0.0, "random_crop": 0.0}), seed=5)
    changes = {**TINY, "flip": 0.5, "random_crop": 0.0, "flip_frames": True, "frames": 4}
    clips = TrainingClips(data, recipe("quick", changes), seed=5)
    clip, _, whole = clips[draw]
    same = [torch.equal(a, b) for a, b in zip(clip, plain[draw][0], strict=True)]
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(clip, plain[draw][0], strict=True)]
    assert not whole and any(same) and any(mirrored)
    assert [a != b for a, b in zip(same, mirrored, strict=True)] == [True] * 4


def test_an_erased_clip_loses_the_same_rectangle_in_all_frames(people):
    data, draw = folder(people), Draw(3, 0, 0)
    changes = {**TINY, "flip": 0.0, "random_crop": 0.0}
    plain = TrainingClips(data, recipe("quick", changes), seed=5)[draw][0]
    erased = TrainingClips(data, recipe("quick", {**changes, "erase": 1.0}), seed=5)[draw][0]
    changed = (plain != erased).any(1)  # [T, H, W]
    assert changed.any() and not changed.all()
    rows, columns = changed.any(0).any(1).nonzero(), changed.any(0).any(0).nonzero()
    box = erased[..., rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (box == box[:1, :, :1, :1]).all()
