"""What the project knows of a data set that can be opened by name.

A data set is one `DatasetKind` in a file of its own and a line in `benchmark.datasets.catalogue`; a
plugin may bring plain functions instead, which get the defaults.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmark import variants
from benchmark.datasets.base import Dataset
from benchmark.progress import Progress

# arguments of `open` that are no settings of the data
NOT_KNOBS = ("root", "test_only", "render", "progress")


class Sources(NamedTuple):
    """All that opening a copy depends on: what these folders list, what is in these files."""

    folders: tuple[Path, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class DatasetKind:
    """A data set by name: how it is opened, and what a copy of it should look like.

    Attributes:
        open: ``open(root, *, knobs) -> Dataset``; its name is the data set's. It may also take
            ``progress``, a `benchmark.progress.Progress`; ``test_only``, with which nothing is made
            to train on; and ``render``, which is False where nothing at all is to be made.
        layout: the tree of files that it is expected in, as ``zoo data layout`` prints it.
        self_made: it renders itself and needs no root.
        one_file: its root may be one file.
        reference_counts: published counts (see `benchmark.datasets.check.reference_counts`) by
            canonical variant.
        splits: how many train/test splits are published.
        measured: the published counts have been counted again here; if not, a copy that differs
            from them is not called wrong.
        reference_sha256: hashes of the official split files by file name.
        split_files: where these lie in the copy below a root.
        frame_number: finds the number of a frame in its name, where a tracklet's frames are
            numbered one after the other.
        first_frames: numbers that a tracklet may begin with.
        shared_ids: the numbers of training and test persons say nothing about each other.
        parts: the folders that should hold images of tracklets and nothing else, from the folders
            of the tracklets; None if that cannot be said.
        spare_images: names of parts that also hold images of no tracklet.
        first_contradiction: the first tracklet of a copy that cannot be opened whose images are
            not those that its table lists, in words.
        sources: what opening the copy below a root depends on; None if it cannot be listed
            quickly. With it, a large copy is indexed (see `benchmark.datasets.index`).
    """

    open: Callable[..., Dataset]
    layout: str = "This data set comes without a description of its files."
    self_made: bool = False
    one_file: bool = False
    reference_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    splits: int = 1
    measured: bool = True
    reference_sha256: Mapping[str, str] = field(default_factory=dict)
    split_files: Callable[[Path], list[Path]] | None = None
    frame_number: re.Pattern | None = None
    first_frames: tuple[int, ...] = (1,)
    shared_ids: bool = False
    parts: Callable[[Iterable[Path]], set[Path]] | None = None
    spare_images: tuple[str, ...] = ()
    first_contradiction: Callable[[Path], str | None] | None = None
    sources: Callable[[Path], Sources] | None = None

    @property
    def name(self) -> str:
        """The name that it is opened by."""
        return self.open.__name__

    @property
    def knobs(self) -> dict[str, tuple[object, object]]:
        """``{name: (type, default)}`` of what can be set in brackets."""
        found = variants.parameters(self.open)
        return {name: knob for name, knob in found.items() if name not in NOT_KNOBS}

    @property
    def has_test_alone(self) -> bool:
        """Its test part can be had alone, without the rest being made."""
        return "test_only" in variants.parameters(self.open)

    def read(
        self,
        root: Path | None,
        knobs: Mapping[str, object],
        progress: Progress,
        *,
        test_only: bool = False,
        render: bool = True,
    ) -> Dataset:
        """Open it; what it does not take is not passed on."""
        offered = {"progress": progress, "test_only": test_only, "render": render}
        taken = variants.parameters(self.open)
        return self.open(root, **knobs, **{k: v for k, v in offered.items() if k in taken})


def as_kind(brought: DatasetKind | Callable[..., Dataset]) -> DatasetKind:
    """What a plugin brings: an object like ours, or a function, which gets the defaults."""
    return brought if isinstance(brought, DatasetKind) else DatasetKind(open=brought)
