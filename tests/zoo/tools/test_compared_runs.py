"""Which runs are compared, and which are refused."""

import json
import shutil

import pytest

from zoo.experiment.folder import RunFolder
from zoo.tools.compared_runs import choose_runs


@pytest.fixture
def copies(inspected, tmp_path):
    """Two of the runs in a result folder of their own, to be changed."""
    for method in ("sta", "stenvan"):
        source = inspected[method]
        kept = shutil.ignore_patterns("tensorboard", "*.safetensors", "*.pt")
        shutil.copytree(source, tmp_path / "results" / "runs" / source.name, ignore=kept)
    return tmp_path / "results"


def run_of(folder, method):
    return next(folder.glob(f"runs/{method}-*"))


def change(run, **fields):
    """Give a run another specification, and its records the same data."""
    path = run / "spec.json"
    spec = json.loads(path.read_text()) | fields
    path.write_text(json.dumps(spec))
    for path in run.glob("records/*.json"):
        told = {name: value for name, value in fields.items() if name in ("fingerprint", "dataset")}
        path.write_text(json.dumps(json.loads(path.read_text()) | told))


def test_a_result_folder_gives_its_methods_and_a_wildcard_some_of_them(inspected):
    results = inspected["sta"].parent.parent
    assert set(choose_runs([results]).systems) == set(inspected)
    assert set(choose_runs([results], "st*").systems) == {"sta", "stenvan"}
    with pytest.raises(LookupError, match="unknown method of these runs, 'stenvann': did you mean"):
        choose_runs([results], "stenvann,sta")


def test_the_label_is_one_that_all_runs_have(inspected):
    runs = [inspected["sta"], inspected["stenvan"]]
    assert choose_runs(runs).label.protocol == "mars-ap3d"
    assert choose_runs(runs, label="open").label.protocol == "open"
    with pytest.raises(LookupError, match="did you mean open"):
        choose_runs(runs, label="opne")


def test_runs_that_differ_in_the_seed_alone_are_one_system(copies):
    source = run_of(copies, "sta")
    shutil.copytree(source, copies / "runs" / "sta-again")
    change(copies / "runs" / "sta-again", seed=1)
    chosen = choose_runs([copies])
    assert {name: len(of_one) for name, of_one in chosen.systems.items()} == {
        "sta": 2,
        "stenvan": 1,
    }
    alone = choose_runs([source, copies / "runs" / "sta-again"])
    assert list(alone.systems) == ["sta (seed 0)", "sta (seed 1)"]


def test_other_data_are_refused_with_what_fits(copies):
    change(run_of(copies, "sta"), fingerprint="0123456789abcdef")
    with pytest.raises(ValueError, match="different data do not compare") as caught:
        choose_runs([copies])
    assert "0123456789abcdef): sta-" in str(caught.value) and "\n" not in str(caught.value)


def test_other_splits_are_refused_with_what_to_type(copies):
    change(run_of(copies, "sta"), split=3)
    with pytest.raises(ValueError, match=r"of splits 0, 3, .* --split 0"):
        choose_runs([copies])
    with pytest.raises(ValueError, match="no run of split 7: expected 0, 3"):
        choose_runs([copies], split=7)


def test_without_a_common_label_the_command_that_adds_one_is_told(copies):
    for path in run_of(copies, "stenvan").glob("records/open*"):
        path.unlink()
    for path in run_of(copies, "sta").glob("records/mars*"):
        path.unlink()
    with pytest.raises(ValueError, match="no result label is common to all") as caught:
        choose_runs([copies])
    assert "--protocol open --distance cos-bn --frames chunk-first4` adds" in str(caught.value)


def test_one_run_alone_or_an_unfinished_one_is_refused(copies):
    run = run_of(copies, "sta")
    with pytest.raises(ValueError, match="two runs or more, there is one alone: sta-"):
        choose_runs([run, run])
    shutil.rmtree(RunFolder(run).records)
    with pytest.raises(FileNotFoundError, match="the run is not finished"):
        choose_runs([run])
    shutil.rmtree(RunFolder(run_of(copies, "stenvan")).records)
    with pytest.raises(FileNotFoundError, match="has no finished run"):
        choose_runs([copies])
