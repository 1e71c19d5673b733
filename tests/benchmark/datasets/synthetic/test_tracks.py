import numpy as np
import pytest

from benchmark.datasets.synthetic.tracks import Knobs, queries
from tests.benchmark.datasets.synthetic.small import DEFAULTS, SMALL, shots


def test_some_tracklets_are_short_and_one_has_two_frames():
    lengths = [shot.length for shot in shots(**DEFAULTS)["test"]]
    assert min(lengths) == 2
    assert 100 <= sum(length < 8 for length in lengths) <= 0.9 * len(lengths)
    assert max(lengths) > 8
    assert 5 <= np.mean(lengths) <= 8


@pytest.mark.parametrize("knob", ["occlusion", "misalignment", "noise"])
def test_a_nuisance_changes_neither_people_nor_walks_nor_queries(knob):
    mild, severe = shots(**{knob: 0.0}), shots(**{knob: 1.0})
    assert mild == severe
    assert queries(mild["test"], 0) == queries(severe["test"], 0)


def test_shots_are_in_the_order_of_the_table_and_numbered_within_a_person():
    for part in shots().values():
        order = [(shot.pid, shot.camera.number, shot.number) for shot in part]
        assert [(pid, camera) for pid, camera, _ in order] == sorted(o[:2] for o in order)
        for pid in {shot.pid for shot in part}:
            numbers = [number for p, _, number in order if p == pid]
            assert numbers == list(range(1, len(numbers) + 1))


def test_junk_shows_halves_of_people_two_at_once_or_nobody():
    junk = [shot for shot in shots(identities=30)["test"] if shot.pid == -1]
    assert {len(shot.actors) for shot in junk} == {0, 1, 2}
    assert max(actor.size for shot in junk for actor in shot.actors) > 1.5


def test_the_last_test_person_is_seen_by_one_camera_and_never_a_query():
    test = shots()["test"]
    last = max(shot.pid for shot in test)
    assert len({shot.camera.number for shot in test if shot.pid == last}) == 1
    assert last not in {test[row].pid for row in queries(test, 0)}


@pytest.mark.parametrize("knob", ["occlusion", "misalignment", "noise"])
def test_render_settings_hold_what_matters_for_filming(knob):
    assert getattr(Knobs(**{**SMALL, knob: 0.7}).settings, knob) == 0.7


def test_knobs_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"identities is 2, expected 3\.\.1666"):
        Knobs(**{**SMALL, "identities": 2})
    with pytest.raises(ValueError, match="size is 33, expected an even number"):
        Knobs(**{**SMALL, "size": 33})
