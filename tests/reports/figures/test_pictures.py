import re

import pytest

from reports.analysis.convergence import with_verdicts
from reports.analysis.groups import groups
from reports.figures.pictures import GENERATED, all_figures
from reports.read.results import collect


def figures(folder):
    """File name and caption of every figure, with what draws it."""
    results = with_verdicts(collect([folder]))
    made = all_figures(results, groups(results.frame, 100))
    return {picture.file: (picture, draw) for picture, draw in made}


def kinds(folder):
    """The folder of what several tables share, or the name of a table's own figure."""
    shared = ("published", "trends", "studies")
    parts = [name.removesuffix(".png").split("/") for name in figures(folder)]
    return [table if table in shared else name for table, name in parts]


def test_a_group_has_a_trade_off_for_each_cost_and_a_cmc_and_a_recipe_one_training(empty, fake):
    for method in ("nvan", "sta"):
        fake.write(empty, fake.record(method))
    assert kinds(empty) == [
        "map-gmacs", "map-latency", "map-memory", "cmc", *["published"] * 4, "training"
    ]  # fmt: skip


def test_every_name_of_a_figure_is_one_that_an_outdated_report_is_cleared_of(folder):
    for name, (picture, _) in figures(folder).items():
        assert GENERATED.fullmatch(name) and picture.file == name
    for name in ("my-own.png", "cmc-copy.png", "mine/cmc.png", "published/mine.png"):
        assert not GENERATED.fullmatch(name)


def test_names_are_short_and_a_table_s_figures_lie_in_one_folder(folder):
    of_tables: dict = {}
    for name, (picture, _) in figures(folder).items():
        assert len(name) <= 75 and re.fullmatch(r"[\w.+-]+/[\w.+-]+\.png", name)
        if picture.section == "results":
            of_tables.setdefault(picture.of, set()).add(name.split("/")[0])
    assert len(of_tables) == 2 and all(len(folders) == 1 for folders in of_tables.values())
    assert len(set.union(*of_tables.values())) == 2


def test_two_labels_never_share_a_figure(folder):
    found = [p for p, _ in figures(folder).values() if p.section == "results"]
    assert {picture.of.label for picture in found} == {
        "mars-official@1/cos-bn/chunk-first8",
        "mars-torchreid@1/cos-bn/chunk-first8",
    }
    assert len({picture.file for picture in found}) == len(found) == 8


def test_what_did_not_converge_is_explained_below_the_figure_and_marked_in_it(empty, fake):
    fake.write(empty, fake.record("nvan"))
    run = fake.write(empty, fake.record("sta"))
    (run / "log.jsonl").write_text('{"epoch": 1, "loss": 3.0, "accuracy": 0.2}\n')
    found = figures(empty)
    for name, (picture, draw) in found.items():
        if picture.section == "results":
            assert "†: not converged." in picture.caption
        if name.endswith(("training.png", "cmc.png")):
            (legend,) = draw().legends
            assert [text.get_text() for text in legend.get_texts()] == ["nvan", "sta †"]


@pytest.mark.parametrize("keep", [1, 2])
def test_intervals_are_announced_only_where_they_are_drawn(empty, fake, keep):
    if keep == 1:
        fake.write(empty, fake.record("sta"))
    else:
        fake.scored(empty, "sta", 0, [0.25, 0.75, 0.75, 0.75] * 10)
    (caption,) = [p.caption for p, _ in figures(empty).values() if p.file.endswith("/cmc.png")]
    assert ("Whiskers: 95 % intervals." in caption) == (keep == 2)


def test_titles_say_the_level_of_comparison(empty, fake):
    fake.write(empty, fake.record("sta", recipe="quick[lr=0.1]", selection="tuned: one"))
    (draw,) = [draw for p, draw in figures(empty).values() if p.file.endswith("/cmc.png")]
    assert "tuned for each method, from quick" in draw().get_suptitle().replace("\n", " ")
