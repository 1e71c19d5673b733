"""Does a run's folder agree with itself?"""

import json
import shutil

import pytest

from benchmark import record as records
from benchmark.files import write_json
from zoo.tools.check_run import Finding, check_run


def change(path, **fields):
    """Write fields anew in a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.fixture
def refusals(finished_run):
    """What is refused of the run, as lines."""

    def found():
        checked = check_run(finished_run.path, "run")
        return [str(one) for one in checked.findings if one.refused]

    return found


@pytest.fixture
def record_file(finished_run):
    (path,) = finished_run.records.glob("*.json")
    return path


def test_nothing_of_a_finished_run_is_refused_and_nothing_is_changed(finished_run, refusals):
    before = {p: p.read_bytes() for p in finished_run.path.rglob("*") if p.is_file()}
    assert refusals() == []
    assert before == {p: p.read_bytes() for p in finished_run.path.rglob("*") if p.is_file()}


def test_ranks_are_made_again_from_the_embeddings(finished_run):
    checked = check_run(finished_run.path, "run")
    assert list(checked.counts.values()) == [
        {
            "test persons": 3,
            "test tracklets": 6,
            "query persons": 3,
            "query tracklets": 3,
            "junk tracklets": 0,
            "distractor tracklets": 0,
        }
    ]
    for file in finished_run.all_embeddings():
        file.unlink()
    lines = [str(one) for one in check_run(finished_run.path, "run").findings]
    assert any("is not ranked again: its embeddings are not there" in line for line in lines)


def test_other_weights_are_refused_and_missing_ones_are_told(finished_run, refusals):
    told = json.loads((finished_run.path / "run.json").read_text())["weights"]
    finished_run.weights.write_bytes(b"other")
    (line,) = refusals()
    assert line.startswith("refused: run: the weights have different sha256: ")
    assert f"{told[:12]}… by run.json" in line
    finished_run.weights.unlink()
    assert refusals() == []
    lines = [str(one) for one in check_run(finished_run.path, "run").findings]
    assert "remark: run: weights.safetensors is not there: its sha256 is taken on trust" in lines


def test_a_record_of_other_weights_is_refused(record_file, refusals):
    change(record_file, checkpoint="0" * 64)
    lines = refusals()
    assert any("checkpoint is 000000000000…, which are not the run's weights" in x for x in lines)
    assert any("was made with weights" in line for line in lines)


def test_a_specification_that_was_changed_no_longer_fits_its_folder(finished_run, refusals):
    change(finished_run.path / "spec.json", seed=7)
    text = "\n".join(refusals())
    assert f"run: spec.json is that of {finished_run.spec().folder}: one of the two" in text
    assert f"not of {finished_run.spec().id}" in text
    assert "seed is 0, the specification says 7" in text


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"seed": 1}', '{"method": [], "settings": 3}', "\xff" * 9]
)
def test_a_specification_that_is_none_is_one_line(finished_run, refusals, content):
    (finished_run.path / "spec.json").write_text(content)
    (line,) = refusals()
    assert line.startswith("refused: run/spec.json: no specification of a run: ")
    (finished_run.path / "spec.json").unlink()
    assert len(refusals()) == 1


@pytest.mark.parametrize("field", ["split", "seed"])
@pytest.mark.parametrize("value", [-1, "0", True, 0.5])
def test_split_and_seed_of_a_specification_are_whole_numbers(finished_run, refusals, field, value):
    change(finished_run.path / "spec.json", **{field: value})
    (line,) = refusals()
    assert "expected whole numbers from 0" in line


@pytest.mark.parametrize("content", [None, "{", "{}", '{"id": "x", "spec": {}}'])
def test_a_run_without_its_summary_is_not_finished(finished_run, refusals, content):
    path = finished_run.path / "run.json"
    path.write_text(content) if content else path.unlink()
    (line,) = refusals()
    assert line.startswith("refused: run: run.json is that of no finished training: ")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("open@2/cos-bn/chunk-first4", "open@2: it is version 1 here"),
        ("opne@1/cos-bn/chunk-first4", "unknown protocol 'opne'"),
        ("open@1/cos-nb/chunk-first4", "unknown distance 'cos-nb'"),
        ("open@1/cos-bn/lastone4", "unknown frame rule 'lastone4'"),
        ("open@1/cos-bn/chunk-first4/kr(020,6,0.3)", "is written kr(20,6,0.3)"),
        ("open@1/cos-bn/chunk-first4/krx(20,6,0.3)", "krx(20,6,0.3)"),
    ],
)
def test_a_label_that_nobody_knows_is_refused(record_file, refusals, label, expected):
    change(record_file, label=label)
    assert any(expected in line for line in refusals())


def test_a_metric_that_was_raised_is_refused_twice(record_file, refusals):
    told = records.load(record_file)
    change(record_file, metrics=told.metrics | {"mAP": 0.999})
    by_table, by_ranks = refusals()
    assert "mAP is 99.90, by " in by_table and "mAP is 99.90, ranked from " in by_ranks


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"origin": "published"}, "origin is published: expected measured"),
        ({"run": "abc"}, "run is abc, the specification says "),
        ({"method": "nvan"}, "method is nvan, the specification says sta"),
        ({"dataset": "mars"}, "dataset is mars, the specification says folder"),
        ({"dataset": "folder:2persons"}, "is a part of a data set"),
        ({"dataset": "folder:held-out-0-of-5"}, "is a part of a data set"),
        ({"dataset": "folder[x"}, "folder[x is no name of a data set: "),
        ({"per_query": None}, "its per-query table is missing"),
        ({"per_query": "other.csv"}, "its per-query table is missing"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record_file, refusals, fields, expected):
    change(record_file, **fields)
    assert any(expected in line and record_file.name in line for line in refusals())


def test_a_test_set_that_stands_by_itself_may_be_shown(record_file, refusals):
    change(record_file, dataset="synthetic[occlusion=0.6]:test", fingerprint="f")
    assert refusals() == []


def test_a_record_under_another_label_s_name_is_refused(record_file, refusals):
    record_file.rename(record_file.with_name("open.json"))
    name = record_file.name
    assert f"refused: run/records/open.json: the file should be called {name}" in refusals()


def test_a_damaged_embedding_file_is_one_line_and_stays(finished_run, refusals):
    (file,) = finished_run.all_embeddings()
    file.write_bytes(b"damaged")
    (line,) = refusals()
    assert line.startswith(f"refused: run/{file.name}: ") and "is no embedding file" in line
    assert file.read_bytes() == b"damaged"


def test_scores_of_another_test_set_are_checked_by_its_own_embeddings(
    finished_run, record_file, refusals
):
    (own,) = finished_run.all_embeddings()
    shutil.copy(own, own.with_name(f"{own.stem}--other-12345678.safetensors"))
    data = json.loads(record_file.read_text()) | {"dataset": "csv", "fingerprint": "12345678"}
    write_json(record_file.with_name(f"{record_file.stem}--other-12345678.json"), data)
    assert refusals() == []  # another data set is no fault, and has no embeddings of its own


def test_what_a_reader_should_know_is_remarked_once(finished_run, record_file):
    change(record_file, commit="abc+changes", command=None)
    found = [str(one) for one in check_run(finished_run.path, "run").findings]
    assert found == [
        "remark: run: commit is abc+changes: the code that was run cannot be looked up",
        "remark: run: no command is told",
    ]


def test_a_method_that_is_not_ours_is_remarked(finished_run):
    change(finished_run.path / "spec.json", method="mine")
    found = [str(one) for one in check_run(finished_run.path, "run").findings]
    line = "remark: run: mine is no method of this version: its source goes with the records"
    assert line in found


def test_a_finding_says_whether_it_stands_in_the_way():
    assert str(Finding("a", "b")) == "refused: a: b"
    assert str(Finding("a", "b", refused=False)) == "remark: a: b"
    assert str(Finding("a is none", "")) == "refused: a is none"
