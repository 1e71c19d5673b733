"""What workers tell and send the driver."""

import pytest

from zoo.experiment.engines.desk import Attempt, Desk


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path)
    found.begin(Attempt(0, 1))
    return found


def test_events_are_taken_once_and_in_their_order(desk):
    desk.tell("start", Attempt(0, 1))
    desk.tell("advance", Attempt(0, 1), "train", 1, 2)
    assert [event[0] for event in desk.take()] == ["start", "advance"] and desk.take() == []


def test_a_file_is_kept_whole_and_found_again(desk, tmp_path):
    desk.store(Attempt(0, 1), "runs/a/log.jsonl", b"{}\n")
    assert desk.files(["runs/a/**/*"]) == {"runs/a/log.jsonl": b"{}\n"}
    desk.remove(Attempt(0, 1), "runs/a/log.jsonl")
    assert desk.files(["runs/a/**/*"]) == {} and not list(tmp_path.rglob("*.part*"))


def test_files_of_a_worker_that_was_thought_lost_do_not_count(desk, tmp_path):
    desk.store(Attempt(0, 0), "runs/a/checkpoint.pt", b"old")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "runs/../../x"])
def test_no_name_leads_out_of_the_result_folder(desk, name):
    with pytest.raises(ValueError, match="leads out of"):
        desk.store(Attempt(0, 1), name, b"")
