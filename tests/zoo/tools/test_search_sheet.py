"""The picture of what was found."""

import shutil


def test_a_tracklet_that_has_gone_cannot_be_drawn(features, own, people, tmp_path, call):
    shutil.rmtree(own / "flat")
    status, _, err = call(
        "search", people / "query", "--in", features, "--sheet", tmp_path / "s.png",
        "--workers", "0",
    )  # fmt: skip
    assert status == 1 and "is not there any more: it cannot be drawn" in err
