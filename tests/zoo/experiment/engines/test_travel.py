"""Files of a job that is carried out where the result folder cannot be seen."""

import pytest

from zoo.experiment.engines import travel
from zoo.experiment.engines.desk import Attempt, Desk
from zoo.experiment.engines.travel import (
    Copy,
    found,
    remove_probe,
    scratch_folder,
    sees,
    write_probe,
)

PATTERNS = ["runs/a/**/*"]


class Home:
    """A desk without a process of its own; remembers the order of what came."""

    def __init__(self, out):
        self.desk, self.attempt, self.came = Desk(out), Attempt(0, 0), []
        self.desk.begin(self.attempt)

    def files(self, patterns):
        return self.desk.files(patterns)

    def store(self, name, data):
        self.came.append(name)
        self.desk.store(self.attempt, name, data)

    def remove(self, name):
        self.desk.remove(self.attempt, name)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home/runs/a").mkdir(parents=True)
    (tmp_path / "home/runs/b").mkdir()
    (tmp_path / "home/runs/a/log.jsonl").write_text("1\n")
    (tmp_path / "home/runs/b/log.jsonl").write_text("another run's\n")
    return Home(tmp_path / "home")


@pytest.fixture
def copy(home, tmp_path):
    made = Copy(tmp_path / "away", PATTERNS, home)
    made.fetch()
    return made


def write(copy, name, text):
    path = copy.root / "runs/a" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_job_finds_its_own_files_and_no_others(copy):
    assert found(copy.root, ["**/*"]) == ["runs/a/log.jsonl"]


def test_what_has_not_changed_is_not_sent(copy, home):
    copy.send()
    assert home.came == []


def test_a_checkpoint_is_sent_before_the_log_that_must_not_be_behind_it(copy, home):
    write(copy, "log.jsonl", "1\n2\n")
    write(copy, "checkpoint.pt", "weights")
    write(copy, "records/x.json", "{}")
    copy.send()
    assert home.came[0] == "runs/a/checkpoint.pt" and len(home.came) == 3
    assert home.files(PATTERNS)["runs/a/log.jsonl"] == b"1\n2\n"
    copy.send()
    assert len(home.came) == 3


def test_what_is_gone_is_gone_at_home_too(copy, home):
    write(copy, "preparation.pt", "half")
    copy.send()
    (copy.root / "runs/a/preparation.pt").unlink()
    copy.send()
    assert list(home.files(PATTERNS)) == ["runs/a/log.jsonl"]


def test_parts_and_locks_stay(copy, home):
    write(copy, ".weights.x.part.safetensors", "half a file")
    write(copy, "study.journal.lock", "")
    copy.send()
    assert home.came == []


def test_files_are_sent_every_few_minutes(copy, home, monkeypatch):
    write(copy, "checkpoint.pt", "weights")
    copy.send_if_due()
    assert home.came == []
    monkeypatch.setattr(travel, "EVERY_S", 0.0)
    copy.send_if_due()
    assert home.came == ["runs/a/checkpoint.pt"]


# ---- who sees what -------------------------------------------------------------------------------


def test_only_who_sees_the_very_folder_sees_it(tmp_path):
    (tmp_path / "other").mkdir()
    token = write_probe(tmp_path)
    assert sees(tmp_path, token)
    assert not sees(tmp_path / "other", token) and not sees(tmp_path / "gone", token)
    assert not sees(tmp_path, "another")
    remove_probe(tmp_path, token)
    assert not sees(tmp_path, token) and [p.name for p in tmp_path.iterdir()] == ["other"]


def test_what_a_killed_worker_left_is_swept_and_what_is_held_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(travel.tempfile, "gettempdir", lambda: str(tmp_path))
    with scratch_folder() as first:
        left = first.parent / "left"
        left.mkdir()
        (first.parent / "left.lock").write_text("")
        with scratch_folder() as second:
            assert first.is_dir() and second.is_dir() and not left.exists()
    assert not list(first.parent.iterdir())
