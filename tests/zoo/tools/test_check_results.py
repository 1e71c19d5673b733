"""`zoo report --check`: may results be shown?"""

import dataclasses
import json
import shutil

import pytest

from benchmark import record as records
from benchmark.datasets.catalogue import DATASETS
from benchmark.files import write_json
from zoo.experiment.folder import RunFolder
from zoo.tools import check_results as module
from zoo.tools.check_results import check_results


@pytest.fixture
def folder(finished_run):
    return finished_run.path.parent.parent


@pytest.fixture
def again(finished_run):
    """Give the run another seed, split or data set: as a copy, or in its place."""

    def make(copy=True, **changes):
        spec = dataclasses.replace(finished_run.spec(), **changes)
        other = RunFolder.of(spec, finished_run.path.parent.parent)
        shutil.copytree(finished_run.path, other.path)
        write_json(other.path / "spec.json", spec.as_dict())
        summary = json.loads((other.path / "run.json").read_text())
        write_json(other.path / "run.json", summary | {"id": spec.id, "spec": spec.as_dict()})
        for path in other.records.glob("*.json"):
            told = records.load(path)
            own = {name: changes[name] for name in changes if hasattr(told, name)}
            records.save(dataclasses.replace(told, run=spec.id, **own), path)
        if not copy:
            shutil.rmtree(finished_run.path)
        return other

    return make


def refused(folder):
    return [str(one) for one in check_results([folder]).findings if one.refused]


def remarks(folder):
    return [str(one) for one in check_results([folder]).findings if not one.refused]


def test_one_seed_is_shown_and_said_to_be_one(folder):
    found = check_results([folder])
    assert not found.refused and (found.runs, found.records) == (1, 1)
    assert any("one seed: no spread can be told" in str(one) for one in found.findings)


def test_all_methods_of_a_table_need_the_same_seeds_from_zero(folder, again):
    again(seed=1)
    again(seed=1, method="sta_avg")
    (line,) = refused(folder)
    assert line.startswith("refused: sta_avg (quick[")
    assert "missing: seed 0; a table's runs share their seeds" in line
    again(seed=0, method="sta_avg")
    assert refused(folder) == [] and not any("one seed" in line for line in remarks(folder))


def test_seeds_may_lie_in_several_folders(folder, again, tmp_path):
    other = again(seed=1)
    elsewhere = tmp_path / "elsewhere" / "runs" / other.path.name
    elsewhere.parent.mkdir(parents=True)
    other.path.rename(elsewhere)
    assert "missing: seed 0" in refused(tmp_path / "elsewhere")[0]
    assert not check_results([folder, tmp_path / "elsewhere"]).refused


def test_recipes_are_tables_of_their_own(folder, again):
    again(recipe="paper/sta_avg", method="sta_avg")
    again(seed=1)
    assert refused(folder) == []


def test_a_published_split_that_is_missing_is_refused(folder, again):
    again(copy=False, dataset="ilids_vid", split=3)
    lines = refused(folder)
    missing = "missing: seed 0, split 1 seed 0, split 2 seed 0, split 4 seed 0, split 5 seed 0, …"
    assert any(f"{missing} (9);" in line for line in lines)


def test_data_with_published_splits_say_how_many():
    assert {kind.name: kind.splits for kind in DATASETS if kind.splits > 1} == {
        "ilids_vid": 10,
        "prid2011": 10,
    }


def test_counts_that_are_not_the_published_ones_are_refused(folder, again):
    again(copy=False, dataset="mars")
    lines = refused(folder)
    assert any("6 test tracklets, published are 12180" in line for line in lines)
    assert any("3 query tracklets, published are 1980" in line for line in lines)


def test_counts_that_nobody_measured_are_remarked(folder, again):
    again(copy=False, dataset="lsvid")
    assert refused(folder) == []
    assert any("3 query tracklets, published are 3504" in line for line in remarks(folder))


def test_queries_are_counted_without_embeddings_too(folder, again):
    run = again(copy=False, dataset="mars")
    for file in run.all_embeddings():
        file.unlink()
    (line,) = refused(folder)
    assert line.endswith("3 query tracklets, published are 1980")


def test_a_fingerprint_is_compared_with_those_known_here(folder, again):
    again(copy=False, dataset="synthetic")
    assert any("fingerprint of other files than those known here" in x for x in remarks(folder))
    known = {row.fingerprint for row in module.table().values() if row.dataset == "synthetic"}
    assert len(known) == 1


def test_a_data_set_that_nobody_knows_is_remarked(folder, again):
    again(copy=False, dataset="airport")
    assert any("no data set of this version" in line for line in remarks(folder))


def test_files_that_cannot_be_used_are_refused_by_their_names(folder, finished_run):
    (finished_run.records / "x.json").write_text("{")
    (line,) = refused(folder)
    assert line.startswith(f"refused: {folder.name}/runs/{finished_run.path.name}/records/x.json ")


def test_a_run_that_failed_and_one_that_stopped_are_refused(folder, finished_run):
    (finished_run.path / "failure.json").write_text('{"stage": "train", "reason": "NaN"}')
    (folder / "runs" / "nvan-0").mkdir()
    first, second = refused(folder)
    assert first.startswith("refused: runs/nvan-0: it has no record")
    assert "sta seed 0" in second and "train failed: NaN; type its command again" in second


def test_a_folder_without_runs_is_refused(tmp_path):
    (tmp_path / "empty" / "runs").mkdir(parents=True)
    assert refused(tmp_path / "empty") == [
        "refused: empty: no run with records: `zoo bench --out` fills a folder"
    ]


def test_the_hash_tells_when_a_record_or_its_table_was_changed(folder, finished_run):
    before = check_results([folder]).digest
    assert check_results([folder]).digest == before
    (table,) = finished_run.records.glob("*.csv")
    table.write_text(table.read_text() + "\n")
    assert check_results([folder]).digest != before


def test_the_last_line_counts(folder, finished_run):
    finished_run.weights.write_bytes(b"other")
    found = check_results([folder])
    counts = sum(one.refused for one in found.findings), len(found.findings)
    assert str(found) == (
        f"runs: 1, records: 1, hash: {found.digest}, refused: {counts[0]}, "
        f"remarks: {counts[1] - counts[0]}"
    )
