"""Runs side by side."""

import shutil

import pytest

import zoo
from zoo.experiment.folder import RunFolder
from zoo.tools.compare import compare


@pytest.fixture(scope="module")
def found(inspected, people):
    return compare(inspected["sta"], inspected["stenvan"], label="open", data_root=people)


def test_systems_stand_in_the_order_of_their_map_with_the_scores_of_their_records(found, inspected):
    scores = [system.mean("AP").mean() for system in found.compared.systems]
    assert scores == sorted(scores, reverse=True)
    for system in found.compared.systems:
        records = RunFolder(inspected[system.method]).read_records()
        (own,) = [one for one in records if one.label == found.compared.label]
        assert system.mean("AP").mean() == pytest.approx(own.metrics["mAP"])
        assert system.distances and system.cameras is not None
    assert list(found.table["metric"]) == ["mAP", "R1", "mINP"]


def test_films_show_the_ranking_that_was_scored_without_junk(found):
    for film in found.compared.films:
        for system, one in zip(found.compared.systems, film.shown, strict=True):
            assert one.method == system.method
            right = [strip.rank for strip in one.strips if strip.kind == "right"]
            assert right[0] == one.first and "junk" not in {s.kind for s in one.strips}


def test_lengths_are_those_of_the_queries(found, people):
    folders = [len(list(folder.iterdir())) for folder in (people / "query").glob("*/*")]
    assert sorted(found.compared.frames) == sorted(folders)


def test_without_the_data_the_numbers_are_still_compared_and_a_note_says_what_lacks(inspected):
    bare = zoo.compare(inspected["sta"], inspected["stenvan"])
    assert bare.compared.films == () and bare.compared.frames is None
    assert "name the folder of folder with --data-root" in bare.compared.notes[0]


def test_vectors_that_have_gone_are_noted(inspected, people, tmp_path):
    for method in ("sta", "stenvan"):
        shutil.copytree(inspected[method], tmp_path / "runs" / inspected[method].name)
    for path in tmp_path.glob("runs/sta-*/embeddings-*"):
        path.unlink()
    bare = compare(tmp_path, data_root=people)
    assert any(
        note.startswith("no distances and no pairs of cameras of sta:")
        for note in bare.compared.notes
    )
    assert bare.compared.films == ()


def test_nothing_named_is_refused():
    with pytest.raises(ValueError, match="nothing to compare: name two runs or more"):
        compare()
