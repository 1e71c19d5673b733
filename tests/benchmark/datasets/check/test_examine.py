import shutil

import numpy as np
import pytest
import scipy.io

from benchmark.datasets.catalogue import DATASETS
from benchmark.datasets.check import examine as module
from benchmark.datasets.check.examine import examine, verdict
from benchmark.datasets.duke_video import DUKE_VIDEO
from benchmark.datasets.mars import MARS


def check(name, root, *, deep=False, **how):
    """Whether a copy is right, what differs or is wrong, and the verdict in words."""
    findings = examine(name, root, deep=deep, **how)
    right = not any(f.verdict == "wrong" for f in findings)
    return right, [str(f) for f in findings], verdict(name, findings, deep=deep)


def wrong(name, root, **how):
    """The first thing wrong, in words."""
    findings = examine(name, root, **how)
    assert any(f.verdict == "wrong" for f in findings)
    return verdict(name, findings, deep=False)


def test_a_whole_copy_is_right(mars_tree, duke_tree, ilids_tree, prid_tree):
    copies = {
        "mars": mars_tree,
        "duke_video": duke_tree(),
        "ilids_vid": ilids_tree(),
        "prid2011": prid_tree(),
    }
    for name, root in copies.items():
        right, findings, words = check(name, root, deep=True)
        assert right, findings
        assert words.startswith(f"{name} is right, but not the official set (train persons: ")
        assert words.endswith("every image was decoded")


def test_counts_stand_beside_the_published_ones(mars_tree):
    found = {f.check: (f.found, f.expected) for f in examine("mars", mars_tree)}
    assert found["train persons"] == (2, 625)
    assert found["test tracklets"] == (6, 12_180)
    assert found["test frames"] == (16, 681_089)
    assert found["junk tracklets"] == (1, 870)
    assert found["distractor tracklets"] == (1, 3_248)
    assert found["cameras"] == (3, 6)
    assert found["unlisted files"] == (0, 0)


def test_wrong_use_is_no_verdict_on_the_data(mars_tree):
    with pytest.raises(LookupError, match="did you mean mars"):
        examine("marz", mars_tree)
    with pytest.raises(LookupError, match="unknown setting of mars"):
        examine("mars[split=1]", mars_tree)


@pytest.mark.parametrize("name", [kind.name for kind in DATASETS if not kind.self_made])
def test_an_empty_folder_is_wrong_and_the_layout_is_offered(tmp_path, name):
    right, _, words = check(name, tmp_path)
    assert not right
    assert words.startswith(f"{name} is wrong: opening: {tmp_path}")
    assert words.endswith(f"`zoo data layout {name}` shows what is expected")


def test_a_root_that_does_not_exist_is_wrong(tmp_path):
    right, _, words = check("mars", tmp_path / "gone")
    assert not right
    assert "gone is no folder" in words


def test_q6_unlisted_files_are_named(mars_tree):
    person = mars_tree / "bbox_test" / "0002"
    for name in ("._0002C1T0003F001.jpg", "Thumbs.db"):
        (person / name).write_bytes(b"x")
    right, findings, words = check("mars", mars_tree)
    assert not right
    assert "._0002C1T0003F001.jpg is no image; delete it" in words
    assert "(1 more below)" in words
    assert any("Thumbs.db is no image" in line for line in findings)


def test_q6_what_is_wrong_everywhere_is_counted(mars_tree):
    for number in range(module.SHOWN + 3):
        (mars_tree / "bbox_train" / "0001" / f"note{number:02}.txt").write_bytes(b"x")
    last = [f for f in examine("mars", mars_tree) if "unlisted" in f.check][-1]
    assert (last.check, last.found, last.verdict) == ("further unlisted files", 3, "wrong")


@pytest.mark.parametrize(
    ("part", "name", "words"),
    [
        (
            "bbox_train/0001",
            "0001C1T0001F002.jpg",
            "2 images, expected 3: F002.jpg is missing (row 1 of",
        ),
        (
            "bbox_test/0005",
            "0005C1T0005F002.jpg",
            "1 images, expected 2: F002.jpg is missing (row 5 of",
        ),
        (
            "bbox_test/0005",
            "0005C2T0006F001.jpg",
            "1 images, expected 2: F001.jpg is missing (row 6 of",
        ),
    ],
)
def test_q7_a_missing_image_is_named_although_there_is_no_list(mars_tree, part, name, words):
    (mars_tree / part / name).unlink()
    assert words in wrong("mars", mars_tree)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("0002C1T0003F003.jpg", "3 images, expected 2: F003.jpg is too many (row 3 of"),
        (
            "0002C2T0003F001.jpg",
            "expected person 2, camera 3 here: a tracklet is missing or one too",
        ),
        ("0006C1T0001F001.jpg", "a tracklet that no row of the table lists"),
    ],
)
def test_q7_an_image_too_many_is_named_although_there_is_no_list(
    mars_tree, put_images, name, words
):
    put_images(mars_tree / "bbox_test" / name[:4], [name])
    assert words in wrong("mars", mars_tree)


def test_q7_a_tracklet_that_is_gone_altogether_is_named(mars_tree):
    shutil.rmtree(mars_tree / "bbox_test" / "0005")
    assert "the tracklet of person 5, camera 1 has no images" in wrong("mars", mars_tree)


def test_q9_a_recut_is_refused_by_name(tmp_path):
    (tmp_path / "query_split" / "0999" / "0001").mkdir(parents=True)
    assert "a re-cut of MARS with other persons" in wrong("mars", tmp_path)


def test_q10_tables_that_were_saved_again_are_wrong_only_in_what_claims_to_be_mars(
    mars_tree, monkeypatch
):
    tables = [f for f in examine("mars", mars_tree) if f.check.startswith("sha256")]
    assert [f.verdict for f in tables] == ["differs"] * 3
    hashes = {f.check.split()[-1]: f.found for f in tables}
    for file, digest in {**hashes, "query_IDX.mat": "0" * 64}.items():
        monkeypatch.setitem(MARS.reference_sha256, file, digest)
    words = wrong("mars", mars_tree)
    assert "sha256 of query_IDX.mat" in words
    assert "get it from the archive again" in words


def test_q12_an_image_in_another_persons_folder_is_missed_where_it_belongs(mars_tree):
    image = mars_tree / "bbox_test" / "0002" / "0002C3T0004F004.jpg"
    image.rename(mars_tree / "bbox_test" / "0005" / image.name)
    assert "0002C3T0004: 4 images, expected 5: F004.jpg is missing" in wrong("mars", mars_tree)


def test_a_query_that_nobody_matches_is_wrong(mars_tree):
    shutil.rmtree(mars_tree / "bbox_test" / "0005")
    rows = [(1, 2, -1, 1), (3, 5, 0, 2), (6, 7, 2, 1), (8, 12, 2, 3)]
    for file, name, table in (
        ("tracks_test_info", "track_test_info", np.array(rows, np.int32)),
        ("query_IDX", "query_IDX", np.array([[2, 3]], np.uint16)),
    ):
        scipy.io.savemat(mars_tree / "info" / f"{file}.mat", {name: table})
    assert "0000C2T0002F001.jpg is junk or a distractor" in wrong("mars", mars_tree)
    query = {"query_IDX": np.array([[3]], np.uint16)}
    scipy.io.savemat(mars_tree / "info" / "query_IDX.mat", query)
    shutil.rmtree(mars_tree / "bbox_test" / "0002")
    (mars_tree / "bbox_test" / "0002").mkdir()
    for frame in (1, 2):
        shutil.copy(
            mars_tree / "bbox_train" / "0001" / "0001C1T0001F001.jpg",
            mars_tree / "bbox_test" / "0002" / f"0002C1T0003F{frame:03}.jpg",
        )
    table = {"track_test_info": np.array(rows[:3], np.int32)}
    scipy.io.savemat(mars_tree / "info" / "tracks_test_info.mat", table)
    words = wrong("mars", mars_tree)
    assert "queries without a match in another camera: " in words
    assert "mars-official does not allow that" in words


def test_a_query_person_that_was_trained_on_is_wrong(tmp_path, put_images):
    for path in ("train/anna/1_a", "query/anna/1_b", "gallery/anna/2_a"):
        put_images(tmp_path / path, ["1.jpg"])
    assert "is among the training persons" in wrong("folder", tmp_path)


def test_q23_a_frame_number_that_is_jumped_over_is_a_missing_frame(duke_tree, put_images):
    root = duke_tree()
    folder = root / "train" / "0001" / "0002"
    put_images(folder, ["0001_C4_F0004_X3048.jpg", "0001_C4_F0005_X3060.jpg"])
    assert not [f for f in examine("duke_video", root) if f.verdict == "wrong"]
    (folder / "0001_C4_F0004_X3048.jpg").unlink()
    words = wrong("duke_video", root)
    assert "missing frame: " in words
    assert "0001_C4_F0005_X3060.jpg is there, the frame before it is not" in words


def test_q24_an_unlisted_file_among_the_queries_is_found_too(duke_tree):
    root = duke_tree()
    (root / "query" / "0002" / "0001" / ".DS_Store").write_bytes(b"x")
    assert ".DS_Store is no image" in wrong("duke_video", root)


def test_q35_persons_of_one_camera_are_not_unlisted(prid_tree):
    assert not [f for f in examine("prid2011", prid_tree()) if f.verdict == "wrong"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: b"", "is empty; get it from the archive again"),
        (lambda data: data[: len(data) // 2], "cannot be decoded"),
        (lambda data: b"not an image", "cannot be decoded"),
    ],
)
def test_q48_a_broken_image_is_named(mars_tree, spoil, words):
    image = mars_tree / "bbox_test" / "0005" / "0005C1T0005F002.jpg"
    image.write_bytes(spoil(image.read_bytes()))
    right, _, line = check("mars", mars_tree)
    assert not right
    assert line.startswith(f"mars is wrong: broken image: {image} ")
    assert words in line


def test_q48_damage_that_only_decoding_shows_is_found_with_deep(ilids_tree):
    root = ilids_tree()
    image = next((root / "i-LIDS-VID" / "sequences" / "cam2" / "person004").iterdir())
    data = image.read_bytes()
    middle = data.index(b"IDAT") + 8
    image.write_bytes(data[:middle] + b"\xff" * 8 + data[middle + 8 :])
    assert check("ilids_vid", root)[0]
    assert not check("ilids_vid", root, deep=True, workers=2)[0]


def test_q49_what_nearly_is_the_official_set_is_wrong_where_it_is_not(duke_tree, monkeypatch):
    root = duke_tree()
    counts = {"train persons": 2, "train tracklets": 5, "query tracklets": 2, "test tracklets": 5}
    monkeypatch.setitem(DUKE_VIDEO.reference_counts, "duke_video", counts)
    words = wrong("duke_video", root)
    assert "train tracklets: 4, expected 5; some are missing: unpack the archives again" in words
    shutil.rmtree(root / "train" / "0001" / "0001")
    shutil.rmtree(root / "gallery" / "0009")
    monkeypatch.setitem(DUKE_VIDEO.reference_counts, "duke_video", {**counts, "train persons": 9})
    assert not [f for f in examine("duke_video", root) if f.verdict == "wrong"]


def test_q49_the_official_set_is_told(duke_tree, monkeypatch):
    root = duke_tree()
    counts = {"train persons": 2, "train tracklets": 4, "test tracklets": 5}
    monkeypatch.setitem(DUKE_VIDEO.reference_counts, "duke_video", counts)
    words = verdict("duke_video", examine("duke_video", root), deep=True)
    assert words == "duke_video is right, and the official set; every image was decoded"


def test_a_table_of_ones_own_is_checked_without_looking_for_unlisted_files(tmp_path, put_images):
    put_images(tmp_path, ["1.jpg", "2.jpg", "unused.jpg"])
    rows = ("split,pid,camid,tracklet,path", "query,a,1,x,1.jpg", "gallery,a,2,x,2.jpg")
    (tmp_path / "tracklets.csv").write_text("\n".join(rows))
    assert check("csv", tmp_path / "tracklets.csv")[0]
    (tmp_path / "2.jpg").write_bytes(b"")
    right, _, words = check("csv", tmp_path)
    assert not right
    assert "2.jpg is empty" in words


def test_a_plugins_function_is_checked_like_ours(mars_tree):
    def mine(root):
        """A data set of somebody else's."""
        return MARS.open(root)

    right, findings, words = check("mine", mars_tree, extra=(mine,))
    assert right
    assert "train persons: 2" in findings
    assert words == "mine is right; images were not decoded: --deep does that"


def test_an_index_is_never_trusted(mars_tree, monkeypatch):
    monkeypatch.setattr("benchmark.datasets.index.WORTH", 1)
    trusted = []
    monkeypatch.setattr(
        "benchmark.datasets.catalogue.indexed",
        lambda *_, trust: trusted.append(trust) or MARS.open(mars_tree),
    )
    examine("mars", mars_tree)
    assert trusted == [False]


@pytest.mark.parametrize("text", ["mars:2persons", "mars+ilids_vid"])
def test_only_one_whole_data_set_is_checked(mars_tree, text):
    with pytest.raises(ValueError, match=r"check a whole one, e\.g\. mars"):
        examine(text, mars_tree)
