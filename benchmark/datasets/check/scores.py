"""What of a copy changes the scores made on it: counts, split files, persons and missing frames."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet
from benchmark.datasets.check.finding import AGAIN, Finding
from benchmark.datasets.check.reference_counts import claims_to_be, count
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.storage import data_root
from benchmark.files import sha256
from benchmark.rules import PROTOCOLS

CAUTION = "the data are wrong: "  # how such a note begins


def cautions(kind: DatasetKind, dataset: Dataset, root: Path | None) -> tuple[str, ...]:
    """What `zoo data check` calls wrong and a reader of scores must know, a line each.

    No image is opened.

    Args:
        kind: of the data set.
        dataset: the whole of it, or a part that its name tells.
        root: where it lies.
    """
    found = list(persons(kind, dataset))
    if ":" not in dataset.name:  # a part has other counts than the whole
        reference = kind.reference_counts.get(dataset.name, {})
        official = claims_to_be(reference, count(dataset))
        found += [*counts(kind, dataset, reference, official), *split_files(kind, root, official)]
        missing = list(gaps(kind, dataset))
        if missing:
            said = f"{missing[0]}, and {len(missing) - 1} more like it"
            found.append(Finding(check="missing frames", found=said, verdict="wrong"))
    return tuple(f"{CAUTION}{one}" for one in found if one.verdict == "wrong")


def counts(
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


def split_files(kind: DatasetKind, root: Path | None, official: bool) -> Iterator[Finding]:
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


def persons(kind: DatasetKind, dataset: Dataset) -> Iterator[Finding]:
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


def gaps(kind: DatasetKind, dataset: Dataset) -> Iterator[str]:
    """Frame numbers that a tracklet jumps over, where they count the tracklet's own frames."""
    if kind.frame_number is None:
        return
    for tracklet in (*dataset.train, *dataset.test):
        numbers = [int(kind.frame_number.search(name)[1]) for name in tracklet.frames]
        first = numbers[0] if numbers[0] in kind.first_frames else kind.first_frames[0]
        gap = next((n for i, n in enumerate(numbers) if n != first + i), None)
        if gap is not None:
            name = tracklet.frames[numbers.index(gap)]
            yield f"{tracklet.folder}: {name} is there, the frame before it is not"
