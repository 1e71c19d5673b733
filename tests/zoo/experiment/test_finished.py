"""A run's folder, read as what can be published."""

import dataclasses
import shutil

import pytest

from tests.zoo.conftest import PUBLISHED as NAME
from zoo.experiment.finished import check_name, find_run, finished


def test_a_run_that_is_not_what_it_says_is_refused(results, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(results, copy)
    data = (copy / "weights.safetensors").read_bytes()
    (copy / "weights.safetensors").write_bytes(data[:-1] + b"x")
    with pytest.raises(ValueError, match="has other weights than the run's records"):
        finished(copy)
    (copy / "run.json").unlink()
    with pytest.raises(FileNotFoundError, match="is no finished run"):
        finished(copy)


def test_a_result_folder_will_do_if_it_holds_one_run_of_the_method(results, tmp_path):
    assert find_run(results, NAME) == results == find_run(results.parent.parent, NAME)
    with pytest.raises(ValueError, match="must hold one run of nvan, there are: none"):
        find_run(results.parent.parent, "nvan.folder")
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        shutil.copy(results / "spec.json", tmp_path / "runs" / name)
    with pytest.raises(ValueError, match="there are: a, b; name it"):
        find_run(tmp_path, NAME)


def test_numbers_of_some_persons_only_are_not_published(results):
    run = dataclasses.replace(finished(results), dataset="folder:2persons")
    with pytest.raises(ValueError, match="not to be quoted"):
        check_name(NAME, run)
