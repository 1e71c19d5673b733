import numpy as np
import pytest

from benchmark.datasets.synthetic.obstacles import obstacles
from benchmark.datasets.synthetic.people import people
from benchmark.datasets.synthetic.scene import film
from tests.benchmark.datasets.synthetic.small import render_settings, shots


def test_frames_that_nothing_hides_are_the_same_at_every_occlusion():
    passers = people(0, "passers", 5)
    hidden = 0
    for shot in shots()["test"][-6:]:
        clear, hard = (
            [np.asarray(image) for image in film(shot, render_settings(occlusion=o), passers)]
            for o in (0.0, 1.0)
        )
        for frame, (a, b) in enumerate(zip(clear, hard, strict=True)):
            busy = any(x.place(frame, shot.length, 1.0) is not None for x in obstacles(shot, 0))
            hidden += busy
            assert busy or (a == b).all()
    assert hidden


@pytest.mark.parametrize("knob", ["misalignment", "noise"])
def test_pictures_move_away_from_the_clean_ones_as_a_nuisance_grows(knob):
    passers = people(0, "passers", 5)

    def filmed(severity):
        frames = [
            np.asarray(image, float)
            for shot in shots()["test"][-6:]
            for image in film(shot, render_settings(**{knob: severity}), passers)
        ]
        return np.stack(frames)

    clean = filmed(0.0)
    distance = [abs(filmed(severity) - clean).mean() for severity in (0.2, 0.5, 1.0)]
    assert 0 < distance[0] < distance[1] < distance[2]


def test_a_shot_has_its_frames_in_the_size_asked_for():
    shot = shots()["test"][-1]
    frames = list(film(shot, render_settings(size=48), people(0, "passers", 2)))
    assert len(frames) == shot.length
    assert {frame.size for frame in frames} == {(24, 48)}


def test_a_walker_stands_out_from_the_backdrop_in_the_middle_of_a_perfect_box():
    contrast = np.zeros((32, 16))
    for shot in shots()["test"][-12:]:
        frames = [np.asarray(f, float) for f in film(shot, render_settings(), ())]
        contrast += np.std(frames[0], axis=2) + abs(np.gradient(frames[0].mean(axis=2), axis=1))
    assert contrast[:, 5:11].mean() > 1.15 * contrast[:, [0, 1, 14, 15]].mean()
