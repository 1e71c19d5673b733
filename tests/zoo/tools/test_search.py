"""Tracklets of one's own: vectors, the nearest ones, and the sheet that shows them."""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.zoo.shelf import NAME, shelve
from zoo.tools import search as searching


@pytest.fixture
def own(people, tmp_path):
    """Tracklets nested in a way that no data set prescribes."""
    root = tmp_path / "own"
    shutil.copytree(people / "gallery", root / "a b" / "deep")
    shutil.copytree(people / "train" / "p0" / "c1_0", root / "flat")
    (root / ".hidden").mkdir()
    shutil.copy(next((root / "flat").iterdir()), root / ".hidden" / "x.jpg")
    (root / "flat" / "notes.txt").write_text("no image")
    return root


@pytest.fixture
def features(shelf, own, tmp_path, call):
    path = tmp_path / "f.npz"
    status, out, err = call("embed", own, "--checkpoint", NAME, "-o", path, "--workers", "0")
    assert (status, out.strip()) == (0, str(path)), err
    return path


def test_every_folder_of_images_is_a_tracklet(features, own, shelf):
    found = searching.load(features)
    deep = [f"a b/deep/p{person}/c2_0" for person in (4, 5, 6)]
    assert found.tracklets == (*deep, "flat") and found.root == own.resolve()
    assert found.vectors.shape == (4, 1024) and found.vectors.dtype == np.float32
    assert found.frames.tolist() == [len(list((own / t).glob("*.jpg"))) for t in found.tracklets]
    assert found.about["sha256"] == shelf.sha256 and found.about["checkpoint"] == NAME


def test_the_file_holds_no_pickle(features):
    with np.load(features, allow_pickle=False) as file:
        assert set(file) == {"about", "root", "tracklets", "frames", "vectors"}
        assert all(file[name].dtype != object for name in file)


def test_a_file_with_a_pickle_in_it_is_refused(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return (print, ("executed!",))

    np.savez(tmp_path / "e.npz", about=np.array([Evil()], dtype=object))
    with pytest.raises(ValueError, match="is no file of `zoo embed`"):
        searching.load(tmp_path / "e.npz")
    assert "executed!" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text"])
def test_what_is_no_file_of_features_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match="is no file of `zoo embed`"):
        searching.load(tmp_path / "x.npz")


def test_the_nearest_are_those_of_least_distance(features, call, people, tmp_path):
    sheet = tmp_path / "s.png"
    status, out, err = call(
        "search", people / "query", "--in", features, "--top", 3, "--sheet", sheet,
        "--workers", "0", "--json",
    )  # fmt: skip
    assert status == 0, err
    found, known = json.loads(out), searching.load(features)
    assert [(row["query"], row["rank"]) for row in found] == [
        (f"p{person}/c1_0", rank) for person in (4, 5, 6) for rank in (1, 2, 3)
    ]
    pairs = [(a, b) for a, b in pairwise(found) if a["query"] == b["query"]]
    assert all(a["distance"] <= b["distance"] for a, b in pairs)
    again = call(
        "embed", people / "query", "--checkpoint", NAME, "-o", tmp_path / "q.npz", "--workers", "0"
    )
    assert again[0] == 0
    query = searching.load(tmp_path / "q.npz").vectors.astype(np.float64)
    gallery = known.vectors.astype(np.float64)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    gaps = 1 - query @ gallery.T
    for i in range(3):
        expected = [known.tracklets[j] for j in np.argsort(gaps[i])[:3]]
        assert [row["tracklet"] for row in found[3 * i : 3 * i + 3]] == expected
        assert abs(found[3 * i]["distance"] - gaps[i].min()) < 1e-5
    with Image.open(sheet) as image:
        strip, gap = 3 * 48 + 10, 10
        assert image.size == (4 * strip + gap, 3 * (96 + 26 + gap) + gap)
        assert len(set(np.asarray(image).reshape(-1, 3).mean(1).round().tolist())) > 50


def test_a_query_among_the_features_is_not_its_own_answer(features, call, own):
    status, out, _ = call("search", own / "flat", "--in", features, "--workers", "0")
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert status == 0 and len(rows) == 3 and "flat" not in [row[2] for row in rows]


def test_distances_that_are_euclidean_are_told_as_lengths():
    def of(vectors):
        names = tuple(f"{len(vectors)}-{i}" for i in range(len(vectors)))
        return searching.Features(
            about={"distance": "l2sq-raw"},
            root=searching.Path("/x"),
            tracklets=names,
            frames=np.ones(len(vectors)),
            vectors=np.array(vectors, dtype=np.float32),
        )

    found = searching.nearest(of([[0, 0]]), of([[3, 4], [0, 1]]), 5)
    assert [(f.tracklet, round(f.distance, 5)) for f in found] == [("2-1", 1.0), ("2-0", 5.0)]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["embed", "{empty}", "--checkpoint", NAME], 1, "holds no .jpg or .png image"),
        (["embed", "/nowhere", "--checkpoint", NAME], 1, "/nowhere is no folder"),
        (["embed", "{own}", "--checkpoint", "sta.folder"], 2, "did you mean sta.folder-tiny"),
        (["embed", "{own}", "--checkpoint", NAME, "-o", "f.txt"], 2, "must end in .npz"),
        (["search", "{own}", "--in", "nothing.npz"], 1, "does not exist: `zoo embed`"),
        (["search", "{empty}", "--in", "{features}"], 1, "holds no .jpg or .png image"),
        (["search", "{own}", "--in", "{features}", "--sheet", "s.jpg"], 2, "must end in .png"),
        (["search", "{own}", "--in", "{features}", "--top", "0"], 2, "top"),
    ],
)
def test_wrong_use_is_one_line(shelf, own, features, tmp_path, call, arguments, status, says):
    (tmp_path / "empty").mkdir()
    places = {"own": own, "features": features, "empty": tmp_path / "empty"}
    found, out, err = call(*(a.format(**places) for a in arguments), "--workers", "0")
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "") and len(lines) == 1 and says in lines[0], err


def test_features_of_other_weights_are_refused(features, tmp_path, monkeypatch, call, own):
    from tests.zoo.shelf import trained
    from zoo.half_precision import to_half

    shelve(tmp_path / "home", state=to_half(trained(seed=1).state_dict())[0])
    status, _, err = call("search", own, "--in", features, "--workers", "0")
    assert status == 2 and "the features were made with sha256" in err


def test_a_broken_image_is_named(shelf, own, tmp_path, call):
    victim = next((own / "flat").glob("*.jpg"))
    victim.write_bytes(victim.read_bytes()[:100])
    status, _, err = call(
        "embed", own, "--checkpoint", NAME, "-o", tmp_path / "f.npz", "--workers", "0"
    )
    assert status == 1 and f"{own / 'flat'}" in err and "cannot be read as an image" in err
    assert not (tmp_path / "f.npz").exists()


def test_a_tracklet_that_has_gone_cannot_be_drawn(features, own, people, tmp_path, call):
    shutil.rmtree(own / "flat")
    status, _, err = call(
        "search", people / "query", "--in", features, "--sheet", tmp_path / "s.png",
        "--workers", "0",
    )  # fmt: skip
    assert status == 1 and "is not there any more: it cannot be drawn" in err
