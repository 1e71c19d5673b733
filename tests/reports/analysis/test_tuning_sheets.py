import pytest

from reports.analysis.groups import groups
from reports.analysis.tuning_sheets import change_sheet, study_sheets
from reports.build import build
from reports.read.results import collect
from reports.read.studies import load


def cells(sheet, title):
    (column,) = [column for column in sheet.columns if column.title == title]
    return [cell.text for cell in column.cells]


def test_a_method_that_gained_over_three_points_was_not_served(fake, tmp_path):
    regrets, _ = study_sheets(load(fake.study(tmp_path)))
    assert cells(regrets, "Method") == ["nvan", "sta"]
    assert cells(regrets, "Regret") == ["+1.0", "+5.0"]
    assert cells(regrets, "Verdict") == ["", "not served by the shared recipe"]
    assert cells(regrets, "Trials") == ["2 complete", "2 complete, 1 diverged, 1 pruned"]
    assert cells(regrets, "Quartiles of trials (%)")[0] == "50.2 / 50.5 / 50.8"
    assert cells(regrets, "Hours") == ["0.1", "0.1"]


def test_a_chosen_value_at_the_border_of_its_range_is_marked(fake, tmp_path):
    _, settings = study_sheets(load(fake.study(tmp_path)))
    (lr,) = [column for column in settings.columns if column.title == "lr"]
    assert [(cell.text, cell.sign) for cell in lr.cells] == [("3e-05", "‡"), ("0.000316", "")]
    assert cells(settings, "margin") == ["0.3", "soft"]
    assert any(note.startswith("‡ at the border") for note in settings.notes)


def test_what_diverged_in_every_trial_is_said_to(fake, tmp_path):
    lost = {"number": 0, "state": "diverged", "values": {}, "validation_mAP": None}
    method = {"trials": [lost], "chosen": {}, "spent": {"trials": 1, "clips": 1, "hours": 0.0}}
    method |= {"default_validation_mAP": None, "chosen_validation_mAP": None}
    regrets, _ = study_sheets(load(fake.study(tmp_path, methods={"sta": method})))
    assert cells(regrets, "Verdict") == ["every trial diverged"]


@pytest.fixture
def tuned(empty, fake):
    for seed in range(2):
        fake.scored(empty, "sta", seed, [0.25, 0.5] * 10)
        tuning = {"recipe": "quick[lr=1]", "selection": "tuned: study one"}
        fake.scored(empty, "sta", seed, [0.5, 0.625] * 10, **tuning)
    fake.study(empty)
    return empty


def test_the_test_set_s_gain_stands_with_its_interval(tuned):
    tables = groups(collect([tuned]).frame, 300)
    sheet = change_sheet(tables[1], tables)
    assert cells(sheet, "Gain (points)") == ["+18.8"]
    assert cells(sheet, "Gain 95 %") == ["+18.8 to +18.8"]
    assert change_sheet(tables[0], tables) is None


def test_every_format_has_a_section_on_tuning_and_its_figure(tuned, tmp_path):
    report = build([tuned], tmp_path, ("md", "html", "tex"))
    texts = {path.suffix: path.read_text() for path in report.reports}
    assert all("not served by the shared recipe" in text for text in texts.values())
    assert all("on the test set" in text for text in texts.values())
    (picture,) = [p.name for p in report.written if p.parent.name == "studies"][:1]
    assert picture.startswith("one-")
    picture = f"studies/{picture}"
    assert f"]({picture})" in texts[".md"] and "## Tuning" in texts[".md"]
    assert picture.removesuffix(".png") in texts[".tex"]
    assert "data:image/webp" in texts[".html"].partition('id="tuning"')[2]


def test_a_study_alone_is_a_report(empty, fake, tmp_path):
    fake.study(empty)
    text = build([empty], tmp_path, ("md",)).path.read_text()
    assert "study one" in text and "## Results" not in text
