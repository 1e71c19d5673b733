"""Frames, ranking and attention of a query, from what a run left behind."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from benchmark import embed
from benchmark.clips import chunk_first
from benchmark.pixels import read_clip
from reports.read import inspection
from zoo.tools import inspect_query
from zoo.tools.inspected_run import open_run


@pytest.fixture(scope="module")
def opened(inspected, people):
    return open_run(inspected["sta"], None, people)


def looked(run, rows, top=10):
    return inspect_query.inspect(run, rows, top=top, device="cpu")


def test_the_ranking_shown_is_the_one_that_was_scored(opened):
    for one in looked(opened, list(opened.per_query.index)):
        scored = opened.per_query.loc[one.query]
        right = [strip.rank for strip in one.strips if strip.kind == "right"]
        assert right[0] == scored["first"] and one.ap == scored["AP"]
        assert len(right) == scored["matches"]
        distances = [strip.distance for strip in one.strips[1:]]
        assert distances == sorted(distances)


def test_kinds_are_told_by_person_and_camera(opened):
    (one,) = looked(opened, [int(opened.per_query.index[0])])
    query = one.strips[0]
    assert query.kind == "query" and query.row == one.query and query.distance is None
    for strip in one.strips[1:]:
        same = strip.pid == query.pid
        expected = "junk" if same and strip.camid == query.camid else "right" if same else "wrong"
        assert strip.kind == expected and (strip.rank is None) == (expected == "junk")


def test_the_frames_shown_are_those_that_the_method_saw(opened):
    (one,) = looked(opened, [int(opened.per_query.index[0])])
    for strip in one.strips:
        track = opened.dataset.test[strip.row]
        clip = read_clip(track, chunk_first(len(track), 4), 64, 32)
        assert np.array_equal(strip.frames, clip.permute(0, 2, 3, 1).numpy())


def test_the_first_right_track_is_shown_however_late_it_comes(opened):
    late = opened.per_query["first"].idxmax()
    (one,) = looked(opened, [int(late)], top=1)
    assert [s.rank for s in one.strips if s.kind == "right"][-1] == opened.per_query["first"].max()
    assert sum(strip.rank == 1 for strip in one.strips) == 1


def test_junk_stands_where_it_would_rank_and_takes_no_rank(inspected, people):
    run = open_run(inspected["sta"], "mars-ap3d", people)
    (one,) = looked(run, [int(run.per_query.index[0])])
    kinds = [strip.kind for strip in one.strips]
    assert kinds[:2] == ["query", "junk"]  # the query itself is in this gallery
    assert one.strips[1].distance == pytest.approx(0, abs=1e-5)
    ranks = [strip.rank for strip in one.strips if strip.rank]
    assert ranks == list(range(1, len(ranks) + 1))


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        ("sta", {"scores": (4, 4)}),
        ("stenvan", {"stage2_block0": (3, 4, 4, 1), "stage3_block2": (3, 2, 4, 1)}),
        ("nlam_nltp", {"frame_pairs": (4, 4), "stage4_spatial": (3, 4, 4, 2)}),
    ],
)
def test_the_method_s_own_attention_is_kept_for_the_query_and_the_nearest(
    inspected, people, method, shapes
):
    run = open_run(inspected[method], None, people)
    (one,) = looked(run, [int(run.per_query.index[0])])
    with_attention = [strip for strip in one.strips if strip.attention]
    assert [strip.rank for strip in with_attention] == [None, 1]
    for strip in with_attention:
        found = {name: strip.attention[name].shape for name in shapes}
        assert found == shapes


def test_distances_are_those_of_the_kept_embeddings(opened):
    (one,) = looked(opened, [int(opened.per_query.index[0])])
    kept = embed.load(opened.run.folder.path / "embeddings-chunk-first4.safetensors").embedding
    unit = kept / np.linalg.norm(kept, axis=1, keepdims=True)
    for strip in one.strips[1:]:
        assert strip.distance == pytest.approx(1 - unit[one.query] @ unit[strip.row], abs=1e-5)
    assert isinstance(opened.per_query, pd.DataFrame)


class Shown:
    """A network whose attention is what it is given."""

    def __init__(self, found):
        self.attention = lambda clips: found


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (object(), "no attention is drawn: the method has none to show"),
        (Shown({}), "no attention is drawn: the method has none to show"),
        (Shown({"scores": torch.zeros(1, 4, 4)}), None),
        (Shown({"heat": torch.zeros(1, 4, 4)}), "not drawn: heat: its name ends in none of"),
        (Shown({"frame_weights": torch.zeros(1, 5)}), r"not drawn: .* shape is \[5\], expected"),
    ],
)
def test_what_is_not_drawn_is_said(opened, monkeypatch, model, said):
    monkeypatch.setattr(
        inspect_query, "load_weights", lambda *_: SimpleNamespace(to=lambda _: model)
    )
    (one,) = looked(opened, [int(opened.per_query.index[0])])
    notes = [note for note in one.notes if "drawn" in note]
    assert len(notes) == (said is not None)
    assert said is None or re.match(said, notes[0])


def test_pictures_need_neither_weights_nor_images_again(inspected, people, tmp_path):
    run = open_run(inspected["sta"], None, people)
    path = inspection.save(looked(run, [int(run.per_query.index[0])])[0], tmp_path)
    code = (
        "import sys; from pathlib import Path; from reports.figures import film_strips\n"
        "from reports.read import inspection\n"
        f"film_strips.pictures(inspection.load(Path({str(path)!r})), Path({str(tmp_path)!r}))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_a_method_without_attention_is_shown_without(inspected, people):
    run = open_run(inspected["resnet50_avg"], None, people)
    (one,) = looked(run, [int(run.per_query.index[0])])
    assert not any(strip.attention for strip in one.strips)
    assert one.notes == ("no attention is drawn: the method has none to show",)


def test_a_clip_that_the_attention_refuses_is_told(opened, monkeypatch):
    def refuses(self, clips):
        raise ValueError("T = 3 frames do not fit")

    monkeypatch.setattr("methods.sta.STA.attention", refuses)
    (one,) = looked(opened, [int(opened.per_query.index[0])])
    assert one.notes == ("no attention: T = 3 frames do not fit",)
