"""Plugins to start from: each passes its own test by any name, and nothing is overwritten."""

import configparser
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from zoo.tools.new_plugin import NEXT, TEMPLATES, next_commands, write_plugin

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", NEXT)
def test_a_new_plugin_passes_its_own_test(tmp_path, kind):
    paths = write_plugin(kind, "quite_new", tmp_path / "a folder")
    assert [path.name for path in paths] == ["quite_new.py", "test_quite_new.py"]
    assert all(f"my_{kind}" not in path.read_text() for path in paths)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", paths[1].name],
        cwd=paths[1].parent,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", NEXT)
def test_a_file_that_is_there_stays_as_it_is(tmp_path, kind):
    (tmp_path / "test_mine_all.py").write_text("mine")
    with pytest.raises(FileExistsError, match=r"test_mine_all\.py is there already"):
        write_plugin(kind, "mine_all", tmp_path)
    assert (tmp_path / "test_mine_all.py").read_text() == "mine"
    assert not (tmp_path / "mine_all.py").exists()


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("metod", "mine", "unknown kind of plugin 'metod': did you mean method"),
        ("method", "my-method", "'my-method' is no name for a function"),
        ("method", "2d", "'2d' is no name"),
        ("method", "_mine", "a letter first"),
        ("method", "größe", "'größe' is no name"),
        ("method", "../mine", "'../mine' is no name"),
        ("method", "", "'' is no name"),
        ("method", "test_mine", "begins like a test's name"),
        ("method", "sta", "there is a method called 'sta' already"),
        ("dataset", "mars", "there is a dataset called 'mars' already"),
        ("recipe", "quick", "there is a recipe called 'quick' already"),
        ("method", "class", "'class' means something else in the file"),
        ("method", "json", "json.py would hide the Python module 'json'"),
        ("method", "nn", "'nn' means something else in the file"),
        ("dataset", "Tracklet", "'Tracklet' means something else"),
        ("method", "timm", "timm.py would hide the Python module 'timm'"),
    ],
)
def test_a_name_that_does_not_fit_is_one_line_and_writes_nothing(tmp_path, kind, name, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        write_plugin(kind, name, tmp_path / "sub")
    assert "\n" not in str(error.value) and not (tmp_path / "sub").exists()


def test_a_name_that_is_taken_by_one_kind_is_free_for_another(tmp_path):
    assert write_plugin("recipe", "sta", tmp_path)[0].is_file()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file is no folder: --into takes one"):
        write_plugin("method", "mine_all", tmp_path / "file")


def test_what_to_type_next_names_the_files_as_a_shell_takes_them():
    paths = [Path("a b/mine.py"), Path("a b/test_mine.py")]
    for kind in NEXT:
        first, *others = next_commands(kind, "mine", paths)
        assert first == "pytest 'a b/test_mine.py'" and others
        assert all("--plugin 'a b/mine.py'" in line and " mine" in line for line in others)


def test_templates_come_with_the_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["zoo"].split()
    files = [p for p in TEMPLATES.rglob("*.py") if "__pycache__" not in p.parts]
    assert len(files) == 2 * len(NEXT)
    for path in files:
        inside = path.relative_to(ROOT / "zoo").as_posix()
        assert any(fnmatch(inside, pattern) for pattern in patterns), path
