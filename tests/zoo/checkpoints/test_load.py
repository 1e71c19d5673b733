"""The table of checkpoints, settings, loading, verifying and the cache."""

import dataclasses
import json
import logging
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from benchmark import files, record
from tests.zoo.checkpoints.test_convert import released
from tests.zoo.loopback import good
from tests.zoo.shelf import NAME, shelve, trained
from zoo.checkpoints.cache import Verified, Watch, _lock, kept, obtain
from zoo.checkpoints.config import Settings, settings
from zoo.checkpoints.load import open_checkpoint, read
from zoo.checkpoints.sources import Beside, Hub, Web, order, parse
from zoo.checkpoints.table import TABLE, find, read_table, row_text, split_name, table, write_table
from zoo.checkpoints.verify import verify
from zoo.half_precision import halved

# ---- the table -----------------------------------------------------------------------------------


def test_a_row_is_read_as_it_was_written(shelf):
    path = shelf.home / "checkpoints.toml"
    (row,) = read_table(path).values()
    assert row == dataclasses.replace(shelf, home=path.resolve().parent)
    before = path.read_bytes()
    write_table(path, read_table(path))
    assert path.read_bytes() == before


def test_texts_of_every_kind_survive(shelf, tmp_path):
    notes = ('"quoted"', "back\\slash", "new\nline", "тест 人", "tab\t", "[x]", "a = 1 # no")
    row = dataclasses.replace(shelf, notes=notes, how="'''")
    write_table(tmp_path / "t.toml", {row.name: row})
    assert read_table(tmp_path / "t.toml")[NAME].notes == notes


def test_rows_stand_in_alphabetical_order_below_the_comment(shelf):
    path = shelf.home / "checkpoints.toml"
    path.write_text("# about\n# this\n\n" + path.read_text())
    other = dataclasses.replace(shelf, name="sta.folder-a")
    write_table(path, {**read_table(path), other.name: other})
    text = path.read_text()
    assert text.startswith('# about\n# this\n\n["sta.folder-a"]\n')
    assert list(read_table(path)) == ["sta.folder-a", NAME]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sources = ", "source = ", "did you mean sources"),
        ("height = 64", 'height = "64"', "height is '64', expected int"),
        ("height = 64\n", "", "height missing"),
        ("licence = ", "# licence = ", "licence missing"),
        ('method = "sta"', 'method = "nvan"', "method is 'nvan', the name says 'sta'"),
        ('dataset = "folder"', 'dataset = "mars"', "dataset is 'mars', the name says 'folder'"),
        ('sha256 = "', 'sha256 = "x', "64 hexadecimal digits"),
        ("bytes = ", "bytes = -", "bytes must be the size"),
        ('["weights/', '["../weights/', "leads out of"),
        ('["weights/', '["/etc/', "leads out of"),
        ('["weights/', '["..\\\\', "leads out of"),
        ('["weights/', '["ftp://x/', "is no https:// address"),
        ('["weights/', '["hf://me/repo/', "is no hf://owner/repo/file@revision"),
        ('["weights/', '["hf://me/repo/../../../x@main", "', "leads out of"),
        ('golden = "', 'golden = "../', "leads out of"),
        ('["sta.folder-tiny"]', '["../x"]', "is no name of a checkpoint"),
        ('["sta.folder-tiny"]', '["sta.folder-../x"]', "is no name of a checkpoint"),
        ('["sta.folder-tiny"]', '["STA.folder"]', "is no name of a checkpoint"),
        ("mean = [", "mean = [[", "is no TOML"),
        ("mean = [0.485", 'mean = ["0.485"', "mean is"),
    ],
)
def test_a_wrong_row_is_named_with_table_and_field(shelf, old, new, says):
    path = shelf.home / "checkpoints.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError) as error:
        read_table(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_a_manual_row_needs_words_for_a_person(shelf):
    path = shelf.home / "checkpoints.toml"
    text = row_text(dataclasses.replace(shelf, sources=("manual",), bytes=None, sha256=None))
    path.write_text(text)
    with pytest.raises(ValueError, match="how is missing"):
        read_table(path)


@pytest.mark.parametrize(
    "name",
    ["", "sta", "sta.", ".folder", "a.b/c", "a.b-", "a.b-c.d", "a.b\n", "a" * 99 + ".b", "…"],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="no name of a checkpoint"):
        split_name(name)


def test_a_name_is_method_data_set_and_tag():
    assert split_name("resnet50_avg.mars-released") == ("resnet50_avg", "mars", "released")
    assert split_name("sta.synthetic") == ("sta", "synthetic", None)


def test_a_name_that_is_not_there_lists_near_misses(shelf):
    with pytest.raises(LookupError, match=r"did you mean sta\.folder-tiny"):
        find("sta.folder-tny")


def test_a_name_in_two_tables_is_refused(shelf, monkeypatch):
    path = str(shelf.home / "checkpoints.toml")
    monkeypatch.setenv("ZOO_CHECKPOINTS", f"{path}:{path}")
    with pytest.raises(ValueError, match=r"stands in .*, too"):
        table()


def test_scores_of_other_weights_are_refused(shelf, tmp_path):
    entry = record.Record(
        run="r", method="sta", recipe="quick", dataset="folder", fingerprint="f",
        label="open@1/cos-bn/chunk-first4", gallery=1, queries=1, dropped=0,
        metrics={"mAP": 1.0}, checkpoint="0" * 64,
    )  # fmt: skip
    record.save(entry, shelf.home / "weights" / "r.json")
    with pytest.raises(ValueError, match="measured with other weights"):
        dataclasses.replace(shelf, records=("weights/r.json",)).scores()


# ---- the shipped table ---------------------------------------------------------------------------


def test_the_released_weights_are_told_with_the_authors_scores():
    rows = read_table(TABLE)
    label = "mars-ste-nvan@1/cos-bn/chunk-first8"
    for name, expected in (
        ("resnet50_avg", (0.8742, 0.7944)),
        ("nvan", (0.9000, 0.8279)),
        ("stenvan", (0.8869, 0.8127)),
    ):
        row = rows[f"{name}.mars-released"]
        metrics = row.scores()[label].metrics
        assert row.manual and (metrics["R1"], metrics["mAP"]) == expected
        assert (
            row.method == zoo.checkpoints.convert.RELEASED[name]
            and "zoo convert released" in row.how
        )


def test_what_is_shipped_is_what_the_table_says():
    sizes = []
    for row in read_table(TABLE).values():
        row.scores()
        if row.packaged:
            assert files.sha256(row.packaged) == row.sha256 and row.golden and row.trained()
            assert row.packaged.stat().st_size == row.bytes <= 8e6
            sizes.append(row.bytes)
    assert sum(sizes) <= 25e6


@pytest.mark.parametrize(
    "name", [row.name for row in read_table(TABLE).values() if row.packaged] or [None]
)
def test_every_shipped_checkpoint_passes_its_own_checks(name):
    if name is not None:
        checks = verify(find(name), settings(offline=True), Watch())
        assert [check.result for check in checks] == ["PASS"] * 3 + ["not checked"], checks


# ---- settings and sources ------------------------------------------------------------------------


def test_the_environment_comes_before_the_configuration_file(monkeypatch, tmp_path):
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text('[checkpoints]\nmirrors = ["https://a", "/b"]\noffline = true\ncache = "/c"\n')
    monkeypatch.delenv("ZOO_CACHE")
    assert settings() == Settings(
        cache=Path("/c/checkpoints"), mirrors=("https://a", "/b"), offline=True, tables=()
    )
    monkeypatch.setenv("ZOO_MIRRORS", "https://m, origin ,/n")
    monkeypatch.setenv("ZOO_OFFLINE", "0")
    monkeypatch.setenv("ZOO_CACHE", "/d")
    found = settings()
    assert found.mirrors == ("https://m", "origin", "/n") and not found.offline
    assert found.cache == Path("/d/checkpoints") and settings(offline=True).offline


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[checkpoints", "is no TOML"),
        ("checkpoints = 1", "must be a section"),
        ("[checkpoints]\nmirror = []", "unknown setting 'mirror'"),
        ("[checkpoints]\nmirrors = 'x'", "expected a list of texts"),
        ("[checkpoints]\nmirrors = [1]", "expected a list of texts"),
        ("[checkpoints]\noffline = 'yes'", "expected true or false"),
    ],
)
def test_a_wrong_configuration_names_the_file(tmp_path, text, says):
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        settings()
    assert str(path) in str(error.value)


def test_a_switch_that_is_neither_on_nor_off_is_named(monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "maybe")
    with pytest.raises(ValueError, match="ZOO_OFFLINE is 'maybe'"):
        settings()


def test_sources_are_read(tmp_path):
    assert parse("weights/x.safetensors", tmp_path) == Beside(tmp_path / "weights/x.safetensors")
    assert parse("hf://me/r.x/a/b.st@v1", tmp_path) == Hub("me/r.x", "a/b.st", "v1")
    assert parse("https://x.org/f?t=1", tmp_path) == Web("https://x.org/f?t=1")


def test_mirrors_come_first_unless_the_origin_is_named(tmp_path):
    own = (Beside(tmp_path / "f"), Web("https://own/f"), Hub("me/r", "f", "v"))
    mirrors = ("https://m/zoo/", str(tmp_path / "shared"))
    first = [Beside(tmp_path / "f"), Web("https://m/zoo/f"), Beside(tmp_path / "shared" / "f")]
    assert order(own, mirrors, "f") == [*first, *own[1:]]
    found = order(own, ("origin", *mirrors), "f")
    assert found == [own[0], *own[1:], *first[1:]]
    with pytest.raises(ValueError, match="no https:// address"):
        order(own, ("ftp://m",), "f")


def test_a_mirror_is_asked_before_the_row_s_own_source(server, shelf, tmp_path):
    data = shelf.packaged.read_bytes()
    row = dataclasses.replace(shelf, sources=(server.at("/own", good(data)),))
    server.at(f"/zoo/{row.file}", good(data))
    mirrors = (f"http://127.0.0.1:{server.port}/zoo/",)
    where = dataclasses.replace(settings(), mirrors=mirrors)
    obtain(row, where)
    assert [path for _, path, _ in server.requests] == [f"/zoo/{row.file}"]


def test_a_mirror_that_is_a_folder_serves_without_a_network(shelf, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / shelf.file).write_bytes(shelf.packaged.read_bytes())
    row = dataclasses.replace(shelf, sources=("https://127.0.0.1:9/f",))
    where = dataclasses.replace(settings(offline=True), mirrors=(str(shared),))
    assert obtain(row, where).path == where.cache / row.file
    (shared / shelf.file).write_bytes(b"short")
    (where.cache / row.file).unlink()
    with pytest.raises(OSError, match=f"is no file of {row.bytes} bytes"):
        obtain(row, where)


# ---- loading -------------------------------------------------------------------------------------


def test_a_checkpoint_loads_by_name_in_evaluation_and_float32(shelf):
    model = zoo.load(NAME)
    assert not model.training and all(
        v.dtype in (torch.float32, torch.int64) for v in model.state_dict().values()
    )
    clips = torch.randn(2, 4, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = model(clips), trained()(clips)
    assert ours.logits is None
    assert (ours.embedding - theirs.embedding).norm() < 5e-3 * theirs.embedding.norm()


def test_half_precision_spares_the_statistics(shelf):
    kinds = {key: value.dtype for key, value in load_file(shelf.packaged).items()}
    assert kinds["frames.conv1.weight"] == torch.float16
    assert kinds["frames.bn1.running_var"] == kinds["frames.bn1.running_mean"] == torch.float32
    assert not any(key.startswith("classifier.") for key in kinds)


def test_what_float16_cannot_hold_stays_float32():
    found, dropped, kept_ = halved({"a": torch.tensor([1e6]), "b": torch.ones(1)})
    assert found["a"].dtype == torch.float32 and found["b"].dtype == torch.float16
    assert dropped == () and kept_ == ("a stays float32: float16 cannot hold it",)


def test_a_classifier_is_left_out_and_that_is_said(shelf, tmp_path, caplog):
    row = shelve(tmp_path / "b", state=trained().state_dict())
    with caplog.at_level(logging.INFO):
        loaded = open_checkpoint(row, settings())
    assert "the classifier of 5 persons" in loaded.dropped[0] and "left out" in caplog.text
    assert loaded.model.head.classifier is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("frames.conv1.weight"), "missing: frames.conv1.weight"),
        (lambda s: s.update(extra=torch.ones(1)), "unknown: extra"),
        (
            lambda s: s.update({"frames.bn1.bias": torch.ones(7)}),
            r"mis-shaped: frames.bn1.bias \[7\] instead of \[64\]",
        ),
        (
            lambda s: s.update({"frames.bn1.bias": torch.full((64,), torch.nan)}),
            "NaN or infinity in frames.bn1.bias",
        ),
    ],
)
def test_keys_and_shapes_fit_exactly_or_the_file_is_refused(tmp_path, change, says):
    state = halved(trained().state_dict())[0]
    change(state)
    row = shelve(tmp_path / "b", state=state, golden=None)
    with pytest.raises(ValueError, match=says):
        open_checkpoint(row, settings())
    checks = {check.name: check.result for check in verify(row, settings(), Watch())}
    assert checks["keys"] == "FAIL"


class Evil:
    def __reduce__(self):
        return (print, ("executed!",))


@pytest.mark.parametrize("content", ["pickle", "torch", "text", "empty", "header"])
def test_what_is_no_safetensors_is_refused_before_anything_runs(shelf, content, capsys, tmp_path):
    """Even where the table itself vouches for the file."""
    path = shelf.packaged
    if content == "torch":
        torch.save({"weights": Evil()}, path)
    else:
        data = {"pickle": pickle.dumps(Evil()), "text": b"<html>", "empty": b""}
        path.write_bytes(data.get(content, b"\xff" * 8 + b"{}"))
    row = dataclasses.replace(shelf, sha256=files.sha256(path), bytes=path.stat().st_size)
    with pytest.raises(ValueError, match="is refused: it is no safetensors file"):
        open_checkpoint(row, settings())
    assert "executed!" not in capsys.readouterr().out


def test_a_packaged_file_that_was_tampered_with_is_not_loaded(shelf, server, tmp_path):
    data = shelf.packaged.read_bytes()
    shelf.packaged.write_bytes(data[:-1] + b"x")
    with pytest.raises(OSError, match="cannot be had: no source is left to try"):
        zoo.load(NAME)
    row = dataclasses.replace(shelf, sources=(*shelf.sources, server.at("/f", good(data))))
    found = open_checkpoint(row, settings()).file
    assert found.path == settings().cache / row.file
    assert shelf.packaged.read_bytes() != data  # what was installed is not ours to change


def test_a_file_that_changes_between_hashing_and_reading_is_refused(shelf):
    with pytest.raises(OSError, match="changed while it was read"):
        read(Verified(shelf.packaged, "0" * 64), NAME)


def test_another_normalisation_is_refused(shelf):
    with pytest.raises(ValueError, match="wants clips normalised by"):
        open_checkpoint(dataclasses.replace(shelf, mean=(0.5, 0.5, 0.5)), settings())


# ---- files that a person converts ----------------------------------------------------------------


def by_hand(shelf):
    """The same checkpoint, as a file that a person converts; written as `zoo convert` does."""
    row = dataclasses.replace(
        shelf, sources=("manual",), sha256=None, bytes=None, how="zoo convert released --out {file}"
    )
    path = settings().cache / row.file
    path.parent.mkdir(parents=True)
    path.write_bytes(shelf.packaged.read_bytes())
    files.write_json(path.with_suffix(".json"), {"sha256": files.sha256(path)})
    return row, path


def test_a_converted_file_is_checked_against_the_hash_written_then(shelf):
    row, path = by_hand(shelf)
    assert open_checkpoint(row, settings()).file.path == path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(OSError, match="is not what was converted"):
        open_checkpoint(row, settings())
    path.with_suffix(".json").unlink()
    with pytest.raises(OSError, match="convert it again"):
        open_checkpoint(row, settings())
    path.unlink()
    with pytest.raises(OSError, match=f"by a machine: zoo convert released --out {path}"):
        open_checkpoint(row, settings())


@pytest.mark.slow
def test_a_released_network_is_converted_to_where_its_row_looks(call, tmp_path):
    torch.save(released("resnet50_avg"), tmp_path / "R50_baseline_mean.pth")
    name = "resnet50_avg.mars-released"
    told = json.loads(call("show", name, "--json")[1])[0]["how"]
    command = told[told.index("zoo convert ") :].split()
    assert command[:4] == ["zoo", "convert", "released", "R50_baseline_mean.pth"]
    command[3] = tmp_path / command[3]
    assert call(*command[1:])[0] == 0
    assert not zoo.load(name).training
    status, out, _ = call("verify", name)
    assert status == 0 and "as converted here" in out
    assert call("cache", "--json")[1].count('"right"') == 1


# ---- the commands --------------------------------------------------------------------------------


def test_a_checkpoint_is_listed_shown_and_pulled(shelf, call):
    status, out, _ = call("list", "checkpoints", "sta.folder*")
    assert status == 0 and out.splitlines()[1].split("\t")[:2] == [NAME, "sta"]
    status, out, _ = call("show", NAME, "--json")
    (told,) = json.loads(out)
    assert status == 0 and told["sha256"] == shelf.sha256 and told["licence"] == "Apache-2.0"
    status, out, _ = call("show", NAME)
    assert status == 0 and f"sha256\t{shelf.sha256}" in out
    status, out, _ = call("pull", NAME, "sta.folder*", "--offline")
    assert (status, out.strip()) == (0, str(shelf.packaged.resolve()))


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["pull", "sta.foldr-tiny"], 2, "did you mean sta.folder-tiny"),
        (["pull", "x*"], 2, "no checkpoint is called 'x*'"),
        (["show", "nothing"], 2, "unknown checkpoint"),
        (["verify", "nothing"], 2, "unknown checkpoint"),
        (["pull", "nvan.mars-released"], 1, "cannot be fetched by a machine"),
        (["cache", "burn"], 2, "expected list or prune"),
        (["verify", NAME, "--dataset", "folder"], 2, "needs --data-root"),
    ],
)
def test_wrong_use_is_one_line(shelf, call, arguments, status, says):
    found, out, err = call(*arguments)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "") and len(lines) == 1 and says in lines[0], err


def test_a_checkpoint_is_verified(shelf, call):
    status, out, _ = call("verify", NAME)
    rows = [line.split("\t")[:2] for line in out.splitlines()[1:]]
    expected = [["sha256", "PASS"], ["keys", "PASS"], ["golden clip", "PASS"]]
    assert status == 0 and rows == [*expected, ["scores", "not checked"]]


def test_a_golden_clip_that_is_missed_is_told_with_by_how_much(shelf, call):
    path = shelf.home / shelf.golden
    save_file({"embedding": load_file(path)["embedding"] * 1.01}, path)
    status, out, _ = call("verify", NAME)
    assert status == 1 and "golden clip\tFAIL\trelative difference 9.9e-03" in out


def test_the_cache_is_listed_and_tidied(shelf, call, server):
    data = shelf.packaged.read_bytes()
    write_table(
        shelf.home / "checkpoints.toml",
        {
            name: dataclasses.replace(shelf, name=name, sources=(server.at("/f", good(data)),))
            for name in (NAME, "sta.folder-other")
        },
    )
    assert call("pull", NAME, "sta.folder-other")[0] == 0
    cache = settings().cache
    (cache / "sta.folder-other.safetensors").write_bytes(b"wrong")
    (cache / ".sta.folder-other.part").write_bytes(b"part")
    (cache / "mine.safetensors").write_bytes(b"mine")
    status, out, _ = call("cache", "--json")
    states = {(item["name"], item["state"]) for item in json.loads(out)}
    other = "sta.folder-other"
    assert states == {(NAME, "right"), (other, "wrong"), (other, "part"), ("mine", "unknown")}
    status, _, err = call("cache", "prune")
    assert status == 0 and "2 deleted" in err
    assert {i.name for i in kept(table(), settings())} == {NAME, "mine"}
    assert "1 deleted" in call("cache", "prune", "--all")[2]
    assert [p.name for p in cache.glob("*.safetensors")] == ["mine.safetensors"]


def test_what_is_being_fetched_is_not_tidied_away(shelf, call):
    cache = settings().cache
    cache.mkdir(parents=True)
    (cache / f".{NAME}.part").write_bytes(b"part")
    with _lock(cache / shelf.file):
        _, _, err = call("cache", "prune")
    assert "left alone" in err and (cache / f".{NAME}.part").exists()
