"""The nearest of one's own tracklets."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from tests.zoo.shelf import NAME
from zoo.tools.features import Features, load
from zoo.tools.search import nearest


def test_the_nearest_are_those_of_least_distance(features, call, people, tmp_path):
    sheet = tmp_path / "s.png"
    status, out, err = call(
        "search", people / "query", "--in", features, "--top", 3, "--sheet", sheet,
        "--workers", "0", "--json",
    )  # fmt: skip
    assert status == 0, err
    found, known = json.loads(out), load(features)
    assert [(row["query"], row["rank"]) for row in found] == [
        (f"p{person}/c1_0", rank) for person in (4, 5, 6) for rank in (1, 2, 3)
    ]
    pairs = [(a, b) for a, b in pairwise(found) if a["query"] == b["query"]]
    assert all(a["distance"] <= b["distance"] for a, b in pairs)
    again = call(
        "embed", people / "query", "--checkpoint", NAME, "-o", tmp_path / "q.npz", "--workers", "0"
    )
    assert again[0] == 0
    query = load(tmp_path / "q.npz").vectors.astype(np.float64)
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


def test_a_query_among_the_features_is_not_retrieved_for_itself(features, call, own):
    status, out, _ = call("search", own / "flat", "--in", features, "--workers", "0")
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert status == 0 and len(rows) == 3 and "flat" not in [row[2] for row in rows]


def test_distances_that_are_euclidean_are_told_as_lengths():
    def of(vectors):
        names = tuple(f"{len(vectors)}-{i}" for i in range(len(vectors)))
        return Features(
            about={"distance": "l2sq-raw"},
            root=Path("/x"),
            tracklets=names,
            frames=np.ones(len(vectors)),
            vectors=np.array(vectors, dtype=np.float32),
        )

    found = nearest(of([[0, 0]]), of([[3, 4], [0, 1]]), 5)
    assert [(f.tracklet, round(f.distance, 5)) for f in found] == [("2-1", 1.0), ("2-0", 5.0)]
