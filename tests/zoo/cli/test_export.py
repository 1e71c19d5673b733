"""``zoo export``."""

import json

from tests.zoo.shelf import NAME


def test_an_exported_file_is_compared_with_the_network(shelf, call, tmp_path):
    path = tmp_path / "sta.pt2"
    status, out, err = call("export", NAME, "--format", "torch", "-o", path, "--json")
    assert status == 0, err
    (row,) = json.loads(out)
    assert (row["file"], row["format"]) == (str(path), "torch") and path.is_file()
    assert row["relative"] < 1e-4


def test_an_unknown_format_is_one_line(shelf, call):
    status, _, err = call("export", NAME, "--format", "onx")
    assert status == 2 and "did you mean onnx" in err
