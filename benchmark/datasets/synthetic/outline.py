"""What a synthetic data set will hold, told from its knobs: nothing is rendered."""

from pathlib import Path

from benchmark.datasets.base import OUTLINE, Dataset, Tracklet
from benchmark.datasets.synthetic.render import code_of, names_of
from benchmark.datasets.synthetic.tracks import Knobs, Shot, queries, shots_of


def outline(folder: Path, knobs: Knobs, *, test_only: bool = False) -> Dataset:
    """The data set that `benchmark.datasets.synthetic.render.render` would write into a folder.

    Persons, cameras, lengths and queries are those of the rendered one. The fingerprint is empty,
    since it covers images.

    Args:
        folder: where it would lie.
        knobs: what would be rendered.
        test_only: the test part alone; there is nothing to train on.
    """
    shots = shots_of(knobs)
    train, test = (
        tuple(_tracklet(folder / f"bbox_{part}", shot) for shot in shots[part])
        for part in ("train", "test")
    )
    return Dataset(
        name="synthetic",
        train=() if test_only else train,
        test=test,
        query=tuple(queries(shots["test"], knobs.seed)),
        fingerprint="",
        protocol="mars-official",
        notes=(OUTLINE,),
    )


def _tracklet(folder: Path, shot: Shot) -> Tracklet:
    home = str(folder / code_of(shot))
    return Tracklet(shot.pid, shot.camera.number, home, tuple(names_of(shot)))
