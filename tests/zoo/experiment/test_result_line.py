"""What a run came to, in one line."""

import re

from tests.zoo.conftest import ask
from zoo.experiment.engines.job import Outcome
from zoo.experiment.execute import execute
from zoo.experiment.plan import plan
from zoo.experiment.result_line import first_record, result_line

DONE = Outcome(number=0, seconds=252)


def planned(people, out, **changes):
    found = plan(ask(people, out, **changes))
    return found, found.runs[0]


def test_scores_and_time_stand_beside_the_name(people, tmp_path):
    whole, run = planned(people, tmp_path, changes={"epochs": 0})
    execute(whole)
    line = result_line(run, DONE, tmp_path, reused=False)
    assert re.fullmatch(r"sta seed 0: mAP \d+\.\d R1 \d+\.\d, 4 min 12 s", line)
    assert result_line(run, DONE, tmp_path, reused=True).endswith(", reused")


def test_the_scores_are_those_under_the_first_protocol_without_re_ranking(people, tmp_path):
    asked = {"protocols": "mars-ap3d,open", "rerank": "kr(4,2,0.3)", "changes": {"epochs": 0}}
    whole, run = planned(people, tmp_path, **asked)
    execute(whole)
    assert first_record(run, tmp_path).label == "mars-ap3d@1/cos-bn/chunk-first4"


def test_a_failure_names_stage_time_and_reason(people, tmp_path):
    _, run = planned(people, tmp_path)
    failed = Outcome(number=0, stage="train", reason="the loss is NaN", seconds=3)
    line = result_line(run, failed, tmp_path, reused=False)
    assert line == "sta seed 0: failed at train after 3 s: the loss is NaN"


def test_a_run_that_is_only_trained_has_no_scores(people, tmp_path):
    _, run = planned(people, tmp_path, train_only=True)
    assert result_line(run, DONE, tmp_path, reused=False) == "sta seed 0: trained, 4 min 12 s"
