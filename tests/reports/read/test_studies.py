import json
import math

import pytest

from reports.read.results import collect
from reports.read.studies import load


def test_a_study_is_read_with_its_space_and_every_method(fake, tmp_path):
    study = load(fake.study(tmp_path))
    assert (study.name, study.space, dict(study.budget)) == ("one", "unified@1", {"trials": 4})
    assert [(p.name, p.kind) for p in study.parameters] == [("lr", "log"), ("margin", "choice")]
    assert math.isnan(study.parameters[1].low)
    nvan, sta = study.methods
    assert (nvan.method, sta.method, sta.chosen["margin"]) == ("nvan", "sta", "soft")
    assert [(t.state, t.validation_mAP) for t in sta.trials][2:] == [
        ("diverged", None),
        ("pruned", 0.20),
    ]
    assert sta.spent == {"trials": 4, "clips": 6400, "hours": 0.07}


BREAKS = {
    "not JSON": lambda data: "{",
    "a list": lambda data: "[]",
    "no space": lambda data: json.dumps({k: v for k, v in data.items() if k != "space"}),
    "an unknown kind": lambda data: json.dumps(data).replace('"choice"', '"grid"', 1),
    "an unknown state": lambda data: json.dumps(data).replace('"pruned"', '"lost"'),
    "a percentage": lambda data: json.dumps(data).replace("0.45", "45.0"),
    "a score in words": lambda data: json.dumps(data).replace("0.45", '"good"'),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_study_is_a_problem_of_one_line_and_the_rest_is_read(folder, fake, name):
    fake.study(folder, "good")
    path = fake.study(folder, "bad")
    path.write_text(BREAKS[name](json.loads(path.read_text())))
    results = collect([folder])
    assert [study.name for study in results.studies] == ["good"] and len(results.frame) == 15
    (problem,) = results.problems
    assert problem.startswith("results/tuning/bad.json: ") and "\n" not in problem


def test_the_same_study_in_two_folders_counts_once(fake, tmp_path):
    for name in "ab":
        (tmp_path / name / "runs").mkdir(parents=True)
        fake.study(tmp_path / name)
    assert len(collect([tmp_path / "a", tmp_path / "b"]).studies) == 1
