"""Tracklets of one's own as vectors, and the file that holds them."""

import numpy as np
import pytest

from tests.zoo.shelf import NAME, shelve, trained
from zoo.half_precision import to_half
from zoo.tools.features import load


def test_every_folder_of_images_is_a_tracklet(features, own, shelf):
    found = load(features)
    deep = [f"a b/deep/p{person}/c2_0" for person in (4, 5, 6)]
    assert found.tracklets == (*deep, "flat") and found.root == own.resolve()
    assert found.vectors.shape == (4, 1024) and found.vectors.dtype == np.float32
    assert found.frames.tolist() == [len(list((own / t).glob("*.jpg"))) for t in found.tracklets]
    assert found.about["sha256"] == shelf.sha256 and found.about["checkpoint"] == NAME


def test_the_file_holds_no_pickle(features):
    with np.load(features, allow_pickle=False) as file:
        assert set(file) == {"about", "root", "tracklets", "frames", "vectors"}
        assert all(file[name].dtype != object for name in file)


def test_a_file_with_a_pickle_in_it_is_refused(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return (print, ("executed!",))

    np.savez(tmp_path / "e.npz", about=np.array([Evil()], dtype=object))
    with pytest.raises(ValueError, match="is no file of `zoo embed`"):
        load(tmp_path / "e.npz")
    assert "executed!" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text"])
def test_what_is_no_file_of_features_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match="is no file of `zoo embed`"):
        load(tmp_path / "x.npz")


def test_features_of_other_weights_are_refused(features, tmp_path, monkeypatch, call, own):
    shelve(tmp_path / "home", state=to_half(trained(seed=1).state_dict())[0])
    status, _, err = call("search", own, "--in", features, "--workers", "0")
    assert status == 2 and "the features were made with sha256" in err


def test_a_broken_image_is_named(shelf, own, tmp_path, call):
    victim = next((own / "flat").glob("*.jpg"))
    victim.write_bytes(victim.read_bytes()[:100])
    status, _, err = call(
        "embed", own, "--checkpoint", NAME, "-o", tmp_path / "f.npz", "--workers", "0"
    )
    assert status == 1 and f"{own / 'flat'}" in err and "cannot be read as an image" in err
    assert not (tmp_path / "f.npz").exists()
