"""What a user added goes where the work is."""

import threading

import pytest

from zoo import plugins
from zoo.experiment.engines import luggage
from zoo.experiment.engines.luggage import Piece, pack, unpack

pytest.importorskip("ray", reason="the extra `ray` is not installed")


@pytest.fixture(autouse=True)
def nothing_added(monkeypatch):
    monkeypatch.setattr(plugins, "CALLS", {})
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})
    monkeypatch.setattr(luggage, "_UNPACKED", set())


def elsewhere(monkeypatch):
    """As in another process, which has nothing of it."""
    monkeypatch.setattr(plugins, "_ADDED", {"METHODS": {}, "DATASETS": {}})


def own_method(backbone="resnet50", num_classes=0, *, depth: int = 1):
    return depth + num_classes


def test_a_function_is_sent_by_value_and_registered_once(monkeypatch):
    plugins.register("method", own_method)
    pieces = pack()
    elsewhere(monkeypatch)
    unpack(pieces)
    (there,) = plugins.plugin_functions("METHODS", "zoo.methods")
    assert there is not own_method and there(num_classes=4) == 5
    unpack(pieces)
    assert plugins.plugin_functions("METHODS", "zoo.methods") == [there]


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_plugin_s_file_is_sent_with_its_source(tmp_path, monkeypatch, file_is_there):
    path = tmp_path / "mine.py"
    path.write_text("def sent(backbone='resnet50', num_classes=0): ...\nMETHODS = (sent,)\n")
    plugins.add_plugin(str(path))
    pieces = pack()
    if not file_is_there:
        path.unlink()
    elsewhere(monkeypatch)
    unpack(pieces)
    (there,) = plugins.plugin_functions("METHODS", "zoo.methods")
    assert there.__name__ == "sent" and (there.__code__.co_filename == str(path)) is file_is_there


def test_what_cannot_be_sent_is_refused_in_one_line():
    lock = threading.Lock()

    def holds_a_lock(backbone="resnet50", num_classes=0):
        return lock

    plugins.register("method", holds_a_lock)
    with pytest.raises(ValueError, match="'holds_a_lock' cannot be sent to workers") as error:
        pack()
    assert "--plugin" in str(error.value) and "\n" not in str(error.value)


def test_what_cannot_be_read_there_is_refused_in_one_line():
    with pytest.raises(ValueError, match="loss 'x' cannot be read there"):
        unpack((Piece(kind="loss", name="x", data=b"cnowhere\nat_all\n."),))
