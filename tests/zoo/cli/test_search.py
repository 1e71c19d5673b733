"""``zoo search``."""

import json

import pytest

from tests.zoo.shelf import NAME


@pytest.fixture
def features(shelf, people, call, tmp_path):
    path = tmp_path / "f.npz"
    words = ["embed", people / "gallery", "--checkpoint", NAME, "-o", path, "--workers", "0"]
    assert call(*words)[0] == 0
    return path


def test_the_nearest_are_printed_and_drawn(features, people, call, tmp_path):
    sheet = tmp_path / "s.png"
    words = ["search", people / "query", "--in", features, "--top", 2, "--workers", "0"]
    status, out, err = call(*words, "--sheet", sheet, "--json")
    rows = json.loads(out)
    assert status == 0 and f"drawn: {sheet}" in err and sheet.stat().st_size > 1000
    assert [row["rank"] for row in rows] == [1, 2] * 3
    assert set(rows[0]) == {"query", "rank", "tracklet", "distance"}


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (["--in", "nothing.npz"], 1, "does not exist: `zoo embed`"),
        (["--sheet", "s.jpg"], 2, "must end in .png"),
        (["--top", "0"], 2, "top"),
        (["--checkpoint", "sta.x"], 2, "sta.x"),
    ],
)
def test_wrong_use_is_one_line(features, people, call, change, status, says):
    words = ["search", people / "query", "--in", features, "--workers", "0", *change]
    found, out, err = call(*words)
    assert (found, out) == (status, "") and says in err and len(err.splitlines()) == 1
