"""Examines a copy of a data set: counts, split files, persons, stray files and every image.

What is wrong is told apart from what merely differs from the official set: a smaller set, or one of
one's own, in the same layout is as right as any.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset
from benchmark.datasets.catalogue import open_dataset, resolve
from benchmark.datasets.check.image_integrity import faults
from benchmark.datasets.check.reference_counts import (
    MARS_SHA256,
    OFFICIAL,
    UNMEASURED,
    census,
    claims_to_be,
)
from benchmark.datasets.check.unlisted_files import strays
from benchmark.datasets.mars import first_contradiction, table_files
from benchmark.files import sha256

SHOWN = 20  # faults of one kind that are listed; the others are counted
FRAME = {  # of sets whose frames are counted in the tracklet: its place in a name
    "duke_video": re.compile(r"F(\d{4,})"),
    "prid2011": re.compile(r"(\d{4})\.png"),
}
SHARED_NUMBERS = ("lsvid",)  # the number of a training person says nothing about test persons
UNMATCHED_ARE_SKIPPED = ("duke-folders", "open")
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what, e.g. ``train persons``.
        found: a number, or what is wrong in words.
        expected: the official number, or what is right; None if nothing is.
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
        return f"{self.check}: {self.found}{expected}" + (f"; {self.remedy}" * bool(self.remedy))


def examine(
    text: str,
    root: Path | None,
    *,
    deep: bool = False,
    workers: int | None = None,
    on_progress: OnProgress | None = None,
    extra: Sequence[Callable] = (),
) -> list[Finding]:
    """Everything there is to say about a copy, in the order in which one would mend it.

    Args:
        text: a data set, e.g. ``mars``.
        root: where it lies.
        deep: decode every image.
        workers: processes that look at images; None decides by their number.
        on_progress: told of long work.
        extra: data set functions of plugins.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
    """
    _, variant = resolve(text, root, extra)
    try:
        dataset = open_dataset(text, root, on_progress=on_progress, extra=extra)
    except (ValueError, OSError) as error:
        return [_unreadable(variant.name, root, error)]
    kind = variant.name
    found = [*counts(dataset), *_tables(kind, root, dataset), *_persons(kind, dataset)]
    found += _listed("stray file", strays(kind, dataset), "delete it: other loaders count it")
    again = "get it from the archive again"
    found += _listed("missing frame", _gaps(kind, dataset), again)
    paths = sorted({t.path(i) for t in _everything(dataset) for i in range(len(t))})
    images = faults(paths, deep=deep, workers=workers, on_progress=on_progress)
    return found + _listed("broken image", (" ".join(fault) for fault in images), again)


def _unreadable(kind: str, root: Path | None, error: Exception) -> Finding:
    """Why the data set cannot be opened; of MARS, which tracklet is to blame."""
    reason = " ".join(str(error).split())
    try:
        told = isinstance(error, FileNotFoundError) or kind != "mars" or root is None
        cause = None if told else first_contradiction(Path(root))
    except (ValueError, OSError):
        cause = None  # it fails before: the error itself says where
    return Finding(
        check="opening",
        found=cause or reason,
        verdict="wrong",
        remedy=f"`zoo data layout {kind}` shows what is expected",
    )


def counts(dataset: Dataset) -> list[Finding]:
    """Persons, tracklets, frames and cameras beside the official numbers."""
    name = dataset.name
    found, official = census(dataset), OFFICIAL.get(name, {})
    differs = "wrong" if claims_to_be(name, found) and name not in UNMEASURED else "differs"
    findings = []
    for check, number in found.items():
        expected = official.get(check)
        same = "right" if expected is None else "official"
        verdict = same if expected in (None, number) else differs
        amiss = "missing" if number < (expected or 0) else "too many"
        findings.append(
            Finding(
                check=check,
                found=number,
                expected=expected,
                verdict=verdict,
                remedy=f"some are {amiss}: unpack the archives again" * (verdict == "wrong"),
            )
        )
    return findings


def _tables(kind: str, root: Path | None, dataset: Dataset) -> Iterator[Finding]:
    """The hashes of MARS' split files."""
    if kind != "mars" or root is None:
        return
    hashes = {path: sha256(path) for path in table_files(root)}
    official = {path: MARS_SHA256[path.name] for path in hashes}
    claims = claims_to_be("mars", census(dataset)) or any(hashes[p] == official[p] for p in hashes)
    for path, found in hashes.items():
        same = found == official[path]
        yield Finding(
            check=f"sha256 of {path.name}",
            found=found,
            expected=official[path],
            verdict="official" if same else "wrong" if claims else "differs",
            remedy="" if same or not claims else "get it from MARS-evaluation/info again",
        )


def _persons(kind: str, dataset: Dataset) -> Iterator[Finding]:
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
    if trained and kind not in SHARED_NUMBERS:
        one = next(t for t in queries if t.pid in trained)
        yield Finding(
            check="persons",
            found=f"the person of query {one.path(0)} is among the training persons, as are "
            f"{len(trained) - 1} others",
            verdict="wrong",
            remedy="train on other persons than those that are asked for",
        )
    if not dataset.cameras:
        return
    seen = Counter(pid for pid, _ in {(t.pid, t.camid) for t in dataset.test})
    alone = [t for t in queries if seen[t.pid] < 2]
    wrong = bool(alone) and dataset.protocol not in UNMATCHED_ARE_SKIPPED
    yield Finding(
        check="queries without a match in another camera",
        found=alone[0].path(0) if wrong else len(alone),
        expected=0 if wrong else None,
        verdict="wrong" if wrong else "right",
        remedy=f"{dataset.protocol} does not allow that" * wrong,
    )


def _gaps(kind: str, dataset: Dataset) -> Iterator[str]:
    """Frame numbers that a tracklet jumps over, where they count the tracklet's own frames."""
    if kind not in FRAME:
        return
    for tracklet in _everything(dataset):
        numbers = [int(FRAME[kind].search(name)[1]) for name in tracklet.frames]
        first = 1 if numbers[0] == 1 or kind != "duke_video" else 2  # some of Duke's begin at 2
        gap = next((n for i, n in enumerate(numbers) if n != first + i), None)
        if gap is not None:
            name = tracklet.frames[numbers.index(gap)]
            yield f"{tracklet.folder}: {name} is there, the frame before it is not"


def _everything(dataset: Dataset) -> list:
    return [*dataset.train, *dataset.test]


def _listed(check: str, faults: Iterator[str], remedy: str) -> list[Finding]:
    """A finding for each fault, up to some; one for all the others; or one that there is none."""
    shown, total = [], 0
    for fault in faults:
        total += 1
        if total <= SHOWN:
            shown.append(Finding(check=check, found=fault, verdict="wrong", remedy=remedy))
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
    known = any(f.verdict == "official" for f in findings)
    return f"{text} is right{', and the official set' * known}; {images}"
