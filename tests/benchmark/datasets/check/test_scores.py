"""What of a copy changes scores is told with every record made on it."""

from benchmark.datasets.catalogue import find_kind, open_dataset
from benchmark.datasets.check.scores import CAUTION, cautions


def told(name, root):
    return cautions(find_kind(name.partition("[")[0]), open_dataset(name, root), root)


def test_a_whole_copy_has_no_cautions(mars_tree, duke_tree, prid_tree):
    assert told("mars", mars_tree) == ()
    assert told("duke_video", duke_tree()) == ()


def test_training_persons_among_the_queries_are_told_of_parts_too(tmp_path, put_images):
    for place in ("train/anna/1_a", "query/anna/1_b", "gallery/anna/2_a"):
        put_images(tmp_path / place, ["1.jpg"])
    (line,) = told("folder", tmp_path)
    assert line.startswith(f"{CAUTION}persons: the person of query ") and "\n" not in line
    dataset = open_dataset("folder", tmp_path)
    part = dataset.limited(2)
    assert cautions(find_kind("folder"), part, tmp_path) == (line,)


def test_missing_frames_are_told_once(duke_tree, put_images):
    root = duke_tree()
    folder = root / "train" / "0001" / "0002"
    names = [f"0001_C4_F{n:04}_X3048.jpg" for n in (1, 4, 9)]
    for image in folder.glob("*.jpg"):
        image.unlink()
    put_images(folder, names)
    (line,) = told("duke_video", root)
    assert line.startswith(f"{CAUTION}missing frames: ") and line.endswith("and 0 more like it")
