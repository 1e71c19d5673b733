import json
import shutil

import numpy as np
import pytest

from reports.read.results import collect


def test_every_record_below_the_folder_is_read(folder):
    results = collect([folder])
    assert len(results.frame) == 3 * 3 + 2 * 3
    assert results.frame["run"].nunique() == 9
    assert set(results.runs) == set(results.frame["run"])
    assert not results.problems and not results.failures and not results.unfinished


def test_the_same_record_in_two_folders_counts_once(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    results = collect([folder, tmp_path / "copy"])
    assert len(results.frame) == 15
    assert not results.problems


def test_two_folders_are_read_as_one(fake, tmp_path):
    fake.write(tmp_path / "a", fake.record("sta"))
    fake.write(tmp_path / "b", fake.record("nvan"))
    assert set(collect([tmp_path / "a", tmp_path / "b"]).frame["method"]) == {"sta", "nvan"}


def test_the_same_run_with_another_result_is_named_and_the_first_counts(fake, tmp_path):
    fake.write(tmp_path / "a", fake.record(score=0.7))
    fake.write(tmp_path / "b", fake.record(score=0.6))
    results = collect([tmp_path / "a", tmp_path / "b"])
    assert list(results.frame["mAP"]) == [0.7]
    (problem,) = results.problems
    assert problem.startswith("b/runs/sta-") and "differs" in problem


BREAKS = {
    "not JSON": lambda data: "{",
    "no object": lambda data: "[]",
    "another schema": lambda data: json.dumps(data | {"schema": 99}),
    "missing field": lambda data: json.dumps({k: v for k, v in data.items() if k != "gallery"}),
    "unknown field": lambda data: json.dumps(data | {"colour": "red"}),
    "metric above one": lambda data: json.dumps(data | {"metrics": {"mAP": 71.0}}),
    "metrics no dict": lambda data: json.dumps(data | {"metrics": None}),
    "seed a word": lambda data: json.dumps(data | {"seed": "three"}),
    "seed a bool": lambda data: json.dumps(data | {"seed": True}),
    "cost a word": lambda data: json.dumps(data | {"cost": {"gmacs": "many"}}),
    "left_out a list": lambda data: json.dumps(data | {"cost": {"left_out": ["add"]}}),
    "no label": lambda data: json.dumps(data | {"label": "mars/<img>"}),
    "cmc above one": lambda data: json.dumps(data | {"cmc": [88.0]}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_record_is_named_and_skipped(folder, fake, name):
    run = fake.write(folder, fake.record("broken"))
    (path,) = run.glob("records/*.json")
    path.write_text(BREAKS[name](json.loads(path.read_text())))
    results = collect([folder])
    assert len(results.frame) == 15
    (problem,) = results.problems
    assert f"results/runs/{run.name}/records/{path.name}" in problem
    assert str(folder) not in problem and "\n" not in problem


def test_a_file_that_is_still_being_written_is_no_problem(folder):
    (run, *_) = sorted((folder / "runs").iterdir())
    (run / "records" / ".mars.x1y2.part.json").write_text('{"run": ')
    assert not collect([folder]).problems


def test_a_failed_run_is_named_with_its_reason_on_one_line(folder, fake):
    fake.fail(folder)
    (failure,) = collect([folder]).failures
    assert failure.method == "sta[blocks=8]" and failure.run == "0123456789ab"
    assert failure.seed == "3" and failure.stage == "train"
    assert failure.reason == "the loss is not a number at step 12"


def test_a_failed_run_without_specification_goes_by_its_folder(folder, fake):
    (fake.fail(folder, "my-net-0123456789ab") / "spec.json").unlink()
    (failure,) = collect([folder]).failures
    assert (failure.method, failure.run, failure.seed) == ("my-net", "0123456789ab", "")


def test_a_run_with_nothing_in_it_is_named_as_unfinished(folder):
    (folder / "runs" / "sta-ffffffffffff").mkdir()
    assert collect([folder]).unfinished == ("runs/sta-ffffffffffff",)


def test_a_folder_that_holds_no_results_is_named(folder, tmp_path):
    results = collect([folder, tmp_path / "nothing"])
    assert len(results.frame) == 15
    assert results.problems == ("nothing: no result folder, it has no runs/",)


def test_a_broken_run_json_is_named_and_its_records_still_count(folder):
    (run, *_) = sorted((folder / "runs").iterdir())
    (run / "run.json").write_text("{")
    results = collect([folder])
    assert len(results.frame) == 15 and f"{run.name}/run.json" in results.problems[0]


def test_a_record_without_cost_takes_that_of_its_run(empty, fake):
    run = fake.write(empty, fake.record(cost=None))
    assert np.isnan(collect([empty]).frame["gmacs"].item())
    (run / "run.json").write_text(json.dumps({"cost": fake.cost}))
    assert collect([empty]).frame["gmacs"].item() == 17.78


def test_a_log_counts_the_last_word_on_an_epoch_and_no_half_line(empty, fake):
    record = fake.record()
    run = fake.write(empty, record, epochs=2)
    lines = [{"epoch": 3, "loss": 9.0}, {"epoch": 2, "loss": 7.5}]
    with (run / "log.jsonl").open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines) + '{"epoch": 4, "lo')
    log = collect([empty]).log(record.run)
    assert list(log["epoch"]) == [1, 2, 3]
    assert list(log["loss"]) == [5.0, 7.5, 9.0]


def test_a_run_without_log_has_an_empty_one(empty, fake):
    record = fake.record()
    (fake.write(empty, record) / "log.jsonl").unlink()
    results = collect([empty])
    assert len(results.log(record.run)) == 0 and len(results.log("no such run")) == 0
