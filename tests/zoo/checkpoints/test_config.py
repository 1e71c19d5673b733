"""Settings: the environment before the configuration file."""

from pathlib import Path

import pytest

from zoo.checkpoints.config import Settings, read_settings


def test_the_environment_comes_before_the_configuration_file(monkeypatch, tmp_path):
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text('[checkpoints]\nmirrors = ["https://a", "/b"]\noffline = true\ncache = "/c"\n')
    monkeypatch.delenv("ZOO_CACHE")
    assert read_settings() == Settings(
        cache=Path("/c/checkpoints"), mirrors=("https://a", "/b"), offline=True, tables=()
    )
    monkeypatch.setenv("ZOO_MIRRORS", "https://m, origin ,/n")
    monkeypatch.setenv("ZOO_OFFLINE", "0")
    monkeypatch.setenv("ZOO_CACHE", "/d")
    found = read_settings()
    assert found.mirrors == ("https://m", "origin", "/n") and not found.offline
    assert found.cache == Path("/d/checkpoints") and read_settings(offline=True).offline


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[checkpoints", "is no TOML"),
        ("checkpoints = 1", "must be a section"),
        ("[checkpoints]\nmirror = []", "unknown setting 'mirror'"),
        ("[checkpoints]\nmirrors = 'x'", "expected a list of strings"),
        ("[checkpoints]\nmirrors = [1]", "expected a list of strings"),
        ("[checkpoints]\noffline = 'yes'", "expected true or false"),
    ],
)
def test_a_wrong_configuration_names_the_file(tmp_path, text, says):
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        read_settings()
    assert str(path) in str(error.value)


def test_a_switch_that_is_neither_on_nor_off_is_named(monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "maybe")
    with pytest.raises(ValueError, match="ZOO_OFFLINE is 'maybe'"):
        read_settings()
