"""What the published data sets count, to tell whether a copy is the official one.

The numbers of MARS are recomputed from its three tables; those of LS-VID are what two loaders state
and nobody here has measured.
"""

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet

OFFICIAL: dict[str, dict[str, int]] = {
    "mars": {
        "train persons": 625,
        "train tracklets": 8_298,
        "train frames": 509_914,
        "test persons": 634,
        "test tracklets": 12_180,
        "test frames": 681_089,
        "query persons": 626,
        "query tracklets": 1_980,
        "query frames": 114_493,
        "junk tracklets": 870,
        "distractor tracklets": 3_248,
        "cameras": 6,
    },
    "duke_video": {
        "train persons": 702,
        "train tracklets": 2_196,
        "test persons": 1_110,
        "test tracklets": 2_636,
        "query persons": 702,
        "query tracklets": 702,
        "cameras": 8,
    },
    "ilids_vid": {
        "train persons": 150,
        "train tracklets": 300,
        "test persons": 150,
        "test tracklets": 300,
        "query persons": 150,
        "query tracklets": 150,
        "cameras": 2,
    },
    "prid2011": {
        "train persons": 89,
        "train tracklets": 178,
        "test persons": 89,
        "test tracklets": 178,
        "query persons": 89,
        "query tracklets": 89,
        "cameras": 2,
    },
    "prid2011[persons=200]": {
        "train persons": 100,
        "train tracklets": 200,
        "test persons": 100,
        "test tracklets": 200,
        "query persons": 100,
        "query tracklets": 100,
        "cameras": 2,
    },
    "lsvid": {
        "train persons": 842,
        "train tracklets": 2_831,
        "test tracklets": 11_333,
        "query tracklets": 3_504,
        "cameras": 15,
    },
}
UNMEASURED = ("lsvid",)
MARS_SHA256 = {
    "tracks_train_info.mat": "bae1ca16a6afbad1db664fbd4a60f8761585d7fb591c5e20b714f637dba3636b",
    "tracks_test_info.mat": "35a5464d1219cc42001ddb6cdb2c1e88ae2bc9d516e559d44a68310521386b56",
    "query_IDX.mat": "2b580c94cf7934dbe3320c628b915dba76153c60effa94c1f48995ae8b96a932",
}


def census(dataset: Dataset) -> dict[str, int]:
    """Persons, tracklets and frames of every part, and cameras; junk and distractors are nobody."""
    parts = {
        "train": dataset.train,
        "test": dataset.test,
        "query": tuple(dataset.test[row] for row in dataset.query),
    }
    counts: dict[str, int] = {}
    for part, tracklets in parts.items():
        counts[f"{part} persons"] = len({t.pid for t in tracklets} - {JUNK, DISTRACTOR})
        counts[f"{part} tracklets"] = len(tracklets)
        counts[f"{part} frames"] = sum(map(len, tracklets))
    counts["junk tracklets"] = _with_pid(dataset.test, JUNK)
    counts["distractor tracklets"] = _with_pid(dataset.test, DISTRACTOR)
    counts["cameras"] = len({t.camid for part in parts.values() for t in part} - {0})
    return counts


def _with_pid(tracklets: tuple[Tracklet, ...], pid: int) -> int:
    return sum(t.pid == pid for t in tracklets)


def claims_to_be(name: str, counts: dict[str, int]) -> bool:
    """True if at least half of a data set's counts are the official ones.

    Such a copy is meant to be the official set, and what differs is a fault; of any other data in
    the same layout it is just a difference. Cameras do not vote: their number is easily the same.
    """
    official = {key: n for key, n in OFFICIAL.get(name, {}).items() if key != "cameras"}
    same = sum(counts[key] == number for key, number in official.items())
    return bool(official) and 2 * same >= len(official)
