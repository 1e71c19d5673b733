from benchmark.datasets.catalogue import find_kind, open_dataset
from benchmark.datasets.check.unlisted_files import unlisted_files


def unlisted(name, root):
    return list(unlisted_files(find_kind(name), open_dataset(name, root)))


def test_q6_whatever_is_no_image_of_a_tracklet_is_listed_in_order(mars_tree):
    person = mars_tree / "bbox_test" / "0002"
    for name in ("Thumbs.db", "._0002C1T0003F001.jpg", "note.jpg"):
        (person / name).write_bytes(b"x")
    (mars_tree / "bbox_test" / "readme.txt").write_bytes(b"x")
    (mars_tree / "info" / "note.txt").write_bytes(b"x")  # beside the images: nobody's business
    assert unlisted("mars", mars_tree) == [
        f"{mars_tree / 'bbox_test' / 'readme.txt'} is no image",
        f"{person / '._0002C1T0003F001.jpg'} is no image",
        f"{person / 'Thumbs.db'} is no image",
        f"{person / 'note.jpg'} belongs to no tracklet",
    ]


def test_a_clean_copy_has_none(mars_tree, duke_tree, ilids_tree, prid_tree):
    copies = {"mars": mars_tree, "duke_video": duke_tree(), "ilids_vid": ilids_tree()}
    for name, root in {**copies, "prid2011": prid_tree()}.items():
        assert unlisted(name, root) == []


def test_images_of_no_tracklet_are_fine_where_the_kind_says_so(prid_tree, ilids_tree, put_images):
    root = prid_tree()
    put_images(root / "multi_shot" / "cam_a" / "person_0300", ["0001.png"])
    (root / "multi_shot" / "cam_a" / "person_0300" / "x.txt").write_bytes(b"x")
    (found,) = unlisted("prid2011", root)
    assert found.endswith("x.txt is no image")
    root = ilids_tree()
    put_images(root / "i-LIDS-VID" / "sequences" / "cam1", ["cover.png"])
    (found,) = unlisted("ilids_vid", root)
    assert found.endswith("cover.png belongs to no tracklet")


def test_the_query_folder_of_duke_is_searched_too(duke_tree):
    root = duke_tree()
    (root / "query" / "0002" / ".DS_Store").write_bytes(b"x")
    (found,) = unlisted("duke_video", root)
    assert found.endswith(".DS_Store is no image")


def test_a_kind_that_cannot_say_where_its_images_lie_has_none(tmp_path, put_images):
    put_images(tmp_path, ["1.jpg", "2.jpg", "other.jpg"])
    rows = ("split,pid,camid,tracklet,path", "query,a,1,x,1.jpg", "gallery,a,2,x,2.jpg")
    (tmp_path / "tracklets.csv").write_text("\n".join(rows))
    assert unlisted("csv", tmp_path) == []
