import os
import random

import pytest

from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.tabular import csv, natural

HEADER = "split,pid,camid,tracklet,path"
ROWS = [
    "train,alice,1,a,alice/1.jpg",
    "train,alice,1,a,alice/2.jpg",
    "train,alice,1,a,alice/10.jpg",
    "train,bob,2,a,bob/1.jpg",
    "query,carl,1,a,carl/1.jpg",
    "gallery,carl,2,b,carl/2.png",
    "gallery,-1,2,b,junk/1.jpg",
]


@pytest.fixture
def table(tmp_path, put_images):
    """``table(rows)`` writes a table and the images that its paths name, where these lie inside."""

    def make(rows, header=HEADER, **how):
        for row in ROWS:
            path = tmp_path / row.rpartition(",")[2]
            put_images(path.parent, [path.name])
        text = "\n".join([header, *rows]) + "\n"
        (tmp_path / "tracklets.csv").write_bytes(text.encode(how.get("encoding", "utf-8")))
        return tmp_path

    return make


def test_a_table_is_read(table, read):
    found = csv(table(ROWS))
    assert read(found.train) == [(1, 1, 3), (2, 2, 1)]
    assert read(found.test) == [(3, 1, 1), (-1, 2, 1), (3, 2, 1)]
    assert found.query == (0,)
    assert found.protocol == "open"


def test_the_root_may_be_the_table_itself(table):
    root = table(ROWS)
    other = root / "other.csv"
    (root / "tracklets.csv").rename(other)
    assert open_dataset("csv", other).train_pids == (1, 2)
    with pytest.raises(FileNotFoundError, match=r"tracklets\.csv is missing"):
        open_dataset("csv", root)


@pytest.mark.parametrize(
    "path",
    ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "C:\\x.jpg", "..\\x.jpg", "a\\..\\..\\x.jpg"],
)
def test_q43_a_path_cannot_lead_out_of_the_folder(table, path):
    with pytest.raises(ValueError, match=r"line 2: .* leads out of"):
        csv(table([f"train,a,1,a,{path}", *ROWS]))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("path", ["link.jpg", "linked/1.jpg", "linked"])
def test_q43_a_link_cannot_lead_out_of_the_folder(table, tmp_path_factory, put_images, path):
    outside = tmp_path_factory.mktemp("outside")
    put_images(outside, ["1.jpg"])
    root = table([f"train,a,1,a,{path}", *ROWS])
    (root / "link.jpg").symlink_to(outside / "1.jpg")
    (root / "linked").symlink_to(outside)
    with pytest.raises(ValueError, match=r"line 2: .* leads out of"):
        csv(root)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_q43_a_link_that_stays_inside_is_followed_and_a_loop_is_named(table):
    root = table(["train,a,1,a,link.jpg", *ROWS])
    (root / "link.jpg").symlink_to(root / "bob" / "1.jpg")
    csv(root)
    (root / "link.jpg").unlink()
    (root / "link.jpg").symlink_to(root / "link.jpg")
    with pytest.raises(OSError, match=r"link\.jpg"):
        csv(root)


def test_q44_a_table_without_cameras_needs_to_say_so_and_the_report_does(table):
    root = table(
        [f"{r.split(',')[0]},{','.join(r.split(',')[1:2] + r.split(',')[3:])}" for r in ROWS],
        header="split,pid,tracklet,path",
    )
    with pytest.raises(ValueError, match=r"if cameras are not known, say 'csv\[cameras=false\]'"):
        csv(root)
    found = open_dataset("csv[cameras=false]", root)
    assert found.cameras is False
    assert found.notes == ("cameras unknown: tracks of the query's own camera stay in the gallery",)
    assert {t.camid for t in found.test} == {0}


def test_q44_an_empty_camera_is_refused_by_its_line(table):
    with pytest.raises(ValueError, match=r"line 2: no camid; if cameras are not known"):
        csv(table(["train,a,,a,bob/1.jpg", *ROWS]))


def test_q44_an_image_of_query_and_gallery_would_be_its_own_match(table):
    with pytest.raises(ValueError, match=r"line 9: carl/1\.jpg is in line 6 already"):
        csv(table([*ROWS, "gallery,carl,1,z,carl/1.jpg"]))


def test_q45_rows_may_come_in_any_order(table):
    straight = csv(table(ROWS))
    mixed = list(ROWS)
    random.Random(1).shuffle(mixed)
    found = csv(table(mixed))
    assert (found.train, found.test, found.query) == (straight.train, straight.test, straight.query)


def test_q45_numbers_in_names_count_by_value(table):
    assert csv(table(ROWS)).train[0].frames == ("alice/1.jpg", "alice/2.jpg", "alice/10.jpg")
    assert sorted(["a10b2", "a9b10", "a9b9", "b", ""], key=natural) == [
        "",
        "a9b9",
        "a9b10",
        "a10b2",
        "b",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_q46_a_mark_at_the_beginning_and_windows_line_ends_do_no_harm(table, encoding):
    rows = [f"{row}\r" for row in ROWS]
    assert csv(table(rows, header=f"{HEADER}\r", encoding=encoding)).train_pids == (1, 2)


@pytest.mark.parametrize(
    "header", ["split;pid;camid;tracklet;path", "", "split,pid,camid,path", "a" * 200_000]
)
def test_q46_another_first_line_is_refused(table, header):
    with pytest.raises(ValueError, match=r"expected\s+split,pid,camid|is no CSV table"):
        csv(table(ROWS, header=header))


def test_q46_another_encoding_is_refused(table):
    with pytest.raises(ValueError, match="is no CSV table in UTF-8"):
        csv(table([*ROWS, "train,zoë,1,a,x.jpg"], encoding="latin-1"))


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("test,a,1,a,bob/1.jpg", "line 2: split is 'test', expected train, query, gallery"),
        ("train,,1,a,bob/1.jpg", "line 2: no pid"),
        ("train,a,1,,bob/1.jpg", "line 2: no tracklet"),
        ("train,a,1,a,", "line 2: no path"),
        ("train,a,1,a", "line 2: 4 cells, expected 5"),
        ("train,a,1,a,x.jpg,y", "line 2: 6 cells, expected 5"),
        ("train,a,1,a,gone.jpg", r"line 2: .*gone\.jpg is missing"),
        ("train,a,1,a,tracklets.csv", "line 2: .* neither a folder nor a"),
        ("train,a,1,a,.", "line 2: .* leads out"),
        ('train,a,1,"a,bob/1.jpg', "is no CSV table"),
        ("train,a,1,a,bob/1.jpg\0", "line 2: .* leads out|is no CSV table"),
    ],
)
def test_q47_a_row_that_does_not_fit_is_named(table, row, line):
    with pytest.raises((ValueError, FileNotFoundError), match=line) as caught:
        csv(table([row, *ROWS]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("split", ["query", "gallery"])
def test_a_table_without_queries_or_gallery_is_refused(table, split):
    with pytest.raises(ValueError, match=f"no row says split '{split}'"):
        csv(table([row for row in ROWS if not row.startswith(split)]))


def test_a_folder_stands_for_all_its_images(table, put_images):
    root = table(["train,dora,1,a,dora", *ROWS])
    put_images(root / "dora", ["2.jpg", "1.png", "10.jpg"])
    (root / "dora" / "._1.jpg").write_bytes(b"x")
    assert csv(root).train[-1].frames == ("dora/1.png", "dora/2.jpg", "dora/10.jpg")


def test_the_fingerprint_sees_the_table_and_sizes(table):
    root = table(ROWS)
    before = csv(root).fingerprint
    (root / "bob" / "1.jpg").write_bytes(b"longer")
    assert csv(root).fingerprint != before


@pytest.fixture
def elsewhere(tmp_path_factory, put_images):
    folder = tmp_path_factory.mktemp("elsewhere")
    put_images(folder, ["1.jpg", "2.jpg"])
    return folder


def test_absolute_paths_are_taken_where_the_user_says_so(table, elsewhere):
    root = table([f"train,dora,1,a,{elsewhere}", f"train,emil,1,a,{elsewhere}/../x.jpg", *ROWS])
    with pytest.raises(ValueError, match=r"leads out of .*csv\[absolute=true\]"):
        open_dataset("csv", root)
    with pytest.raises(FileNotFoundError, match=r"line 3: .*x\.jpg is missing"):
        open_dataset("csv[absolute=true]", root)
    root = table([f"train,dora,1,a,{elsewhere}", *ROWS])
    found = open_dataset("csv[absolute=true,name=airport]", root)
    assert found.name == "csv[absolute=true,name=airport]"
    dora = [t for t in found.train if len(t) == 2]
    assert [dora[0].path(0), dora[0].path(1)] == [f"{elsewhere}/1.jpg", f"{elsewhere}/2.jpg"]


def test_relative_paths_stay_in_the_folder_even_so(table):
    with pytest.raises(ValueError, match="leads out of"):
        open_dataset("csv[absolute=true]", table(["train,a,1,a,../x.jpg", *ROWS]))


def test_a_table_s_name_is_checked_as_a_folder_s(table):
    with pytest.raises(ValueError, match="csv: name is"):
        open_dataset("csv[name=a b]", table(ROWS))
