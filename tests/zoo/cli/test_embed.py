"""``zoo embed``."""

import pytest

from tests.zoo.shelf import NAME
from zoo.tools.features import load


def test_tracklets_become_a_file_of_vectors(shelf, people, call, tmp_path):
    path = tmp_path / "f.npz"
    words = ["embed", people / "gallery", "--checkpoint", NAME, "-o", path, "--workers", "0"]
    status, out, err = call(*words)
    assert (status, out.strip()) == (0, str(path)), err
    assert len(load(path).tracklets) == 3


@pytest.mark.parametrize(
    ("folder", "more", "status", "says"),
    [
        ("empty", [], 1, "holds no .jpg or .png image"),
        ("nowhere", [], 1, "nowhere is no folder"),
        ("empty", ["--checkpoint", "sta.folder"], 2, "did you mean sta.folder-tiny"),
        ("empty", ["-o", "f.txt"], 2, "must end in .npz"),
    ],
)
def test_wrong_use_is_one_line(shelf, call, tmp_path, folder, more, status, says):
    (tmp_path / "empty").mkdir()
    found, out, err = call("embed", tmp_path / folder, "--checkpoint", NAME, *more)
    assert (found, out) == (status, "") and says in err and len(err.splitlines()) == 1
