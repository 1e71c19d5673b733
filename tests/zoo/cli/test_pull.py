"""``zoo pull``, ``show`` and ``list checkpoints``."""

import json

import pytest

from tests.zoo.shelf import NAME


def test_a_checkpoint_is_listed_shown_and_pulled(shelf, call):
    status, out, _ = call("list", "checkpoints", "sta.folder*")
    assert status == 0 and out.splitlines()[1].split("\t")[:2] == [NAME, "sta"]
    status, out, _ = call("show", NAME, "--json")
    (told,) = json.loads(out)
    assert status == 0 and told["sha256"] == shelf.sha256 and told["licence"] == "Apache-2.0"
    status, out, _ = call("show", NAME)
    assert status == 0 and f"sha256\t{shelf.sha256}" in out
    status, out, _ = call("pull", NAME, "sta.folder*", "--offline")
    assert (status, out.strip()) == (0, str(shelf.packaged.resolve()))


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["pull", "sta.foldr-tiny"], 2, "did you mean sta.folder-tiny"),
        (["pull", "x*"], 2, "no checkpoint is called 'x*'"),
        (["show", "nothing"], 2, "no checkpoint, recipe or protocol is called 'nothing'"),
        (["verify", "nothing"], 2, "unknown checkpoint"),
        (["pull", "nvan.mars-released"], 1, "cannot be fetched automatically"),
        (["cache", "burn"], 2, "expected list or prune"),
        (["verify", NAME, "--dataset", "folder"], 2, "needs --data-root"),
    ],
)
def test_wrong_use_is_one_line(shelf, call, arguments, status, says):
    found, out, err = call(*arguments)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "") and len(lines) == 1 and says in lines[0], err
