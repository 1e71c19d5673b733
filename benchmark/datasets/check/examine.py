"""Examines a copy of a data set: counts, split files, persons, unlisted files and every image.

Wrong is one thing, different from the official set another: a smaller set, or one of one's own, in
the same layout is as right as any.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet
from benchmark.datasets.catalogue import Brought, open_dataset, parse_name, resolve
from benchmark.datasets.check.image_integrity import broken_images
from benchmark.datasets.check.reference_counts import claims_to_be, count
from benchmark.datasets.check.unlisted_files import unlisted_files
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.storage import data_root
from benchmark.files import sha256
from benchmark.progress import SILENT, Progress
from benchmark.rules import PROTOCOLS

SHOWN = 20  # findings of one kind that are listed; the others are counted
AGAIN = "get it from the archive again"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what, e.g. ``train persons``.
        found: a number, or what is wrong in words.
        expected: the published number, or what is right; None if nothing is.
        verdict: ``right``, ``official`` (as published), ``differs`` (from the published) or
            ``wrong``.
        remedy: what to do about it, if it is wrong.
    """

    check: str
    found: str | int
    expected: str | int | None = None
    verdict: str = "right"
    remedy: str = ""

    def __str__(self) -> str:
        expected = "" if self.expected is None else f", expected {self.expected}"
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.check}: {self.found}{expected}{remedy}"


def examine(
    text: str,
    root: Path | None,
    *,
    deep: bool = False,
    workers: int | None = None,
    progress: Progress = SILENT,
    extra: Sequence[Brought] = (),
) -> list[Finding]:
    """Everything there is to say about a copy, in the order in which one would mend it.

    Args:
        text: a data set, e.g. ``mars``.
        root: where it lies.
        deep: decode every image.
        workers: processes that check images; None decides by their number.
        progress: advances with long work.
        extra: data sets of plugins.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, no root was given where one is needed, or the name
            is one of a part, or of several data sets.
    """
    name = parse_name(text)
    if name.suffixes or len(name.variants) > 1:
        raise ValueError(
            f"{text!r} is a part of a data set, or several: check a whole one, "
            f"e.g. {name.variants[0]}"
        )
    kind, _ = resolve(text, root, extra)
    try:
        dataset = open_dataset(text, root, progress=progress, extra=extra, trust_index=False)
    except (ValueError, OSError) as error:
        return [_unreadable(kind, root, error)]
    reference = kind.reference_counts.get(dataset.name, {})
    official = claims_to_be(reference, count(dataset))
    unlisted = unlisted_files(kind, dataset)
    paths = sorted({t.path(i) for t in _everything(dataset) for i in range(len(t))})
    broken = broken_images(paths, deep=deep, workers=workers, progress=progress)
    return [
        *_counts(kind, dataset, reference, official),
        *_split_files(kind, root, official),
        *_persons(kind, dataset),
        *_listed("unlisted file", unlisted, "delete it: other loaders count it"),
        *_listed("missing frame", _gaps(kind, dataset), AGAIN),
        *_listed("broken image", (f"{path} {reason}" for path, reason in broken), AGAIN),
    ]


def _unreadable(kind: DatasetKind, root: Path | None, error: Exception) -> Finding:
    """Why the data set cannot be opened; where its tables allow it, because of which tracklet."""
    cause = None
    if root is not None and kind.first_contradiction and not isinstance(error, FileNotFoundError):
        try:
            cause = kind.first_contradiction(data_root(root))
        except (ValueError, OSError):
            cause = None  # it fails before: the error itself says where
    return Finding(
        check="opening",
        found=cause or " ".join(str(error).split()),
        verdict="wrong",
        remedy=f"`zoo data layout {kind.name}` shows what is expected",
    )


def _counts(
    kind: DatasetKind, dataset: Dataset, reference: Mapping[str, int], official: bool
) -> Iterator[Finding]:
    """Persons, tracklets, frames and cameras beside the published numbers."""
    for check, number in count(dataset).items():
        expected = reference.get(check)
        verdict, remedy = "differs", ""
        if expected is None:
            verdict = "right"
        elif number == expected:
            verdict = "official"
        elif official and kind.measured:
            amiss = "missing" if number < expected else "too many"
            verdict, remedy = "wrong", f"some are {amiss}: unpack the archives again"
        yield Finding(check=check, found=number, expected=expected, verdict=verdict, remedy=remedy)


def _split_files(kind: DatasetKind, root: Path | None, official: bool) -> Iterator[Finding]:
    """The hashes of the split files beside those of the official ones."""
    if kind.split_files is None or root is None:
        return
    paths = [
        path for path in kind.split_files(data_root(root)) if path.name in kind.reference_sha256
    ]
    found = {path: sha256(path) for path in paths}
    right = {path: digest == kind.reference_sha256[path.name] for path, digest in found.items()}
    official = official or any(right.values())
    for path, digest in found.items():
        verdict, remedy = "differs", ""
        if right[path]:
            verdict = "official"
        elif official:
            verdict, remedy = "wrong", AGAIN
        yield Finding(
            check=f"sha256 of {path.name}",
            found=digest,
            expected=kind.reference_sha256[path.name],
            verdict=verdict,
            remedy=remedy,
        )


def _persons(kind: DatasetKind, dataset: Dataset) -> Iterator[Finding]:
    """Queries that are nobody, that nothing matches, or that were trained on."""
    queries = [dataset.test[row] for row in dataset.query]
    nobody = next((t for t in queries if t.pid in (JUNK, DISTRACTOR)), None)
    if nobody:
        yield Finding(
            check="queries",
            found=f"{nobody.path(0)} is junk or a distractor",
            verdict="wrong",
            remedy="it cannot be a query",
        )
    trained = {t.pid for t in dataset.train} & {t.pid for t in queries}
    if trained and not kind.shared_ids:
        one = next(t for t in queries if t.pid in trained)
        others = len(trained) - 1
        yield Finding(
            check="persons",
            found=f"the person of query {one.path(0)} is among the training persons, as are "
            f"{others} others",
            verdict="wrong",
            remedy="train on other persons than those of the queries",
        )
    if dataset.cameras:
        yield _unmatched(dataset, queries)


def _unmatched(dataset: Dataset, queries: Sequence[Tracklet]) -> Finding:
    """How many queries have no match in another camera, and whether the protocol allows that."""
    check = "queries without a match in another camera"
    seen = Counter(pid for pid, _ in {(t.pid, t.camid) for t in dataset.test})
    alone = [t for t in queries if seen[t.pid] < 2]
    if not alone:
        return Finding(check=check, found=0)
    rules = PROTOCOLS.get(dataset.protocol)
    if rules is None or rules.unmatched == "skip":
        return Finding(check=check, found=len(alone))
    return Finding(
        check=check,
        found=alone[0].path(0),
        expected=0,
        verdict="wrong",
        remedy=f"{dataset.protocol} does not allow that",
    )


def _gaps(kind: DatasetKind, dataset: Dataset) -> Iterator[str]:
    """Frame numbers that a tracklet jumps over, where they count the tracklet's own frames."""
    if kind.frame_number is None:
        return
    for tracklet in _everything(dataset):
        numbers = [int(kind.frame_number.search(name)[1]) for name in tracklet.frames]
        first = numbers[0] if numbers[0] in kind.first_frames else kind.first_frames[0]
        gap = next((n for i, n in enumerate(numbers) if n != first + i), None)
        if gap is not None:
            name = tracklet.frames[numbers.index(gap)]
            yield f"{tracklet.folder}: {name} is there, the frame before it is not"


def _everything(dataset: Dataset) -> list[Tracklet]:
    return [*dataset.train, *dataset.test]


def _listed(check: str, lines: Iterable[str], remedy: str) -> list[Finding]:
    """A finding for each line, up to some; one for all the others; or one that there is none."""
    shown, total = [], 0
    for line in lines:
        total += 1
        if total <= SHOWN:
            shown.append(Finding(check=check, found=line, verdict="wrong", remedy=remedy))
    if total > SHOWN:
        more = Finding(check=f"further {check}s", found=total - SHOWN, expected=0, verdict="wrong")
        return [*shown, more]
    return shown or [Finding(check=f"{check}s", found=0, expected=0)]


def verdict(text: str, findings: Sequence[Finding], *, deep: bool) -> str:
    """One line: the first thing wrong and what to do, or what the copy is."""
    wrong = [f for f in findings if f.verdict == "wrong"]
    if wrong:
        more = f" ({len(wrong) - 1} more below)" if len(wrong) > 1 else ""
        return f"{text} is wrong: {wrong[0]}{more}"
    images = "every image was decoded" if deep else "images were not decoded: --deep does that"
    differing = [f for f in findings if f.verdict == "differs"]
    if differing:
        return f"{text} is right, but not the official set ({differing[0]}); {images}"
    official = any(f.verdict == "official" for f in findings)
    return f"{text} is right{', and the official set' if official else ''}; {images}"
