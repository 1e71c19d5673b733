"""Packing a data set, and reading every kind from its pack."""

import errno
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.clips import frame_rule
from benchmark.datasets import pack_files, packing
from benchmark.datasets.catalogue import find_kind, open_dataset
from benchmark.datasets.check.examine import examine
from benchmark.datasets.check.image_integrity import broken_among
from benchmark.datasets.check.unlisted_files import unlisted_files
from benchmark.datasets.packing import pack
from benchmark.samplers import EvaluationClips, batches
from tests.conftest import draw_person


@pytest.fixture
def csv_tree(tmp_path, put_images):
    home = tmp_path / "table"
    put_images(home / "bob", ["1.jpg", "10.jpg", "9.jpg"])
    put_images(home, ["a.png", "q.jpg"])
    rows = "train,a,1,x,a.png", "query,b,1,x,q.jpg", "gallery,b,2,x,bob"
    (home / "own.csv").write_text("\n".join(("split,pid,camid,tracklet,path", *rows)))
    return home / "own.csv"


@pytest.fixture
def roots(mars_tree, duke_tree, ilids_tree, prid_tree, lsvid_tree, csv_tree, people):
    """Where a copy of every kind lies."""
    return {
        "mars": mars_tree,
        "duke_video": duke_tree(nested="DukeMTMC-VideoReID"),
        "ilids_vid[split=3]": ilids_tree(),
        "prid2011": prid_tree(),
        "lsvid": lsvid_tree(nested="LS-VID"),
        "folder": people,
        "csv": csv_tree,
    }


def packed(text, root, tmp_path, **how):
    out = tmp_path / "packs" / f"{text}.pack"
    pack(text, root, out, **how)
    return out


def relative(dataset, home):
    def below(tracklets):
        return [replace(t, folder=os.path.relpath(t.folder, home)) for t in tracklets]

    return replace(dataset, train=below(dataset.train), test=below(dataset.test))


def pixels(dataset, workers=0):
    clips = EvaluationClips(dataset.test, frame_rule("even4"), 16, 8)
    loader = batches(clips, [[i] for i in range(len(clips))], workers)
    return torch.cat([clip for clip, _ in loader])


def bench_copy(tmp_path, put):
    root = tmp_path / "d"
    for part, camera in (("train", 1), ("train", 2), ("query", 1), ("gallery", 2)):
        for person in ("a", "b"):
            put(root / part / person / f"{camera}_1", ["1.jpg", "2.jpg"])
    return root


@pytest.fixture
def small(tmp_path, put_images):
    """A folder data set of 16 images, named by their bytes."""
    root = bench_copy(tmp_path, put_images)
    for path in root.rglob("*.jpg"):  # equal bytes would hide a mix-up
        path.write_bytes(path.read_bytes() + str(path.relative_to(root)).encode())
    return root


@pytest.fixture
def several_files(monkeypatch):
    monkeypatch.setattr(packing, "FILE_BYTES", 3000)
    monkeypatch.setattr(pack_files, "BATCH_BYTES", 1200)


# ---- reading -------------------------------------------------------------------------------------


KINDS = ("mars", "duke_video", "ilids_vid[split=3]", "prid2011", "lsvid", "folder", "csv")


@pytest.mark.parametrize("text", KINDS)
def test_a_pack_is_the_same_data_set_bit_for_bit(text, roots, tmp_path, several_files):
    root = roots[text]
    out = packed(text, root, tmp_path)
    loose = open_dataset(text, root)
    home = root if root.is_dir() else root.parent
    for trust in (True, False):
        found = open_dataset(text, out, trust_index=trust)
        assert relative(found, out) == relative(loose, home)
    assert found.fingerprint == loose.fingerprint
    assert torch.equal(pixels(found), pixels(loose))
    kind = find_kind(found.name.partition("[")[0])
    assert list(unlisted_files(kind, found)) == list(unlisted_files(kind, loose)) == []


@pytest.mark.parametrize("text", KINDS)
def test_a_pack_is_checked_as_its_folder_is(text, roots, tmp_path):
    root = roots[text]
    assert examine(text, packed(text, root, tmp_path)) == examine(text, root)


def test_other_knobs_than_those_packed_are_read_from_the_same_pack(prid_tree, tmp_path):
    root = prid_tree()
    out = packed("prid2011", root, tmp_path)
    for split in (0, 4):
        text = f"prid2011[split={split}]"
        found, loose = open_dataset(text, out), open_dataset(text, root)
        assert relative(found, out) == relative(loose, root)


def test_loader_processes_that_were_forked_read_the_same(small, tmp_path):
    dataset = open_dataset("folder", packed("folder", small, tmp_path))
    here = pixels(dataset)
    assert torch.equal(pixels(dataset, workers=2), here)


def test_processes_that_start_anew_read_the_same(small, tmp_path):
    out = packed("folder", small, tmp_path)
    names = sorted(str(path.relative_to(small)) for path in small.rglob("*.jpg"))
    with get_context("spawn").Pool(1) as pool:
        (found,) = pool.map(partial(broken_among, deep=True), [[str(out / name) for name in names]])
    assert found == []


def test_tracklets_of_a_pack_travel_as_text(small, tmp_path):
    dataset = open_dataset("folder", packed("folder", small, tmp_path))
    assert pickle.loads(pickle.dumps(dataset)) == dataset
    assert type(dataset.test[0].folder) is str


def test_packs_beside_each_other_are_joined_by_their_names(mars_tree, ilids_tree, tmp_path):
    for text, root in (("mars", mars_tree), ("ilids_vid", ilids_tree())):
        pack(text, root, tmp_path / "all" / f"{text}.pack")
    found = open_dataset("mars+ilids_vid", tmp_path / "all")
    loose = {"mars": mars_tree, "ilids_vid": tmp_path / "ilids"}
    assert found.fingerprint == open_dataset("mars+ilids_vid", loose).fingerprint


def test_no_entry_is_listed_where_the_pack_brought_its_index(small, tmp_path, monkeypatch):
    out = packed("folder", small, tmp_path)
    found = open_dataset("folder", out)
    monkeypatch.setattr("benchmark.datasets.folder.folder", None)
    monkeypatch.setattr("benchmark.datasets.pack.Pack.children", None)
    assert open_dataset("folder", out) == found


def test_a_pack_may_be_moved(small, tmp_path):
    out = packed("folder", small, tmp_path)
    before = pixels(open_dataset("folder", out))
    moved = out.rename(tmp_path / "elsewhere.pack")
    assert torch.equal(pixels(open_dataset("folder", moved)), before)


def test_an_index_that_leads_out_of_the_pack_is_refused(small, tmp_path):
    out = packed("folder", small, tmp_path)
    dataset = open_dataset("folder", out)
    stray = replace(dataset, train=(replace(dataset.train[0], folder="/etc"),))
    packing.index.keep_in_pack(packing.data_root(out), "folder", stray)
    with pytest.raises(ValueError, match="leads out of"):
        open_dataset("folder", out)


def test_another_pack_under_the_same_name_is_seen(small, tmp_path):
    out = packed("folder", small, tmp_path)
    first = pixels(open_dataset("folder", out))
    out.rename(tmp_path / "old.pack")
    for i, path in enumerate(sorted(small.rglob("*.jpg"))):
        draw_person(path, [9 * i, 0, 0], [0, 9 * i, 0], 1, np.random.default_rng(i))
    packed("folder", small, tmp_path)
    assert not torch.equal(pixels(open_dataset("folder", out)), first)


# ---- what is packed ------------------------------------------------------------------------------


def test_hidden_files_archives_and_packs_are_left_out_and_links_are_followed(
    small, tmp_path, monkeypatch, recorder
):
    monkeypatch.setattr(pack_files, "LARGEST_OTHER", 100)
    (small / "all.zip").write_bytes(b"z" * 101)
    (small / "notes.txt").write_bytes(b"n" * 100)
    (small / ".DS_Store").write_bytes(b"x")
    (small / "old.pack").mkdir()
    (small / "old.pack" / "pack.json").write_text("{}")
    (small / "train" / "a").rename(tmp_path / "a")
    (small / "train" / "a").symlink_to(tmp_path / "a")
    (small / "again").symlink_to(small)
    notes = []
    recorder.note = notes.append
    entries = pack_files.entries_below(small, recorder)
    names = [entry.name.decode() for entry in entries]
    loose = {str(p.relative_to(small)) for p in small.rglob("*.jpg")}
    linked = {f"train/a/{camera}_1/{image}.jpg" for camera in (1, 2) for image in (1, 2)}
    assert set(names) == loose | {"notes.txt"} | linked
    assert names == sorted(names)
    assert notes == [f"{small / 'all.zip'} is left out: neither an image nor a table"]


def test_a_folder_with_the_name_of_a_pack_that_is_none_is_read_as_a_folder(small, tmp_path):
    plain = small.rename(tmp_path / "mine.pack")
    assert len(open_dataset("folder", plain).test) == 4


@pytest.mark.parametrize(
    ("text", "out", "words"),
    [
        ("folder", "folder.lmdb", "must end in .pack"),
        ("folder:2persons", "a.pack", "pack each whole one alone"),
        ("folder+csv", "a.pack", "pack each whole one alone"),
    ],
)
def test_wrong_use_is_refused(small, tmp_path, text, out, words):
    with pytest.raises(ValueError, match=words):
        pack(text, small, tmp_path / out)


def test_a_pack_is_not_packed_again(small, tmp_path):
    out = packed("folder", small, tmp_path)
    with pytest.raises(ValueError, match="is a pack already"):
        pack("folder", out, tmp_path / "again.pack")


def test_a_renamed_pack_says_how_packs_are_called(small, tmp_path):
    out = packed("folder", small, tmp_path).rename(tmp_path / "mars")
    with pytest.raises(ValueError, match=r"is a pack: let its name end in \.pack"):
        open_dataset("folder", out)


# ---- interruption, full disks, changes -----------------------------------------------------------


def test_packing_goes_on_after_a_kill_and_gives_the_same_bytes(
    small, tmp_path, several_files, monkeypatch
):
    whole = packed("folder", small, tmp_path)
    killed = tmp_path / "killed.pack"
    code = f"""
import os, sys
from pathlib import Path
from benchmark.datasets import packing, pack_files
packing.FILE_BYTES, pack_files.BATCH_BYTES = 3000, 1200
class Killer:
    begin = note = lambda *_: None
    def advance(self, what, done, total):
        if what == "packing files" and done > 8: os._exit(9)
packing.pack("folder", Path({str(small)!r}), Path({str(killed)!r}), progress=Killer())
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert not killed.exists()
    (part,) = tmp_path.glob(".killed.*")
    kept = {path.name: path.stat().st_mtime_ns for path in part.glob("files-*.arrow")}
    assert kept and list(part.glob(".files-*"))
    pack("folder", small, killed)
    assert not part.exists()
    files = sorted(path.name for path in whole.iterdir())
    assert sorted(path.name for path in killed.iterdir()) == files
    for name in files:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert all((killed / name).stat().st_mtime_ns == when for name, when in kept.items())


def test_a_file_that_changed_after_the_interruption_is_packed_anew(
    small, tmp_path, several_files, monkeypatch
):
    out = tmp_path / "d.pack"
    with monkeypatch.context() as patch:
        patch.setattr(packing, "_settle", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pack("folder", small, out)
    victim = small / "query" / "a" / "1_1" / "1.jpg"
    data = victim.read_bytes()
    victim.write_bytes(data[:-1] + b"!")  # as long as before
    pack("folder", small, out)
    assert packing.data_root(out).joinpath("query/a/1_1/1.jpg").read_bytes() == data[:-1] + b"!"


@pytest.mark.parametrize(
    "message", [OSError(errno.ENOSPC, "x"), OSError("No space left on device")]
)
def test_a_full_disk_is_one_clear_line_and_leaves_no_pack(small, tmp_path, monkeypatch, message):
    def full(*_):
        raise message

    out = tmp_path / "d.pack"
    with monkeypatch.context() as patch:
        patch.setattr(pack_files, "_verify", full)
        with pytest.raises(OSError, match=r"the disk is full, .* make room and type the same"):
            pack("folder", small, out)
    assert not out.exists()
    pack("folder", small, out)
    assert open_dataset("folder", out).fingerprint == open_dataset("folder", small).fingerprint


def test_too_little_room_is_told_before_anything_is_written(small, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"needs [\d,]+ MB more, 0 MB are free .* make room"):
        pack("folder", small, tmp_path / "d.pack")
    assert not list(tmp_path.rglob("*.arrow"))


def test_a_file_that_changes_while_it_is_packed_is_named(small, tmp_path, monkeypatch):
    real = packing.entries_below

    def changed(*how):
        found = real(*how)
        (small / "query" / "a" / "1_1" / "1.jpg").write_bytes(b"longer" * 1000)
        return found

    monkeypatch.setattr(packing, "entries_below", changed)
    with pytest.raises(OSError, match=r"query/a/1_1/1\.jpg has changed while it was packed"):
        pack("folder", small, tmp_path / "d.pack")


def test_bytes_that_the_disk_does_not_give_back_are_noticed(small, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.datasets.pack.Batch.read", lambda batch, row: b"other")
    with pytest.raises(OSError, match="cannot be read back"):
        pack("folder", small, tmp_path / "d.pack")
    assert not (tmp_path / "d.pack").exists()


def test_packing_the_same_again_does_nothing_and_another_set_is_refused(small, tmp_path, recorder):
    out = packed("folder", small, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    notes = []
    recorder.note = notes.append
    pack("folder", small, out, progress=recorder)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert notes == [f"{out} holds folder already"]
    (small / "query" / "a" / "1_1" / "3.jpg").write_bytes(b"one more")
    with pytest.raises(FileExistsError, match="holds something else: delete it"):
        pack("folder", small, out)


def test_two_processes_do_not_pack_into_one_place(small, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LOCK_TIMEOUT_S", 0)
    part = tmp_path / ".d.unfinished.pack"
    part.mkdir()
    with (
        packing.FileLock(part / ".lock"),
        pytest.raises(OSError, match="another process is packing"),
    ):
        pack("folder", small, tmp_path / "d.pack")


def test_progress_counts_the_files(small, tmp_path, recorder, several_files):
    packed("folder", small, tmp_path, progress=recorder)
    steps = [(done, total) for what, done, total in recorder.steps if what == "packing files"]
    assert steps == sorted(steps) and steps[-1] == (16, 16)


def test_without_pyarrow_one_line_says_what_to_install(small, tmp_path, monkeypatch):
    out = packed("folder", small, tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = "packs need pyarrow; type .* -m pip install pyarrow$"
    with pytest.raises(RuntimeError, match=words):
        pack("folder", small, tmp_path / "b.pack")
    with pytest.raises(RuntimeError, match=words):
        open_dataset("folder", out)
    assert not list(Path(tmp_path).glob(".b*"))
