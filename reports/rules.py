"""A result label in words: ``<protocol>@<version>/<distance>/<frames>[/rerank]``."""

import re

_STAYS = "Every test track is in the gallery, the queries too. For each query"
_LEAVES = "Queries and tracks of id −1 (junk) leave the gallery. For each query"
_OWN = "the tracks of the same person from the same camera are taken out"
_TRAP = "AP is the area under the precision-recall curve by trapezoids"
_STEP = "AP is the mean precision at the matches"
_PROTOCOLS = {
    "mars-official@1": f"{_STAYS}, tracks of id −1 (junk) and {_OWN}; {_TRAP}.",
    "mars-ste-nvan@1": f"{_STAYS}, tracks of id −1 (junk) and {_OWN}; {_TRAP}, and what ranks "
    "beyond place 10,000 is never found.",
    "mars-ap3d@1": f"Tracks of id −1 (junk) leave the gallery, the queries stay. For each query "
    f"{_OWN}; {_STEP}; a query without a match is dropped.",
    "mars-torchreid@1": f"{_LEAVES} {_OWN}; {_STEP}; a query without a match is dropped.",
    "duke-folders@1": f"The gallery is the data set's gallery folder. For each query {_OWN}; "
    f"{_STEP}; a query without a match is dropped.",
    "duke-ste-nvan@1": f"The gallery is the data set's gallery folder. For each query {_OWN}; "
    f"{_TRAP}; a query without a match is an error.",
    "ilids-10@1": "The gallery is camera 2 of the 150 test persons of each of 10 splits, the "
    "queries are camera 1; numbers are means over the splits.",
    "prid178-10@1": "The gallery is camera b of the 89 test persons of each of 10 splits, the "
    "queries are camera a; numbers are means over the splits.",
    "prid200-rand10@1": "The gallery is camera b of 100 of the first 200 persons, drawn for each "
    "of 10 splits, the queries are camera a; numbers are means over the splits.",
    "open@1": "The gallery is every test track that is no query. For each query tracks of id −1 "
    f"(junk) and {_OWN}; {_STEP}; a query without a match is dropped.",
}
_DISTANCES = {"cos": "Cosine distance", "l2sq": "Squared Euclidean distance"}
_PLACES = {"bn": "after the batch-norm neck", "raw": "before the batch-norm neck"}
_FRAMES = {
    "chunk-first": "a track is cut into {} chunks of equal length and the first frame of each is "
    "taken: one clip of {} frames a track",
    "even": "{} evenly spaced frames are taken: one clip a track",
    "begin": "{} frames from the beginning of the track are taken: one clip a track",
    "dense": "the whole track is taken in clips of {} frames, the last one filled by repeating "
    "its own frames; the clips count alike in the mean",
    "all": "the whole track is taken in clips of {} frames, the last one as short as it falls; "
    "every frame counts alike in the mean",
    "all-max": "every frame of the track is embedded by itself and the maximum is taken",
    "all-mean": "every frame of the track is embedded by itself and the mean is taken",
}
_UNKNOWN = "not described here; see the documentation of what defines it"


def explain(label: str) -> list[tuple[str, str]]:
    """Each part of the label with its meaning: protocol, distance, frames and re-ranking.

    A part that this page does not know, or knows in another version, is said to be so.
    """
    protocol, *rest = label.split("/", 3)
    parts = [(protocol, _PROTOCOLS.get(protocol, f"a protocol {_UNKNOWN}."))]
    makers = (_distance, _frames, _rerank)
    return parts + [(part, makers[i](part)) for i, part in enumerate(rest)]


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
