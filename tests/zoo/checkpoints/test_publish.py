"""From a finished run to a checkpoint: what is written, and that it is what was scored."""

import json

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark import files, record
from tests.zoo.shelf import BACKBONE, shelve, trained
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.load import open_checkpoint
from zoo.checkpoints.publish import FinishedRun, publish, upload, write_card, write_draft
from zoo.checkpoints.table import read_table
from zoo.checkpoints.verify import verify

NAME = "sta.folder"
LABEL = "open@1/cos-bn/chunk-first4"


def record_of(weights, label=LABEL, m_ap=0.5):
    """What somebody measured with these weights."""
    return record.Record(
        run="r", method="sta", recipe="quick", dataset="folder", fingerprint="f", label=label,
        gallery=3, queries=3, dropped=0, metrics={"mAP": m_ap, "R1": 0.75}, checkpoint=weights,
        per_query="q.csv", notes=["measured"],
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A run of a tiny network that has come to its end."""
    weights = tmp_path / "run" / "weights.safetensors"
    weights.parent.mkdir()
    save_file({key: value.contiguous() for key, value in trained().state_dict().items()}, weights)
    return FinishedRun(
        id="1a2b3c4d5e6f",
        method="sta",
        backbone=BACKBONE,
        recipe="quick",
        frames="chunk-first4",
        height=64,
        width=32,
        resize="bilinear",
        distance="cos-bn",
        neck="own",
        dataset="folder",
        fingerprint="f",
        split=0,
        seed=7,
        weights=weights,
        summary={"id": "1a2b3c4d5e6f", "command": "zoo bench"},
        records=(record_of("0" * 64),),
    )


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def put(run, work, folder, table, *labels, **options):
    """Publish it, with records that somebody measured on the draft."""
    draft = write_draft(run, NAME, work)
    records = [record_of(draft.sha256, label, 0.49) for label in labels or (LABEL,)]
    return publish(run, NAME, draft, records, folder, table, **{"licence": "MIT", **options})


@pytest.fixture
def published(run, work, tmp_path):
    folder = tmp_path / "published"
    return put(run, work, folder, folder / "checkpoints.toml", notes=("tiny",))


def test_the_draft_is_half_as_large_and_the_same_every_time(run, work, tmp_path):
    draft = write_draft(run, NAME, work)
    size = draft.weights.stat().st_size
    assert draft.sha256 == files.sha256(draft.weights)
    assert size < 0.6 * run.weights.stat().st_size
    assert not any(key.startswith("head.classifier.") for key in load_file(draft.weights))
    assert any("left out head.classifier.weight" in line for line in draft.lines)
    assert write_draft(run, NAME, tmp_path).sha256 == draft.sha256


def test_what_is_published_is_the_draft_with_its_records(run, work, published):
    checkpoint = published.checkpoint
    assert read_table(published.table) == {NAME: checkpoint}
    assert checkpoint.packaged.read_bytes() == (work / f"{NAME}.safetensors").read_bytes()
    assert checkpoint.bytes == checkpoint.packaged.stat().st_size
    (entry,) = checkpoint.scores().values()
    assert entry.checkpoint == checkpoint.sha256 == files.sha256(checkpoint.packaged)
    assert entry.notes == ["measured", "weights trained by run 1a2b3c4d5e6f"]
    assert entry.per_query is None and checkpoint.trained() == run.summary
    assert (checkpoint.seed, checkpoint.licence, checkpoint.notes) == (7, "MIT", ("tiny",))
    assert all(path.is_file() for path in published.files) and len(published.files) == 4


def test_it_passes_its_own_checks(published):
    checks = verify(published.checkpoint, read_settings())
    assert [check.result for check in checks] == ["PASS"] * 3 + ["not checked"]


def test_its_network_is_the_run_s_in_half_precision(run, published):
    model = open_checkpoint(published.checkpoint, read_settings()).model
    clips = torch.randn(1, 4, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = model(clips).embedding, trained()(clips).embedding
    assert 0 < (ours - theirs).norm() < 5e-3 * theirs.norm()


def test_what_float16_did_to_the_scores_is_told(published):
    assert f"{LABEL}: mAP 49.00, 50.00 in float32" in published.lines


def test_records_of_other_weights_are_refused_before_anything_is_written(run, work, tmp_path):
    draft = write_draft(run, NAME, work)
    table = tmp_path / "x" / "checkpoints.toml"
    for records in ([record_of("0" * 64)], [], [record_of(draft.sha256), record_of("0" * 64)]):
        with pytest.raises(ValueError, match=f"the records are not all of {NAME}.safetensors"):
            publish(run, NAME, draft, records, table.parent, table, licence="MIT")
    assert not table.parent.exists()


def test_publishing_again_replaces_the_entry_and_spares_the_others(run, work, tmp_path):
    home = tmp_path / "home"
    other = shelve(home)
    table = home / "checkpoints.toml"
    table.write_text("# ours\n\n" + table.read_text())
    folder = home / "weights"
    second = "mars-ap3d@1/cos-bn/chunk-first4"
    first = put(run, work, folder, table, LABEL, second)
    text = table.read_text()
    assert first.checkpoint.records == tuple(
        f"weights/{NAME}.{protocol}.json" for protocol in ("open", "mars-ap3d")
    )
    put(run, work, folder, table)
    entries = read_table(table)
    assert entries[other.name].sha256 == other.sha256 and table.read_text().startswith("# ours\n")
    assert entries[NAME].records == (f"weights/{NAME}.open.json",)
    assert not (folder / f"{NAME}.mars-ap3d.json").exists(), "nobody names it any more"
    assert table.read_text() == text.replace(f', "weights/{NAME}.mars-ap3d.json"', "")


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


def test_an_upload_takes_the_named_files_and_pins_the_commit(published):
    write_card(published)
    (published.table.parent / "secret.txt").write_text("not to be uploaded")
    hub = Hub()
    source = upload(published, "me/sta-folder", hub)
    assert source == f"hf://me/sta-folder/{NAME}.safetensors@{'b' * 40}"
    assert read_table(published.table)[NAME].sources == (source,)
    repo, folder = hub.made
    assert repo == ("repo", "me/sta-folder", True, True)  # private, unless it is there
    ends = ("golden.safetensors", "open.json", "run.json", "safetensors")
    assert folder[3] == sorted(
        ["README.md", "checkpoints.toml", *(f"{NAME}.{end}" for end in ends)]
    )


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("bad token hf_abcDEF123 for https://hub/x?sig=SECRET\nand more"),
        huggingface_hub.errors.LocalTokenNotFoundError("no token"),
    ],
)
def test_a_failed_upload_is_one_line_without_a_token(published, error):
    with pytest.raises(OSError, match="the hub does not take me/sta-folder") as raised:
        upload(published, "me/sta-folder", Hub(error))
    text = str(raised.value)
    assert "hf_abc" not in text and "SECRET" not in text and "\n" not in text
    assert read_table(published.table)[NAME].packaged is not None, "the entry is as it was"


def test_the_metadata_says_which_run_it_was(work, run):
    draft = write_draft(run, NAME, work)
    header = draft.weights.read_bytes()
    length = int.from_bytes(header[:8], "little")
    about = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["about"])
    assert about == {"method": "sta", "backbone": BACKBONE, "run": "1a2b3c4d5e6f"}
