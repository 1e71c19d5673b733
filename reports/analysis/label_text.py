"""A result label in words: ``<protocol>@<version>/<distance>/<frames>[/rerank]``."""

import dataclasses
import math
import re

from benchmark.label import Label

_OWN = "the tracks of the same person from the same camera are taken out"
_BOTH = f"For each query, tracks of id −1 (junk) and {_OWN}."
_TEST = f"Every test track is in the gallery, the queries too. {_BOTH}"
_FOLDER = f"The gallery is the data set's gallery folder, which holds the queries. {_BOTH}"
_PAIR = (
    "The gallery is camera {} of {}, the queries are camera {}; numbers are means over 10 splits."
)
_TRAP = "AP is the area under the precision-recall curve by trapezoids"
_STEP = "AP is the mean precision at the matches"
_SKIP = "a query without a match is dropped"
_ERROR = "a query without a match is an error"
_PROTOCOLS = {
    "mars-official@1": f"{_TEST} {_TRAP}; {_ERROR}.",
    "mars-ste-nvan@1": f"{_TEST} {_TRAP}; {_ERROR}; what ranks beyond place 10,000 is never found.",
    "mars-ap3d@1": "Tracks of id −1 (junk) leave the gallery; the queries stay, before the others. "
    f"For each query, {_OWN}. {_STEP}; {_SKIP}.",
    "mars-torchreid@1": "Queries and tracks of id −1 (junk) leave the gallery. For each query, "
    f"{_OWN}. {_STEP}; {_SKIP}.",
    "duke-folders@1": f"{_FOLDER} {_STEP}; {_SKIP}.",
    "duke-ste-nvan@1": f"{_FOLDER} {_TRAP}; {_ERROR}.",
    "ilids-10@1": f"{_PAIR.format(2, 'the 150 test persons', 1)} {_STEP}; {_ERROR}.",
    "prid178-10@1": f"{_PAIR.format('b', '89 of 178 persons', 'a')} {_STEP}; {_ERROR}.",
    "prid200-rand10@1": f"{_PAIR.format('b', '100 of the first 200 persons', 'a')} {_STEP}; "
    f"{_ERROR}.",
    "open@1": f"The gallery is every test track that is no query. {_BOTH} {_STEP}; {_SKIP}.",
    "validation@1": "Held-out training persons alone. Queries and tracks of id −1 (junk) leave the "
    f"gallery. For each query, {_OWN}. {_STEP}; {_SKIP}.",
}
_DISTANCES = {"cos": "Cosine distance", "l2sq": "Squared Euclidean distance"}
_PLACES = {"bn": "after the batch-norm neck", "raw": "before the batch-norm neck"}
_FRAMES = {
    "chunk-first": "a track is cut into {} chunks of equal length and the first frame of each is "
    "taken: one clip of {} frames a track",
    "even": "{} evenly spaced frames are taken: one clip a track",
    "begin": "{} frames from the beginning of the track are taken: one clip a track",
    "dense": "the whole track is taken in clips of {} frames, the last one filled by repeating its "
    "own frames; the clips count alike in the mean",
    "dense-wrap": "the whole track is taken in clips of {} frames, the last one filled with the "
    "track's first frames; the clips count alike in the mean",
    "spread": "the whole track is taken in clips of {} frames that lie far apart; the clips count "
    "alike in the mean",
    "interval": "the track is taken in clips of {} frames that lie evenly apart, what is left over "
    "unused; the clips count alike in the mean",
    "all": "the whole track is taken in clips of {} frames, the last one as short as it falls; "
    "every frame counts alike in the mean",
    "all-max": "every frame of the track is embedded by itself and the maximum is taken",
    "all-mean": "every frame of the track is embedded by itself and the mean is taken",
}
_UNKNOWN = "not described here; see the documentation of what defines it"


def explain(label: Label) -> list[tuple[str, str]]:
    """Each part of the label with its meaning: protocol, distance, frames and re-ranking.

    A part that this page does not know, or knows in another version, is said to be so.
    """
    protocol = f"{label.protocol}@{label.version}"
    parts = [
        (protocol, _PROTOCOLS.get(protocol, f"a protocol {_UNKNOWN}.")),
        (label.distance, _distance(label.distance)),
        (label.frames, _frames(label.frames)),
    ]
    if label.rerank is not None:
        parts.append((label.rerank, _rerank(label.rerank)))
    return parts


def order(label: Label) -> int:
    """Where a label's protocol stands in this page; what is not described here comes last."""
    known, protocol = list(_PROTOCOLS), f"{label.protocol}@{label.version}"
    return known.index(protocol) if protocol in known else len(known)


def frames_of(label: Label) -> float:
    """Frames of a test clip; NaN where the frame rule names none."""
    found = re.search(r"(\d+)$", label.frames)
    return float(found[1]) if found else math.nan


def without_number(label: Label) -> str:
    """The label with T for the frames of a test clip."""
    return str(dataclasses.replace(label, frames=re.sub(r"\d+$", "T", label.frames)))


def _distance(part: str) -> str:
    kind, _, place = part.partition("-")
    if kind not in _DISTANCES or place not in _PLACES:
        return f"a distance {_UNKNOWN}."
    return f"{_DISTANCES[kind]} between embeddings {_PLACES[place]}."


def _frames(part: str) -> str:
    found = re.fullmatch(r"(\D+?)(\d*)", part)
    words = _FRAMES.get(found[1]) if found else None
    if words is None or ("{}" in words) != bool(found[2]):
        return f"a choice of frames {_UNKNOWN}."
    return f"At test time {words.replace('{}', found[2])}."


def _rerank(part: str) -> str:
    found = re.fullmatch(r"(kr|kr-torchreid|kr-dup)(?:\(([^()]*)\))?", part)
    if not found:
        return f"a re-ranking {_UNKNOWN}."
    numbers = f" (k1, k2, λ = {found[2].replace(',', ', ')})" if found[2] else ""
    kinds = {
        "kr": "on plain Euclidean distance, each track once in the pool",
        "kr-torchreid": "fed with squared Euclidean distance, as torchreid does",
        "kr-dup": "with queries that are also in the gallery twice in the pool",
    }
    return f"Ranked again by k-reciprocal neighbours{numbers}, {kinds[found[1]]}."
