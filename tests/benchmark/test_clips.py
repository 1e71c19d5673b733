"""Which frames: every rule and every sampling against its definition, written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import clips
from benchmark.clips import SAMPLINGS, frame_rule

LENGTHS, T = st.integers(1, 200), st.sampled_from([1, 4, 8, 15])
STRIDES, SEEDS = st.sampled_from([1, 4, 8]), st.integers(0, 5)


class Extreme:
    """Stands for a random generator: draws the lowest or the highest number that it may."""

    def __init__(self, highest):
        self.highest = highest

    def integers(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        drawn = np.asarray(high) - 1 if self.highest else np.asarray(low)
        drawn = np.broadcast_to(drawn, np.broadcast_shapes(np.shape(low), np.shape(high)))
        return drawn if size is None else np.broadcast_to(drawn, size)


def drawn_between(name, frames, t, stride=8):
    """The clips of the lowest and of the highest draws."""
    return [SAMPLINGS[name](frames, t, stride, Extreme(end)).tolist() for end in (False, True)]


def listed(found):
    return [clip.tolist() for clip in found]


# ---- in test -------------------------------------------------------------------------------------


def test_chunk_first_repeats_what_ste_nvan_picks():
    assert clips.chunk_first(9, 8).tolist() == [0, 2, 4, 6, 8, 8, 8, 8]
    assert clips.chunk_first(17, 8).tolist() == [0, 3, 6, 9, 12, 15, 16, 16]
    assert clips.chunk_first(3, 4).tolist() == [0, 1, 2, 2]


def test_even_drops_the_tail_and_pads_with_the_last():
    assert clips.even(17, 8).tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert clips.even(3, 5).tolist() == [0, 1, 2, 2, 2]


def test_begin_takes_the_longest_stride_that_fits():
    assert clips.begin(25, 4).tolist() == [0, 8, 16, 24]
    assert clips.begin(24, 4).tolist() == [0, 4, 8, 12]
    assert clips.begin(7, 4).tolist() == [0, 2, 4, 6]
    assert clips.begin(3, 4).tolist() == [0, 1, 2, 0]


def test_dense_loops_its_last_clip_and_all_leaves_it_short():
    assert listed(clips.dense(6, 4)) == [[0, 1, 2, 3], [4, 5, 4, 5]]
    assert listed(clips.all_frames(6, 4)) == [[0, 1, 2, 3], [4, 5]]


def test_dense_wrap_fills_its_last_clip_with_the_tracks_first_frames():
    assert listed(clips.dense_wrap(6, 4)) == [[0, 1, 2, 3], [4, 5, 0, 1]]
    assert listed(clips.dense_wrap(3, 8)) == [[0, 1, 2, 0, 1, 2, 0, 1]]
    assert listed(clips.dense_wrap(8, 8)) == [list(range(8))]


def test_spread_repeats_the_last_frames_in_time_order():
    assert listed(clips.spread(5, 4)) == [[0, 2, 3, 4], [1, 2, 3, 4]]
    assert listed(clips.spread(8, 4)) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert listed(clips.spread(1, 4)) == [[0, 0, 0, 0]]
    assert listed(clips.spread(3, 4)) == [[0, 1, 2, 2]]


def test_interval_leaves_what_is_left_over_and_loops_a_short_track():
    assert listed(clips.interval(19, 8)) == [list(range(0, 16, 2)), list(range(1, 17, 2))]
    assert listed(clips.interval(8, 8)) == [list(range(8))]
    assert listed(clips.interval(3, 8)) == [[0, 1, 2, 0, 1, 2, 0, 1]]
    assert listed(clips.interval(9, 8)) == [list(range(8))]


def test_interval_counts_the_first_two_hundred_clips():
    found = listed(clips.interval(2 * 201, 2))
    assert len(found) == 200 and found[0] == [0, 201] and found[-1] == [199, 400]


def literal_clips(kind, frames, t):
    """A rule clip by clip and frame by frame."""
    if kind in ("dense", "dense-wrap", "all"):
        found = []
        for start in range(0, frames, t):
            own = [f for f in range(start, start + t) if f < frames]
            if kind == "dense":
                own = [own[s % len(own)] for s in range(t)]
            if kind == "dense-wrap":
                own = [(start + s) % frames for s in range(t)]
            found.append(own)
        return found
    if kind == "spread":
        n = (frames + t - 1) // t
        track, s = list(range(frames)), 0
        last = track[-(t * n - frames) :] if t * n > frames else []
        while len(track) < t * n:
            track.append(last[s % len(last)])
            s += 1
        track.sort()
        return [[track[s * n + j] for s in range(t)] for j in range(n)]
    if frames <= t:  # interval
        return [[s % frames for s in range(t)]]
    return [[j + s * (frames // t) for s in range(t)] for j in range(frames // t)][:200]


@pytest.mark.parametrize("kind", ["dense", "dense-wrap", "all", "spread", "interval"])
@given(frames=LENGTHS, t=T)
def test_a_rule_of_several_clips_is_its_definition(kind, frames, t):
    assert listed(frame_rule(f"{kind}{t}").clips(frames)) == literal_clips(kind, frames, t)


@given(LENGTHS, T)
def test_chunk_first_is_the_definition(frames, t):
    chunk = -(-frames // t)
    expected = [min(s * chunk, frames - 1) for s in range(t)]
    assert clips.chunk_first(frames, t).tolist() == expected


@pytest.mark.parametrize("kind", [*clips.SINGLE_CLIP, *clips.SEVERAL_CLIPS])
@given(frames=LENGTHS, t=T)
def test_a_rule_gives_clips_of_the_lengths_that_it_names(kind, frames, t):
    rule = frame_rule(kind if kind in clips.POOLED_FRAMES else f"{kind}{t}")
    for clip in rule.clips(frames):
        assert len(clip) in rule.lengths
        assert clip.min() >= 0 and clip.max() < frames


@pytest.mark.parametrize(
    "text",
    [
        *["chunk-first8", "even15", "begin4", "dense4", "dense-wrap8", "spread4", "interval8"],
        *["all32", "all-mean", "all-max"],
    ],
)
def test_a_frame_rule_is_written_as_it_is_read(text):
    assert str(frame_rule(text)) == text


def test_a_rule_without_a_number_takes_the_recipes():
    assert str(frame_rule("chunk-first", 4)) == "chunk-first4"


@pytest.mark.parametrize("text", ["chunk-first", "chunks8", "", "dense0", "all", "all-mean4"])
def test_an_unknown_frame_rule_is_refused(text):
    with pytest.raises(ValueError, match="unknown frame rule"):
        frame_rule(text)


# ---- in training ---------------------------------------------------------------------------------


@given(LENGTHS, T, SEEDS)
def test_restricted_random_draws_from_each_chunk_in_turn(frames, t, seed):
    drawn = clips.restricted_random(frames, t, 8, np.random.default_rng(seed))
    chunk = -(-frames // t)
    for s, frame in enumerate(drawn.tolist()):
        inside = range(s * chunk, min((s + 1) * chunk, frames))
        assert frame in inside if inside else frame == frames - 1


@pytest.mark.parametrize("name", SAMPLINGS)
@given(frames=LENGTHS, t=T, stride=STRIDES, seed=SEEDS)
def test_every_sampling_gives_t_frames_in_order_unless_it_wraps(name, frames, t, stride, seed):
    drawn = SAMPLINGS[name](frames, t, stride, np.random.default_rng(seed))
    assert len(drawn) == t and drawn.min() >= 0 and drawn.max() < frames
    assert name == "strided" or (np.diff(drawn) >= 0).all()


@pytest.mark.parametrize("name", SAMPLINGS)
def test_every_sampling_comes_again_with_its_generator(name):
    one, again = (SAMPLINGS[name](60, 4, 8, np.random.default_rng(3)).tolist() for _ in range(2))
    assert one == again


def test_strided_takes_one_frame_a_stride_and_wraps_a_short_track():
    assert drawn_between("strided", 64, 8) == [list(range(0, 64, 8))] * 2
    assert drawn_between("strided", 66, 8)[1] == list(range(2, 66, 8))
    assert drawn_between("strided", 10, 3)[0] == [0, 8, 6]
    assert drawn_between("strided", 12, 3, stride=4)[0] == [0, 4, 8]


def test_spaced_starts_where_its_last_frame_is_still_in_the_track():
    assert drawn_between("spaced", 32, 4) == [[0, 8, 16, 24], [7, 15, 23, 31]]
    assert drawn_between("spaced", 40, 4, stride=4) == [[0, 4, 8, 12], [27, 31, 35, 39]]


@given(frames=LENGTHS, t=T, stride=STRIDES, seed=SEEDS)
def test_spaced_repeats_a_frame_only_where_the_track_has_too_few(frames, t, stride, seed):
    drawn = clips.spaced(frames, t, stride, np.random.default_rng(seed))
    if frames >= t * stride:
        assert (np.diff(drawn) == stride).all()
    elif frames >= t:
        assert len(set(drawn.tolist())) == t


def test_windows_are_the_widest_that_fit_and_leave_the_last_start_out():
    assert drawn_between("windows", 64, 8) == [list(range(0, 64, 8)), list(range(7, 64, 8))]
    assert drawn_between("windows", 67, 8)[1] == list(range(9, 66, 8))  # starts are 0, 1 and 2
    assert drawn_between("windows", 63, 8)[0] == list(range(0, 32, 4))
    assert drawn_between("windows", 8, 8) == [list(range(8))] * 2


@given(frames=LENGTHS, t=T, seed=SEEDS)
def test_windows_hold_one_frame_each(frames, t, seed):
    drawn = clips.windows(frames, t, 8, np.random.default_rng(seed)).tolist()
    width = max((w for w in (8, 4, 2, 1) if frames >= t * w), default=None)
    if width is None:
        return
    starts = range(max(0, frames - t * width - 1) + 1)
    assert any(
        all(0 <= f - start - s * width < width for s, f in enumerate(drawn)) for start in starts
    )


def test_chunk_random_gives_its_last_chunk_what_is_left_over():
    assert drawn_between("chunk-random", 11, 4) == [[0, 2, 4, 6], [1, 3, 5, 10]]
    assert drawn_between("chunk-random", 3, 4) == [[0, 1, 2, 2]] * 2
