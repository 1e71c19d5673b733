"""Examines a copy of a data set: counts, split files, persons, unlisted files and every image.

Wrong is one thing, different from the official set another: a smaller set, or one of one's own, in
the same layout is as right as any.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.catalogue import Brought, open_dataset, parse_name, resolve
from benchmark.datasets.check.finding import AGAIN, Finding
from benchmark.datasets.check.image_integrity import DAMAGED, Broken, broken_images
from benchmark.datasets.check.reference_counts import claims_to_be, count
from benchmark.datasets.check.scores import counts, gaps, persons, split_files
from benchmark.datasets.check.unlisted_files import unlisted_files
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.storage import data_root
from benchmark.progress import SILENT, Progress

SHOWN = 20  # findings of one kind that are listed; the others are counted


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
    found = list(broken_images(paths, deep=deep, workers=workers, progress=progress))
    broken = [one for one in found if not one[1].startswith(DAMAGED)]
    damaged = [one for one in found if one[1].startswith(DAMAGED)]
    return [
        *counts(kind, dataset, reference, official),
        *split_files(kind, root, official),
        *persons(kind, dataset),
        *_listed("unlisted file", unlisted, "delete it: other loaders count it"),
        *_listed("missing frame", gaps(kind, dataset), AGAIN),
        *_listed("broken image", (f"{path} {reason}" for path, reason in broken), AGAIN),
        *_damaged(damaged, len(paths), deep),
    ]


def _damaged(found: Sequence[Broken], images: int, deep: bool) -> Iterator[Finding]:
    """Images that decode, with a part of them lost."""
    if not deep:
        return
    names = [path for path, _ in found]
    yield Finding(
        check="images damaged within",
        found=", ".join([f"{len(found)} of {images}", *names[:SHOWN]]) if found else 0,
        expected=0,
        verdict="damaged" if found else "right",
        remedy=f"they are used as far as they go; {AGAIN}" if found else "",
    )


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
    damaged = next((str(f.found) for f in findings if f.verdict == "damaged"), "")
    images = "every image was decoded" if deep else "images were not decoded: --deep does that"
    if damaged:
        images += f", {damaged.partition(',')[0]} damaged within (named below)"
    differing = [f for f in findings if f.verdict == "differs"]
    if differing:
        return f"{text} is right, but not the official set ({differing[0]}); {images}"
    official = any(f.verdict == "official" for f in findings)
    return f"{text} is right{', and the official set' if official else ''}; {images}"
