import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import (
    DATASETS,
    derive,
    find_kind,
    is_self_made,
    name_of_split,
    open_dataset,
    parse_name,
    resolve,
)
from benchmark.datasets.duke_video import DUKE_VIDEO
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.mars import SHA256, mars
from benchmark.datasets.prid2011 import SHARED

DOCS = Path(__file__).parents[3] / "docs" / "datasets.md"
NAMES = [kind.name for kind in DATASETS]


# ---- the data sets -------------------------------------------------------------------------------


def test_data_sets_go_by_the_names_of_their_functions():
    assert NAMES == [
        "mars",
        "duke_video",
        "ilids_vid",
        "prid2011",
        "lsvid",
        "folder",
        "csv",
        "synthetic",
    ]


@pytest.mark.parametrize("kind", DATASETS, ids=NAMES)
def test_every_data_set_has_a_layout_that_fits_a_terminal(kind):
    text = kind.layout.strip("\n")
    assert text.startswith("DIR/")
    assert max(map(len, text.partition("\n\n")[0].splitlines())) <= 100


def test_an_unknown_name_lists_near_misses():
    with pytest.raises(LookupError, match="unknown data set 'duke': did you mean duke_video"):
        find_kind("duke")


def test_q24_the_layout_of_duke_tells_of_the_withdrawal_and_no_address_is_given_anywhere():
    assert "withdrawn" in DUKE_VIDEO.layout
    assert not any(re.search(r"https?:|www\.", kind.layout) for kind in DATASETS)


def test_a_plugin_may_bring_a_function_or_a_kind(mars_tree):
    def mine(root, *, size: int = 2) -> Dataset:
        return mars(root)

    found = open_dataset("mine[size=3]", mars_tree, extra=(mine,))
    assert (found.name, len(found.train)) == ("mine[size=3]", 3)
    kind = DatasetKind(open=mine, layout="DIR/", self_made=True)
    assert find_kind("mine", (kind,)) is kind
    assert resolve("mine", None, (kind,))[0] is kind
    with pytest.raises(ValueError, match="data set 'mine' needs --data-root DIR"):
        resolve("mine", None, (mine,))


def test_a_plugin_cannot_take_a_name_of_ours(mars_tree):
    def mars(root):
        """Another one."""

    with pytest.raises(ValueError, match="two data sets are called 'mars'"):
        open_dataset("mars", mars_tree, extra=(mars,))


def test_progress_reaches_the_data_set(mars_tree, recorder):
    open_dataset("mars", mars_tree, progress=recorder)
    assert recorder.steps[0] == ("reading bbox_train", 1, 2)


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "mars",
        "mars:5persons",
        "prid2011[persons=200]:held-out-1-of-5-seed-3:4persons",
        "mars+ilids_vid[split=3]:held-out-0-of-5",
        "synthetic[occlusion=0.6,seed=3]",
    ],
)
def test_a_name_that_is_taken_apart_can_be_put_together_again(text):
    assert str(parse_name(text)) == text


def test_marks_inside_brackets_belong_to_the_knob():
    name = parse_name("a[x=b[y=1+2]:z,w=1+2]+c:5persons")
    assert [variant.name for variant in name.variants] == ["a", "c"]
    assert name.suffixes == ("5persons",)


@pytest.mark.parametrize("text", ["", ":5persons", "mars+", "+mars", "mars]", "a b"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ValueError, match="is not a name"):
        parse_name(text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["prid2011", "prid2011[persons=200]", "a[b=1]+c", "ilids_vid:5persons"]),
    split=st.integers(0, 9),
)
def test_the_name_of_a_split_names_that_split_and_nothing_else(name, split):
    found = parse_name(name_of_split(name, split))
    first, *others = found.variants
    arguments = dict(first.arguments)
    assert arguments.pop("split", 0) == split
    assert arguments == parse_name(name).variants[0].arguments
    assert (tuple(others), found.suffixes) == (parse_name(name).variants[1:], parse_name(name)[1])


def test_splits_of_a_data_set_share_its_name_and_fingerprint(ilids_tree):
    root = ilids_tree()
    first, third = open_dataset("ilids_vid", root), open_dataset("ilids_vid[split=3]", root)
    assert first.name == third.name == "ilids_vid"
    assert first.fingerprint == third.fingerprint
    assert (first.split, third.split) == (0, 3)


def test_a_split_of_a_data_set_with_knobs_is_opened_by_its_name(prid_tree):
    lengths = {letter: dict.fromkeys(range(1, SHARED + 1), 1) for letter in "ab"}
    root = prid_tree(lengths=lengths)
    third = open_dataset("prid2011[persons=200,split=3]", root)
    assert third.name == "prid2011[persons=200]"
    assert open_dataset(name_of_split(third.name, third.split), root) == third


@pytest.mark.parametrize("suffix", ["4persons", "held-out-0-of-2", "held-out-1-of-2-seed-3"])
def test_a_part_of_a_split_is_opened_by_its_name(ilids_tree, write_splits, suffix):
    root = ilids_tree(persons=tuple(range(1, 13)))
    rows = [np.roll(np.arange(1, 13), k) for k in range(10)]
    write_splits(root / "train-test people splits" / "train_test_splits_ilidsvid.mat", rows)
    found = derive(open_dataset("ilids_vid[split=3]", root), suffix)
    assert found.name == f"ilids_vid:{suffix}"
    assert open_dataset(name_of_split(found.name, found.split), root) == found


def test_a_suffix_that_names_no_part_is_refused(mars_tree):
    for suffix in ("persons", "held-out", "5people", ""):
        with pytest.raises(ValueError, match="expected a suffix like 5persons or held-out-0-of-5"):
            open_dataset(f"mars:{suffix}", mars_tree)


def test_only_what_is_rendered_here_is_self_made():
    assert is_self_made("synthetic[seed=3]:5persons")
    assert not is_self_made("synthetic+mars")
    assert not is_self_made("somebodys")


# ---- joined --------------------------------------------------------------------------------------


def test_joined_sets_are_found_below_one_root_or_each_at_its_own(mars_tree, ilids_tree, tmp_path):
    ilids = ilids_tree()
    each = {"mars": mars_tree, "ilids_vid": ilids}
    found = open_dataset("mars+ilids_vid[split=3]", each)
    assert found.name == "mars+ilids_vid[split=3]"
    assert found.test == open_dataset("mars", mars_tree).test
    assert len(found.train_pids) == 2 + 3
    ilids.rename(tmp_path / "ilids_vid")
    again = open_dataset(found.name, tmp_path)
    assert again.fingerprint == found.fingerprint
    assert open_dataset(f"{found.name}:2persons", tmp_path).train_pids == (1, 7)


def test_a_joined_set_without_a_root_is_named(mars_tree):
    with pytest.raises(ValueError, match="data set 'ilids_vid' needs --data-root"):
        open_dataset("mars+ilids_vid", {"mars": mars_tree})


# ---- what must not change ------------------------------------------------------------------------


def fixed(root):
    """The same tree with the same bytes everywhere: images of 1 to 7 bytes, tables without time."""
    images = (p for p in root.rglob("*") if p.suffix in (".jpg", ".png"))
    for number, path in enumerate(sorted(images)):
        path.write_bytes(b"x" * (number % 7 + 1))
    for path in root.rglob("*.mat"):
        path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + path.read_bytes()[116:])
    return root


def own_tree(root, put_images):
    for path in ("train/anna/1_a", "train/ben/2_a", "query/cleo/1_a", "gallery/cleo/2_b"):
        put_images(root / path, ["1.jpg", "2.png"])
    rows = ["train,anna,1,a,train/anna/1_a", "query,cleo,1,a,query/cleo/1_a/1.jpg"]
    rows += ["gallery,cleo,2,b,gallery/cleo/2_b", "train,ben,2,a,train/ben/2_a"]
    (root / "tracklets.csv").write_text("\n".join(["split,pid,camid,tracklet,path", *rows]))
    return root


def lsvid_tree(root, put_images):
    (root / "list_sequence").mkdir(parents=True)
    (root / "test" / "data").mkdir(parents=True)
    for part, prefixes in (
        ("train", ("0001_0001_03", "0002_0004_15")),
        ("test", ("0007_0001_01",)),
    ):
        for prefix in prefixes:
            put_images(
                root / f"tracklet_{part}" / prefix[:4], [f"{prefix}_{n}.jpg" for n in (0, 1)]
            )
        lines = [f"tracklet_{part}/{p[:4]}/{p} {int(p[:4])}\n" for p in prefixes]
        (root / "list_sequence" / f"list_seq_{part}.txt").write_text("".join(lines))
    scipy.io.savemat(root / "test" / "data" / "info_test.mat", {"query": np.array([[1.0]])})
    return root


def test_names_fingerprints_and_protocols_of_the_published_sets_stay_as_they_are(
    tmp_path, mars_tree, duke_tree, ilids_tree, prid_tree, put_images
):
    roots = {
        "mars": mars_tree,
        "duke_video": duke_tree(),
        "ilids_vid[split=3]": ilids_tree(),
        "prid2011": prid_tree(),
        "lsvid": lsvid_tree(tmp_path / "ls", put_images),
        "folder": own_tree(tmp_path / "own", put_images),
        "csv": own_tree(tmp_path / "own", put_images),
        "mars:2persons": mars_tree,
    }
    for root in dict.fromkeys(roots.values()):
        fixed(root)
    found = {}
    for name, root in roots.items():
        text, _, persons = name.partition(":")
        dataset = open_dataset(text, root)
        dataset = dataset.limited(int(persons[0])) if persons else dataset
        found[name] = (dataset.name, dataset.fingerprint, dataset.protocol, len(dataset.test))
    assert found == KNOWN


KNOWN = {
    "mars": ("mars", "7c15912e07e7822d", "mars-official", 6),
    "duke_video": ("duke_video", "f9f7afd3b65a3c5c", "duke-folders", 5),
    "ilids_vid[split=3]": ("ilids_vid", "aadb086cc6d317d5", "ilids-10", 6),
    "prid2011": ("prid2011", "3d474627ee029756", "prid178-10", 4),
    "lsvid": ("lsvid", "51d31e412429b3bb", "open", 1),
    "folder": ("folder", "bf8027669bdbb8ae", "open", 2),
    "csv": ("csv", "0e42c8401ad1ab77", "open", 2),
    "mars:2persons": ("mars:2persons", "75fe26f148c4b679", "mars-official", 4),
}


# ---- documentation -------------------------------------------------------------------------------


def test_every_data_set_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", DATASETS, ids=NAMES)
def test_documented_counts_are_those_that_are_checked(kind):
    text = DOCS.read_text(encoding="utf-8").replace(",", "")
    numbers = set(re.findall(r"\d+", text))
    counts = [n for reference in kind.reference_counts.values() for n in reference.values()]
    assert [n for n in counts if str(n) not in numbers] == []
    assert all(digest in text for digest in SHA256.values())


def test_every_quirk_is_numbered_once_and_has_a_test():
    rows = re.findall(r"^\| Q(\d+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [str(n) for n in range(1, len(rows) + 1)]
    tests = "".join(p.read_text(encoding="utf-8") for p in Path(__file__).parent.rglob("test_*.py"))
    tested = set(re.findall(r"def test_q(\d+)_", tests))
    assert set(rows) == tested
