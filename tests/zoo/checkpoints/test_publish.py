"""From a finished run to a checkpoint, and from checkpoints to a report."""

import dataclasses
import json
import shutil

import huggingface_hub
import pytest
from safetensors.torch import load_file

import zoo
from benchmark import files, record
from benchmark.datasets.catalogue import open_dataset
from tests.conftest import TINY_SET, command
from tests.zoo.shelf import shelve
from zoo.checkpoints import publish as publishing
from zoo.checkpoints.table import read_table, write_table
from zoo.experiment.finished import check_name, find_run, finished
from zoo.experiment.pretrained import specification
from zoo.experiment.run import run
from zoo.experiment.spec import Conditions

NAME = "sta.folder"


@pytest.fixture(scope="module")
def results(people, tmp_path_factory):
    """A finished run of a tiny network; its folder."""
    out = tmp_path_factory.mktemp("results")
    places = ["--data-root", str(people), "--out", str(out), "--workers", "0"]
    arguments = ["--methods", "sta", "--dataset", "folder", "--recipe", "quick"]
    assert command("bench", *arguments, *TINY_SET, *places) == 0
    (run,) = (out / "runs").iterdir()
    return run


@pytest.fixture(scope="module")
def published(results, people, tmp_path_factory):
    """The same run, published once; the folder."""
    folder = tmp_path_factory.mktemp("published")
    words = ["--licence", "CC-BY-4.0", "--note", "tiny", "--workers", "0"]
    status = command("publish", results, NAME, "--data-root", people, "--out", folder, *words)
    assert status == 0
    return folder


@pytest.fixture
def table(published, tmp_path, monkeypatch):
    """A copy of what was published, set as a table."""
    shutil.copytree(published, tmp_path / "table")
    monkeypatch.setenv("ZOO_CHECKPOINTS", str(tmp_path / "table" / "checkpoints.toml"))
    return tmp_path / "table"


def row_of(folder):
    return read_table(folder / "checkpoints.toml")[NAME]


# ---- what is published ---------------------------------------------------------------------------


def test_the_record_is_of_the_published_file(published, results):
    row = row_of(published)
    (entry,) = row.scores().values()
    assert entry.checkpoint == row.sha256 == files.sha256(row.packaged)
    assert row.bytes == row.packaged.stat().st_size
    assert row.bytes < 0.6 * (results / "weights.safetensors").stat().st_size
    assert not any(key.startswith("classifier.") for key in load_file(row.packaged))
    assert row.trained() == json.loads((results / "run.json").read_text())
    assert f"weights trained by run {row.trained()['id']}" in entry.notes
    assert entry.command.startswith("zoo bench") and "&& zoo publish" in entry.command


def test_the_card_is_one_that_the_hub_reads(published):
    card = huggingface_hub.ModelCard.load(published / "README.md")
    row = row_of(published)
    (entry,) = row.scores().values()
    assert card.data.license == "cc-by-4.0" and card.data.model_name == NAME
    told = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert told == {m: round(100 * v, 2) for m, v in entry.metrics.items()}
    assert entry.label in card.text and row.sha256 in card.text and "tiny" in card.text


def test_a_licence_that_the_hub_does_not_know_is_told_by_name(published, tmp_path):
    row = dataclasses.replace(row_of(published), licence='ask "us": research only')
    (tmp_path / "README.md").write_text(publishing.card.text(row))
    card = huggingface_hub.ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "other" and card.data.license_name == 'ask "us": research only'


def test_what_was_published_is_a_table_at_once(table, call, people):
    assert not zoo.load(NAME).training
    status, out, _ = call("verify", NAME, "--data-root", people, "--workers", "0")
    assert status == 0 and [line.split("\t")[1] for line in out.splitlines()[1:]] == ["PASS"] * 4


def test_a_score_that_is_missed_is_told_with_by_how_much(table, call, people):
    path = table / f"{NAME}.open.json"
    told = json.loads(path.read_text())
    told["metrics"]["mAP"] -= 0.1
    path.write_text(json.dumps(told))
    status, out, _ = call("verify", NAME, "--data-root", people, "--workers", "0")
    assert status == 1 and "FAIL" in out
    assert "(+10.00)" in out and "misses by 10.00 points, 0.5 allowed" in out


def test_other_data_of_the_same_name_are_refused(table, call, people, tmp_path):
    shutil.copytree(people, tmp_path / "data")
    shutil.rmtree(next((tmp_path / "data" / "train").iterdir()))
    status, _, err = call("verify", NAME, "--data-root", tmp_path / "data", "--workers", "0")
    assert status == 2 and "with fingerprint" in err


def test_publishing_again_gives_the_same_file_and_spares_other_rows(
    results, published, people, tmp_path, call
):
    home = tmp_path / "home"
    other = shelve(home)
    path = home / "checkpoints.toml"
    path.write_text("# ours\n\n" + path.read_text())
    command = ["publish", results, NAME, "--into", home / "weights", "--licence", "MIT"]
    command += ["--data-root", people, "--workers", "0"]
    assert call(*command, "--protocol", "open,mars-ap3d")[0] == 0
    first = read_table(path)[NAME]
    assert len(first.records) == 2 and first.sha256 == row_of(published).sha256
    text = path.read_text()
    status, out, _ = call(*command)
    assert status == 0 and out.strip() == str(path.resolve())
    rows = read_table(path)
    assert rows[other.name].sha256 == other.sha256 and path.read_text().startswith("# ours\n")
    assert rows[NAME].records == (f"weights/{NAME}.open.json",)
    assert not (home / "weights" / f"{NAME}.mars-ap3d.json").exists()
    assert path.read_text() == text.replace(f', "weights/{NAME}.mars-ap3d.json"', "")
    assert not (home / "README.md").exists()


@pytest.mark.parametrize(
    ("name", "more", "status", "says"),
    [
        ("sta.mars", [], 2, "expected sta.folder or sta.folder-tag"),
        ("nvan.folder", [], 2, "expected sta.folder"),
        ("../sta.folder", [], 2, "no name of a checkpoint"),
        (NAME, ["--data-root", "/nowhere"], 1, "/nowhere is no folder"),
        (NAME, ["--into", "x/weights", "--hub", "a/b"], 2, "--into is for a table"),
    ],
)
def test_what_cannot_be_published_is_one_line(
    results, people, tmp_path, call, monkeypatch, name, more, status, says
):
    monkeypatch.chdir(tmp_path)
    command = ["publish", results, name, "--licence", "MIT", "--data-root", people, *more]
    found, out, err = call(*command)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert (found, out) == (status, "") and len(lines) == 1 and says in lines[0], err
    assert not (tmp_path / "published").exists()


def test_weights_trained_on_others_data_need_a_licence(results, call):
    status, _, err = call("publish", results, NAME)
    assert status == 2 and "--licence is missing" in err


def test_a_run_that_is_not_what_it_says_is_refused(results, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(results, copy)
    data = (copy / "weights.safetensors").read_bytes()
    (copy / "weights.safetensors").write_bytes(data[:-1] + b"x")
    with pytest.raises(ValueError, match="has other weights than the run's records"):
        finished(copy)
    (copy / "run.json").unlink()
    with pytest.raises(FileNotFoundError, match="is no finished run"):
        finished(copy)


def test_a_result_folder_will_do_if_it_holds_one_run_of_the_method(results, tmp_path):
    assert find_run(results, NAME) == results == find_run(results.parent.parent, NAME)
    with pytest.raises(ValueError, match="must hold one run of nvan, there are: none"):
        find_run(results.parent.parent, "nvan.folder")
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        shutil.copy(results / "spec.json", tmp_path / "runs" / name)
    with pytest.raises(ValueError, match="there are: a, b; name it"):
        find_run(tmp_path, NAME)


def test_numbers_of_some_persons_only_are_not_published(results):
    spec = dataclasses.replace(finished(results).spec, dataset="folder:2persons")
    with pytest.raises(ValueError, match="not to be quoted"):
        check_name(NAME, spec)


# ---- the hub -------------------------------------------------------------------------------------


class Hub:
    """Takes uploads as the hub does, and remembers them."""

    def __init__(self, error=None):
        self.made, self.error = [], error

    def create_repo(self, repo, *, private, exist_ok):
        self.made.append(("repo", repo, private, exist_ok))

    def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
        if self.error:
            raise self.error
        self.made.append(("folder", repo_id, folder_path, sorted(allow_patterns)))
        return huggingface_hub.CommitInfo(
            commit_url=f"https://huggingface.co/{repo_id}/commit/{'b' * 40}",
            commit_message=commit_message,
            commit_description="",
            oid="b" * 40,
        )


def uploaded(table, hub):
    row = row_of(table)
    texts = (*row.records, row.training, row.golden)
    made = publishing.Published(
        row=row,
        table=table / "checkpoints.toml",
        files=(row.packaged, *(row.beside(text) for text in texts)),
        lines=(),
    )
    return publishing.upload(made, "me/sta-folder", hub)


def test_an_upload_takes_the_named_files_and_pins_the_commit(table):
    (table / "secret.txt").write_text("not to be uploaded")
    hub = Hub()
    source = uploaded(table, hub)
    assert source == f"hf://me/sta-folder/{NAME}.safetensors@{'b' * 40}"
    assert row_of(table).sources == (source,)
    repo, folder = hub.made
    assert repo == ("repo", "me/sta-folder", True, True)  # private, unless it is there
    assert folder[3] == sorted(
        ["README.md", "checkpoints.toml"]
        + [f"{NAME}.{end}" for end in ("golden.safetensors", "open.json", "run.json")]
        + [f"{NAME}.safetensors"]
    )


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("bad token hf_abcDEF123 for https://hub/x?sig=SECRET\nand more"),
        huggingface_hub.errors.LocalTokenNotFoundError("no token"),
    ],
)
def test_a_failed_upload_is_one_line_without_a_token(table, error):
    with pytest.raises(OSError, match="the hub does not take me/sta-folder") as told:
        uploaded(table, Hub(error))
    text = str(told.value)
    assert "hf_abc" not in text and "SECRET" not in text and "\n" not in text
    assert row_of(table).packaged is not None  # the row is as it was


# ---- zoo bench --pretrained ----------------------------------------------------------------------


def bench(call, people, out, *more):
    command = ["bench", "--pretrained", "--dataset", "folder", "--data-root", people]
    return call(*command, "--out", out, "--workers", "0", *more)


def test_checkpoints_are_reported_on_without_training(table, call, people, tmp_path):
    status, out, err = bench(call, people, tmp_path / "o")
    assert status == 0 and out.strip() == str(tmp_path / "o" / "report.md")
    assert "without a checkpoint on folder: " in err and "nvan, " in err and "train " not in err
    (run,) = (tmp_path / "o" / "runs").iterdir()
    row = row_of(table)
    (entry,) = (record.load(p) for p in (run / "records").glob("*.json"))
    (expected,) = row.scores().values()
    assert entry.checkpoint == row.sha256 and entry.metrics == expected.metrics
    assert entry.run == expected.run  # the run that published it is this very run
    spec = json.loads((run / "spec.json").read_text())
    assert spec["checkpoint"] == f"{NAME}@{row.sha256}" and files.hash_of(spec) == entry.run
    assert entry.run != row.trained()["id"]
    assert any(f"weights of checkpoint {NAME}" in note for note in entry.notes)
    assert "| `sta` |" in (tmp_path / "o" / "report.md").read_text()


def test_a_run_without_a_checkpoint_is_named_as_before(results):
    spec = json.loads((results / "spec.json").read_text())
    assert "checkpoint" not in spec and results.name.endswith(files.hash_of(spec))


def test_a_run_takes_only_the_weights_that_it_is_specified_with(table, people, tmp_path):
    row, dataset = row_of(table), open_dataset("folder", people)
    conditions = Conditions(device="cpu", workers=0, protocols=("open",), command="")
    for wrong, file in (("0" * 64, row.packaged), (row.sha256, None)):
        spec = specification(row, wrong, dataset)
        with pytest.raises(ValueError, match="is not the checkpoint of the run"):
            run(
                spec,
                tmp_path / "run",
                dataset=dataset,
                conditions=conditions,
                on_progress=print,
                checkpoint=file,
            )
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_the_same_command_again_embeds_nothing(table, call, people, tmp_path):
    bench(call, people, tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("embeddings-*")}
    status, _, err = bench(call, people, tmp_path)
    assert status == 0 and before and "embed " not in err
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("embeddings-*")} == before


def test_one_checkpoint_serves_a_method_and_the_others_are_told(table, call, people, tmp_path):
    row = row_of(table)
    tagged = dataclasses.replace(row, name=f"{NAME}-b")
    stale = dataclasses.replace(row, name=f"{NAME}-a", fingerprint="0" * 16)
    rows = {r.name: r for r in (row, tagged, stale)}
    write_table(table / "checkpoints.toml", rows)
    status, out, err = bench(call, people, tmp_path / "o", "--methods", "sta", "--dry-run")
    assert status == 0 and len(out.splitlines()) == 2
    assert f"not taken: {NAME}-b: {NAME} is" in err
    assert f"not taken: {NAME}-a: trained on data with fingerprint {'0' * 16}" in err
    header, values = (line.split("\t") for line in out.splitlines())
    assert dict(zip(header, values, strict=True))["steps"] == "0"


def test_a_checkpoint_can_be_tried_on_some_persons(table, call, people, tmp_path):
    assert bench(call, people, tmp_path, "--limit", "2", "--methods", "sta")[0] == 0
    (path,) = tmp_path.glob("runs/*/records/*.json")
    assert record.load(path).dataset == "folder:2persons"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--methods", "stenvan"], "no checkpoint of stenvan on folder"),
        (["--methods", "stanvan"], "did you mean stenvan"),
        (["--recipe", "quick"], "--pretrained trains nothing"),
        (["--set", "epochs=3"], "--pretrained trains nothing"),
        (["--seeds", "2"], "--pretrained trains nothing"),
    ],
)
def test_what_does_not_go_with_checkpoints_is_told(table, call, people, tmp_path, more, says):
    status, _, err = bench(call, people, tmp_path / "o", *more)
    assert status == 2 and says in err and not (tmp_path / "o").exists()


def test_a_checkpoint_that_cannot_be_had_is_a_failed_run(table, call, people, tmp_path):
    row = row_of(table)
    row.packaged.unlink()
    write_table(table / "checkpoints.toml", {NAME: row})
    status, _, err = bench(call, people, tmp_path / "o", "--methods", "sta")
    assert status == 1 and f"{NAME} cannot be had" in err
    assert "cannot be had" in (tmp_path / "o" / "report.md").read_text()
