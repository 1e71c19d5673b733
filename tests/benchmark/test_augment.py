"""What happens to a training clip, as often as is asked for: to all its frames but where told."""

import numpy as np
import pytest
import torch

from benchmark import augment
from benchmark.augment import FILL, Augmentation, draw_augmentation
from benchmark.pixels import normalise

SIZE = {"height": 64, "width": 32}


def draws(count=400, flip=0.0, random_crop=0.0, erase=0.0, **size):
    wanted = {"flip": flip, "random_crop": random_crop, "erase": erase, **(size or SIZE)}
    return [draw_augmentation(np.random.default_rng(i), **wanted) for i in range(count)]


def clip_of(frames, height, width):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (frames, 3, height, width), dtype=torch.uint8, generator=generator)


def test_nothing_happens_where_nothing_is_asked_for():
    assert set(draws()) == {Augmentation(flip=False)}
    clip = clip_of(2, 64, 32)
    assert torch.equal(Augmentation(flip=False).apply(clip, **SIZE), clip)
    assert Augmentation(flip=False).size_to_read(64, 32) == (64, 32)


def test_each_change_comes_as_often_as_its_share_says():
    for share in (0.0, 0.3, 1.0):
        found = draws(flip=share, random_crop=share, erase=share)
        for happened in (
            [d.flip for d in found],
            [d.crop is not None for d in found],
            [d.erased is not None for d in found],
        ):
            assert np.mean(happened) == pytest.approx(share, abs=0.07)


def test_a_crop_lies_anywhere_in_an_image_larger_by_an_eighth():
    found = draws(random_crop=1.0)
    assert found[0].size_to_read(64, 32) == (72, 36)
    assert {d.crop[0] for d in found} == set(range(9))
    assert {d.crop[1] for d in found} == set(range(5))


def test_one_crop_is_taken_from_all_frames():
    clip = clip_of(3, 72, 36)
    found = Augmentation(flip=False, crop=(8, 1)).apply(clip, **SIZE)
    assert torch.equal(found, clip[:, :, 8:72, 1:33])


def test_a_rectangle_has_the_area_and_aspect_of_random_erasing_and_lies_inside():
    for top, left, rows, columns in (d.erased for d in draws(erase=1.0, height=256, width=128)):
        assert 0 <= top <= 256 - rows and 0 <= left <= 128 - columns
        assert rows < 256 and columns < 128
        assert 0.018 < rows * columns / (256 * 128) < 0.41  # rounded to pixels
        assert 0.28 < rows / columns < 3.55


def test_one_rectangle_is_erased_from_all_frames_of_the_crop_and_the_rest_is_left():
    clip = clip_of(3, 72, 36)
    before = clip.clone()
    found = Augmentation(flip=False, crop=(2, 3), erased=(10, 4, 20, 8)).apply(clip, **SIZE)
    erased = torch.zeros(64, 32, dtype=torch.bool)
    erased[10:30, 4:12] = True
    assert torch.equal(found[..., ~erased], clip[..., 2:66, 3:35][..., ~erased])
    for channel, value in enumerate(FILL):
        assert (found[:, channel][:, erased] == value).all()
    assert torch.equal(clip, before)


def test_erased_pixels_become_the_papers_value_after_normalisation():
    pixels = torch.tensor(FILL, dtype=torch.uint8)[None, None, :, None, None]
    found = normalise(pixels).flatten().tolist()
    assert found == pytest.approx([0.485, 0.456, 0.406], abs=0.5 / 255 / 0.22)


def test_a_rectangle_that_never_fits_is_left_out(monkeypatch):
    monkeypatch.setattr(augment, "ERASED_SHARE", (2.0, 3.0))
    assert all(d.erased is None for d in draws(5, erase=1.0))


def test_the_same_generator_draws_the_same():
    assert draws(flip=0.5, random_crop=0.5, erase=0.5) == draws(
        flip=0.5, random_crop=0.5, erase=0.5
    )


def test_frames_are_mirrored_each_for_itself_where_that_is_asked_for():
    found = draws(flip=0.5, flip_frames=4, **SIZE)
    assert not any(d.flip for d in found) and {len(d.flipped) for d in found} == {4}
    assert len({d.flipped for d in found}) == 2**4
    assert np.mean([d.flipped for d in found]) == pytest.approx(0.5, abs=0.05)
    clip = clip_of(3, 64, 32)
    mirrored = Augmentation(flip=False, flipped=(True, False, True)).apply(clip, **SIZE)
    assert torch.equal(mirrored[1], clip[1])
    assert torch.equal(mirrored[[0, 2]], clip[[0, 2]].flip(-1))


def test_what_a_clip_is_drawn_does_not_depend_on_a_choice_that_it_does_not_make():
    for seed in range(20):
        wanted = {"flip": 0.5, "random_crop": 0.5, "erase": 0.0, **SIZE}
        after = []
        for more in ({}, {"flip_frames": 0}):
            rng = np.random.default_rng(seed)
            after.append((draw_augmentation(rng, **wanted, **more), rng.random()))
        plain = np.random.default_rng(seed)
        assert after[0] == after[1] and after[0][0].flip == (plain.random() < 0.5)
