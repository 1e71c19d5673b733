"""P×K batches, and that nothing but the seed decides them."""

from collections import Counter

import pytest
import torch

from benchmark.clips import frame_rule
from benchmark.datasets.base import Tracklet
from benchmark.datasets.folder import folder
from benchmark.pixels import ImageError
from benchmark.recipes import recipe
from benchmark.samplers import Draw, EvaluationClips, IdentitySampler, TrainingClips, batches
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


def test_epochs_differ_and_come_again_with_the_seed():
    def epoch(seed, number):
        sampler = IdentitySampler(PIDS, 2, 4, seed)
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
