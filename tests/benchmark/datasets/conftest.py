"""Tiny copies of the published data sets, in their own layouts; every image is 4 × 8 pixels."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from benchmark.progress import Silent


def _encoded(kind):
    file = io.BytesIO()
    pixels = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(8, 4, 3)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


JPEG, PNG = _encoded("JPEG"), _encoded("PNG")


@pytest.fixture
def jpeg():
    return JPEG


@pytest.fixture
def png():
    return PNG


def put(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(PNG if name.endswith(".png") else JPEG)


@pytest.fixture
def put_images():
    """``put(folder, names)`` writes an image for every name."""
    return put


MARS = {
    "train": [(1, 1, 3), (1, 2, 2), (7, 1, 4)],  # person, camera, frames
    "test": [(-1, 1, 2), (0, 2, 3), (2, 1, 2), (2, 3, 5), (5, 1, 2), (5, 2, 2)],
}


@pytest.fixture
def mars_tree(tmp_path):
    """MARS without its name lists: 2 training persons, 2 test persons, junk and a distractor."""
    root = tmp_path / "mars"
    (root / "info").mkdir(parents=True)
    for part, tracks in MARS.items():
        rows, last = [], 0
        for track, (pid, camera, frames) in enumerate(tracks, start=1):
            code = "00-1" if pid == -1 else f"{pid:04}"
            names = [f"{code}C{camera}T{track:04}F{frame + 1:03}.jpg" for frame in range(frames)]
            put(root / f"bbox_{part}" / code, names)
            rows.append((last + 1, last + frames, pid, camera))
            last += frames
        file = root / "info" / f"tracks_{part}_info.mat"
        scipy.io.savemat(file, {f"track_{part}_info": np.array(rows, np.int32)})
    query = {"query_IDX": np.array([[3, 4, 5]], np.uint16)}
    scipy.io.savemat(root / "info" / "query_IDX.mat", query)
    return root


# person: tracklet, camera, first frame, frames
DUKE = {
    "train": {1: [(1, 1, 1, 3), (2, 4, 2, 2)], 3: [(1, 2, 1, 2), (2, 3, 1, 2)]},
    "query": {2: [(1, 6, 1, 2)], 4: [(2, 8, 2, 3)]},
    "gallery": {
        2: [(1, 6, 1, 2), (2, 7, 1, 2)],
        4: [(1, 5, 1, 2), (2, 8, 2, 3)],
        9: [(1, 1, 1, 2)],
    },
}


@pytest.fixture
def duke_tree(tmp_path):
    """DukeMTMC-VideoReID: 2 training persons, 2 queries, 5 gallery tracklets of 3 persons."""

    def make(gap="_", nested=""):
        root = tmp_path / "duke"
        for part, persons in DUKE.items():
            for pid, tracks in persons.items():
                for track, camera, first, frames in tracks:
                    put(
                        root / nested / part / f"{pid:04}" / f"{track:04}",
                        [
                            f"{pid:04}{gap}C{camera}{gap}F{f:04}{gap}X{3000 + 12 * f}.jpg"
                            for f in range(first, first + frames)
                        ],
                    )
        return root

    return make


@pytest.fixture
def ilids_tree(tmp_path):
    """iLIDS-VID: six persons with gaps in their numbers; split 0 tests on ranks 6, 1 and 3."""

    def make(nested="i-LIDS-VID", persons=(1, 2, 4, 9, 10, 319), splits="train-test people splits"):
        root = tmp_path / "ilids"
        for camera in (1, 2):
            for person in persons:
                start = 95 + 7 * person % 50
                put(
                    root / nested / "sequences" / f"cam{camera}" / f"person{person:03}",
                    [
                        f"cam{camera}_person{person:03}_{frame:05}.png"
                        for frame in reversed(range(start, start + 3))
                    ],
                )
        (root / splits).mkdir(exist_ok=True, parents=True)
        rows = [np.roll([6, 1, 3, 2, 5, 4], k) for k in range(10)]
        save_splits(root / splits / "train_test_splits_ilidsvid.mat", rows)
        return root

    return make


def save_splits(path, rows):
    scipy.io.savemat(path, {"ls_set": np.array(rows, np.float64)})


@pytest.fixture
def write_splits():
    """``write_splits(path, rows)`` writes ``ls_set`` as doubles, as MATLAB does."""
    return save_splits


@pytest.fixture
def prid_tree(tmp_path):
    """PRID-2011: of five shared persons, 1, 2, 4 and 5 have 27 frames in both cameras."""

    def make(nested="", lengths=None):
        root = tmp_path / "prid"
        lengths = lengths or {"a": {3: 26, 201: 1}, "b": {3: 40, 301: 1, 302: 1}}
        for letter, own in lengths.items():
            for person in {1, 2, 3, 4, 5, *own}:
                put(
                    root / nested / "multi_shot" / f"cam_{letter}" / f"person_{person:04}",
                    [f"{frame:04}.png" for frame in range(1, own.get(person, 27) + 1)],
                )
        rows = [np.roll([4, 1, 3, 2], k) for k in range(10)]
        save_splits(root / "train_test_splits_prid.mat", rows)
        return root

    return make


LSVID_TRAIN = [("0001/0001_0001_03", 1, 3), ("0002/0002_0004_15", 2, 2)]  # prefix, person, frames
LSVID_TEST = [
    ("0007/0007_0001_01", 7, 2),
    ("0007/0007_0002_02", 7, 3),
    ("0007/0007_00021_05", 7, 2),
    ("0008/0008_0001_01", 8, 2),
]


@pytest.fixture
def lsvid_tree(tmp_path):
    """LS-VID with two training and four test tracklets; the queries are rows 1 and 4."""

    def make(nested="", info="", tail="_0.jpg", first=0, query="mat"):
        root = tmp_path / "ls"
        home = root / nested
        (home / info / "list_sequence").mkdir(parents=True)
        for part, rows in (("train", LSVID_TRAIN), ("test", LSVID_TEST)):
            lines = []
            for prefix, person, frames in rows:
                folder, stem = prefix.split("/")
                images = [f"{stem}_{frame:05}{tail}" for frame in range(frames)]
                put(home / f"tracklet_{part}" / folder, images)
                lines.append(f"tracklet_{part}/{prefix} {person - 1 + first}\r\n")
            text = "".join(lines)
            (home / info / "list_sequence" / f"list_seq_{part}.txt").write_text(text)
        write_lsvid_query(home / (info or "test"), query)
        return root

    return make


def write_lsvid_query(folder, kind):
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    if kind == "npy":
        np.save(folder / "query.npy", np.array([[1, 4]]))
    elif kind == "v5":
        scipy.io.savemat(data / "info_test.mat", {"query": np.array([[1.0], [4.0]])})
    else:
        with h5py.File(data / "info_test.mat", "w", userblock_size=512) as file:
            file["query"] = np.array([[1.0, 4.0]])  # MATLAB's [2, 1]
        with (data / "info_test.mat").open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


@pytest.fixture
def read():
    """``read(tracklets)`` is ``[(person, camera, frames)]``, every frame being a file."""

    def shortened(tracklets):
        assert all(Path(t.path(i)).is_file() for t in tracklets for i in range(len(t)))
        return [(t.pid, t.camid, len(t)) for t in tracklets]

    return shortened


class Recorder(Silent):
    """A `Progress` that remembers its steps and does something after each."""

    def __init__(self, then=lambda *step: None):
        self.steps, self.then = [], then

    def advance(self, what, done, total):
        self.steps.append((what, done, total))
        self.then(what, done, total)


@pytest.fixture
def recorder():
    """A `Progress`; ``recorder.steps`` is what it was told."""
    return Recorder()
