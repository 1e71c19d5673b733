"""One checkpoint: how to build its network, which clips it takes, and where its file comes from.

Its scores are read from committed records, never typed. This module loads no torch.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmark import record
from benchmark.files import inside, read_object
from benchmark.record import Record
from zoo.checkpoints.sources import LocalFile, Manual, Source, parse

TOLERANCE = 0.5  # points, unless a checkpoint states another
_WORD = r"[a-z0-9][a-z0-9_]*"
_NAME = re.compile(rf"(?P<method>{_WORD})\.(?P<dataset>{_WORD})(-(?P<tag>[a-z0-9][a-z0-9_-]*))?")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One entry of a table.

    Attributes:
        name: ``method.dataset`` or ``method.dataset-tag``; the path of what is no table's.
        method: canonical variant.
        backbone: canonical variant of the timm network, or ``own`` for a method that brings its
            own.
        dataset: canonical data set that it was trained on.
        recipe: canonical recipe that it was trained with.
        frames: frame rule in test, e.g. ``chunk-first8``.
        height: of the images, in pixels.
        width: of the images, in pixels.
        mean: of the normalisation, of RGB in [0, 1].
        std: of the normalisation, likewise.
        distance: ``cos-bn``, ``cos-raw``, ``l2sq-bn`` or ``l2sq-raw``.
        resize: how images are brought to that size, ``bilinear`` or ``bicubic``.
        neck: ``own``, ``bn`` or ``none``: the head that the network ends in.
        sources: where its file comes from, in this order.
        licence: SPDX name, or words.
        origin: who trained it, and where that is told.
        fingerprint: of the data set; None where it is not known.
        split: which split of the data set, from 0.
        seed: of the training run.
        bytes: size of the file; None if `sources` is ``manual``.
        sha256: of the file; None if `sources` is ``manual``.
        records: files beside the table, one `benchmark.record.Record` each.
        training: file beside the table: ``run.json`` of the training run.
        golden: file beside the table: the embedding of the golden clip.
        tolerance: points by which a verified score may miss.
        how: how a person gets a ``manual`` file.
        notes: what a user must know.
        home: folder of the table.
    """

    name: str
    method: str
    backbone: str
    dataset: str
    recipe: str
    frames: str
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    distance: str
    sources: tuple[str, ...]
    licence: str
    origin: str
    fingerprint: str | None = None
    resize: str = "bilinear"
    neck: str = "own"
    split: int = 0
    seed: int = 0
    bytes: int | None = None
    sha256: str | None = None
    records: tuple[str, ...] = ()
    training: str | None = None
    golden: str | None = None
    tolerance: float = TOLERANCE
    how: str | None = None
    notes: tuple[str, ...] = ()
    home: Path

    @property
    def file(self) -> str:
        """Name of its file in a folder of checkpoints."""
        return f"{Path(self.name).name}.safetensors"

    @cached_property
    def places(self) -> tuple[Source, ...]:
        """The sources, read."""
        return tuple(parse(text, self.home) for text in self.sources)

    @property
    def manual(self) -> bool:
        """True if only a person can fetch it."""
        return all(isinstance(place, Manual) for place in self.places)

    @property
    def packaged(self) -> Path | None:
        """The file that came with the table, if it did."""
        paths = [place.path for place in self.places if isinstance(place, LocalFile)]
        return next((path for path in paths if path.is_file()), None)

    def beside(self, text: str) -> Path:
        """A file that it names, beside its table."""
        return inside(self.home, text)

    def scores(self) -> dict[str, Record]:
        """Its records by label.

        Raises:
            ValueError: a record cannot be read, or belongs to other weights.
        """
        records = [record.load(self.beside(text)) for text in self.records]
        for entry in records:
            if entry.origin == "measured" and entry.checkpoint != self.sha256:
                raise ValueError(f"a record of {self.name} was measured with other weights")
        return {entry.label: entry for entry in records}

    def trained(self) -> dict:
        """``run.json`` of the training run; empty where there is none."""
        if self.training is None:
            return {}
        return read_object(self.beside(self.training))


def split_name(name: str) -> tuple[str, str, str | None]:
    """Method, data set and tag.

    Raises:
        ValueError: it is no name; names become file names, so nothing else will do.
    """
    found = _NAME.fullmatch(name)
    if not found or len(name) > 100:
        raise ValueError(
            f"{name!r} is no name of a checkpoint: expected method.dataset or method.dataset-tag "
            "in small letters, digits, _ and -"
        )
    return found["method"], found["dataset"], found["tag"]
