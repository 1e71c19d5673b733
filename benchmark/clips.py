"""Tracklet to clip: which frames.

Frame rules say which frames stand for a tracklet in test (the names are those of result labels),
samplings which frames are drawn in training. Their pixels are `benchmark.pixels`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# ---- which frames, in test -----------------------------------------------------------------------


def chunk_first(frames: int, T: int) -> np.ndarray:
    """First frame of each of T chunks of ceil(F/T) (STE-NVAN): min(s·ceil(F/T), F−1)."""
    return np.minimum(np.arange(T) * -(-frames // T), frames - 1)


def even(frames: int, T: int) -> np.ndarray:
    """T frames, floor(F/T) apart; a shorter track repeats its last (torchreid)."""
    return np.minimum(np.arange(T) * max(frames // T, 1), frames - 1)


def begin(frames: int, T: int) -> np.ndarray:
    """T frames from the first on, stride 8, 4, 2 or 1, whichever fits; else looped (AP3D)."""
    stride = next((s for s in (8, 4, 2, 1) if frames >= s * (T - 1) + 1), 1)
    return np.arange(T) * stride % frames


def dense(frames: int, T: int) -> list[np.ndarray]:
    """Consecutive clips of T; the last one is looped over its own frames."""
    return [np.resize(clip, T) for clip in all_frames(frames, T)]


def dense_wrap(frames: int, T: int) -> list[np.ndarray]:
    """Consecutive clips of T; the last one is filled with the track's first frames (BiCnet-TKS)."""
    return [np.arange(start, start + T) % frames for start in range(0, frames, T)]


def spread(frames: int, T: int) -> list[np.ndarray]:
    """N = ceil(F/T) clips, frame s of clip j being entry s·n + j of the track (SINet).

    The track's last frames are repeated until it has T·n, in time order; with fewer frames than
    that to repeat, all of them are, again and again.
    """
    n = -(-frames // T)
    last = np.arange(max(frames - (T * n - frames), 0), frames)
    filled = np.sort(np.concatenate([np.arange(frames), np.resize(last, T * n - frames)]))
    return list(filled.reshape(T, n).T)


MOST_CLIPS = 200  # of a track under ``interval``


def interval(frames: int, T: int) -> list[np.ndarray]:
    """M = floor(F/T) clips, clip j having frames j + s·m; what is left over is unused (PSTA).

    A track of T frames or fewer is one clip, looped; of more than 200 clips the first 200 count.
    """
    if frames <= T:
        return [np.resize(np.arange(frames), T)]
    m = frames // T
    return [j + np.arange(T) * m for j in range(min(m, MOST_CLIPS))]


def all_frames(frames: int, T: int) -> list[np.ndarray]:
    """Consecutive clips of T; the last one may be shorter."""
    return [np.arange(start, min(start + T, frames)) for start in range(0, frames, T)]


SINGLE_CLIP = {"chunk-first": chunk_first, "even": even, "begin": begin}
SEVERAL_CLIPS = {
    "dense": dense,
    "dense-wrap": dense_wrap,
    "spread": spread,
    "interval": interval,
    "all": all_frames,
    "all-mean": all_frames,
    "all-max": all_frames,
}
POOLED_FRAMES = ("all-mean", "all-max")  # pool the vectors of single frames


@dataclass(frozen=True)
class FrameRule:
    """How a tracklet becomes clips in test, and how the clips become one vector again.

    Attributes:
        kind: a name in `SINGLE_CLIP` or `SEVERAL_CLIPS`.
        frames: frames of a clip (1 for ``all-mean`` and ``all-max``, which pool single frames).
    """

    kind: str
    frames: int

    def __str__(self) -> str:
        return self.kind if self.kind in POOLED_FRAMES else f"{self.kind}{self.frames}"

    def clips(self, frames: int) -> list[np.ndarray]:
        """Frame indices of each clip of a tracklet of that many frames."""
        if self.kind in SINGLE_CLIP:
            return [SINGLE_CLIP[self.kind](frames, self.frames)]
        return SEVERAL_CLIPS[self.kind](frames, self.frames)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Every length of a clip that the rule can give, the usual one first."""
        if self.kind == "all":
            return (self.frames, *range(1, self.frames))
        return (self.frames,)


def frame_rule(text: str, default_frames: int | None = None) -> FrameRule:
    """Read ``chunk-first8``, ``even15``, ``dense4``, ``all32``, ``begin4``, ``all-max``, ….

    Args:
        text: the rule's name; without a number, ``default_frames`` is taken.
        default_frames: clip length of the recipe.

    Raises:
        ValueError: there is no such rule.
    """
    kind = text.rstrip("0123456789")
    if kind in POOLED_FRAMES and kind == text:
        return FrameRule(kind, 1)
    kinds = [k for k in (*SINGLE_CLIP, *SEVERAL_CLIPS) if k not in POOLED_FRAMES]
    frames = int(text[len(kind) :] or default_frames or 0)
    if kind not in kinds or not frames:
        names = ", ".join(f"{k}T" for k in kinds)
        raise ValueError(
            f"unknown frame rule {text!r}: expected {names} (T a number of frames, as in "
            "chunk-first8), all-mean or all-max"
        )
    return FrameRule(kind, frames)


# ---- which frames, in training -------------------------------------------------------------------


def restricted_random(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """A random frame of each of T chunks of ceil(F/T); past the end, the last frame."""
    start = chunk_first(frames, T)
    stop = np.minimum(start + -(-frames // T), frames)
    return rng.integers(start, stop)


def random_frames(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """T random frames in time order, none twice; a shorter track repeats its last."""
    if frames < T:
        return np.minimum(np.arange(T), frames - 1)
    return np.sort(rng.choice(frames, T, replace=False))


def consecutive(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """T frames in a row from a random start; a shorter track repeats its last."""
    start = rng.integers(max(frames - T, 0) + 1)
    return np.minimum(start + np.arange(T), frames - 1)


def strided(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """One frame every ``stride`` from a random start; a shorter track wraps (3D-ResNet)."""
    start = rng.integers(max(frames - stride * T, 0) + 1)
    return (start + stride * np.arange(T)) % frames


def spaced(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """Frames ``stride`` apart where the track has T·stride (AP3D, TCLNet, BiCnet-TKS).

    The start is uniform in 0 … F − (T−1)·stride − 1. A shorter track gives T random frames in time
    order, with repetition where it has fewer than T.
    """
    if frames >= T * stride:
        return rng.integers(frames - (T - 1) * stride) + np.arange(T) * stride
    return np.sort(rng.choice(frames, T, replace=frames < T))


def windows(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """A random frame of each of T windows of σ in a row, σ the largest of 8, 4, 2, 1 that fits.

    The start is uniform in 0 … max(0, F − T·σ − 1); a track of fewer than T frames gives T random
    ones with repetition, in time order (PSTA).
    """
    if frames < T:
        return np.sort(rng.choice(frames, T))
    width = next(s for s in (8, 4, 2, 1) if frames >= T * s)
    start = rng.integers(max(frames - T * width - 1, 0) + 1)
    return start + np.arange(T) * width + rng.integers(width, size=T)


def chunk_random(frames: int, T: int, stride: int, rng: np.random.Generator) -> np.ndarray:
    """A random frame of each of T chunks of floor(F/T), the last one longer (SINet).

    A shorter track repeats its last frame.
    """
    if frames < T:
        return np.minimum(np.arange(T), frames - 1)
    start = np.arange(T) * (frames // T)
    return rng.integers(start, np.append(start[1:], frames))


Sampling = Callable[[int, int, int, np.random.Generator], np.ndarray]
"""``(frames F, clip length T, stride, rng)`` -> [T] frame indices of a training clip."""
SAMPLINGS: dict[str, Sampling] = {
    "restricted-random": restricted_random,
    "random": random_frames,
    "consecutive": consecutive,
    "strided": strided,
    "spaced": spaced,
    "windows": windows,
    "chunk-random": chunk_random,
}
