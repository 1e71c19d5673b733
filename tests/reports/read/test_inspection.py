import json

import numpy as np
import pytest

from reports.read import inspection


def test_what_was_saved_is_read_again(inspected, tmp_path):
    path = inspection.save(inspected, tmp_path)
    again = inspection.load(path)
    assert path.name == "query-00012.json"
    assert [s.kind for s in again.strips] == ["query", "junk", "wrong", "right"]
    assert (again.ap, again.first, again.strips[3].rank) == (0.03125, 31.0, 31)
    for one, other in zip(inspected.strips, again.strips, strict=True):
        assert np.array_equal(one.frames, other.frames)
        assert list(one.attention) == list(other.attention)
        for name, array in one.attention.items():
            assert np.array_equal(array, other.attention[name])


def test_the_same_inspection_gives_the_same_bytes(inspected, tmp_path):
    files = [inspection.save(inspected, tmp_path / name).with_suffix(".npz") for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 9})),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "colour": 1})),
        lambda path: path.with_suffix(".npz").unlink(),
        lambda path: path.with_suffix(".npz").write_bytes(b"PK"),
    ],
    ids=["not JSON", "another schema", "unknown field", "no arrays", "broken arrays"],
)
def test_what_is_no_inspection_is_named_in_one_line(inspected, tmp_path, spoil):
    path = inspection.save(inspected, tmp_path)
    spoil(path)
    with pytest.raises(ValueError, match=r"query-00012\.json is no inspection") as caught:
        inspection.load(path)
    assert "\n" not in str(caught.value)
