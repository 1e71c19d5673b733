"""Is a checkpoint what the table says?"""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark import embed, record, samplers
from benchmark.clips import frame_rule
from benchmark.datasets.catalogue import open_dataset
from benchmark.pixels import read_clip
from benchmark.protocols import score
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.load import open_checkpoint
from zoo.checkpoints.table import TABLE, find, read_table
from zoo.checkpoints.verify import verify


@pytest.mark.parametrize(
    "name", [row.name for row in read_table(TABLE).values() if row.packaged] or [None]
)
def test_every_shipped_checkpoint_passes_its_own_checks(name):
    if name is not None:
        checks = verify(find(name), read_settings(offline=True))
        assert [check.result for check in checks] == ["PASS"] * 3 + ["not checked"], checks


def results(checks):
    return {check.name: check.result for check in checks}


def test_hash_keys_and_golden_clip_pass_and_scores_wait_for_the_data(shelf):
    checks = verify(shelf, read_settings())
    assert results(checks) == {
        "sha256": "PASS",
        "keys": "PASS",
        "golden clip": "PASS",
        "scores": "not checked",
    }
    assert "--dataset folder" in checks[-1].detail


def test_a_golden_clip_of_another_network_fails_with_by_how_much(shelf):
    path = shelf.home / shelf.golden
    save_file({"embedding": load_file(path)["embedding"] * 1.01}, path)
    check = verify(shelf, read_settings())[2]
    assert check.result == "FAIL" and "relative difference 9.9e-03, at most 1e-03" in check.detail
    save_file({"embedding": load_file(path)["embedding"][:1]}, path)
    assert verify(shelf, read_settings())[2].result == "FAIL"
    path.write_bytes(b"no safetensors")
    assert "cannot be read" in verify(shelf, read_settings())[2].detail
    assert (
        verify(dataclasses.replace(shelf, golden=None), read_settings())[2].result == "not checked"
    )


@pytest.mark.parametrize("backbone", ["resnet50[layers=1+1+1+1]", "resnet18[checkpoint_path=x]"])
def test_a_table_that_names_another_network_fails_at_the_keys(shelf, backbone):
    wrong = dataclasses.replace(shelf, backbone=backbone)
    assert results(verify(wrong, read_settings())) == {"sha256": "PASS", "keys": "FAIL"}


# ---- scores --------------------------------------------------------------------------------------


@pytest.fixture
def scored(shelf, people):
    """The checkpoint with a record of its scores on seven people, and the data."""
    dataset = open_dataset("folder", people)
    model = open_checkpoint(shelf, read_settings()).model
    clips = {"height": 64, "width": 32, "device": torch.device("cpu"), "precision": "no"}
    key = {"frames_rule": shelf.frames}
    vectors = embed.embed(model, dataset, frame_rule(shelf.frames), key=key, workers=0, **clips)
    found = score(vectors.pooled("embedding"), vectors.query, "open", "cosine")
    entry = record.Record(
        run="r", method="sta", recipe="quick", dataset="folder", fingerprint=dataset.fingerprint,
        label="open@1/cos-bn/chunk-first4", gallery=found.gallery, queries=found.queries,
        dropped=found.dropped, metrics=dict(found.values), checkpoint=shelf.sha256,
    )  # fmt: skip
    record.save(entry, shelf.home / "r.json")
    return dataclasses.replace(shelf, records=("r.json",)), dataset, entry


def score_check(checkpoint, dataset, entry, **changes):
    """The check of its one label, where the record says something else."""
    record.save(dataclasses.replace(entry, **changes), checkpoint.home / "r.json")
    return verify(checkpoint, read_settings(), dataset=dataset)[-1]


def test_the_scores_of_a_record_are_measured_again(scored):
    check = score_check(*scored)
    assert check.name == "open@1/cos-bn/chunk-first4" and check.result == "PASS"
    assert "mAP" in check.detail and "(+0.00)" in check.detail


@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
def test_images_are_resized_as_the_checkpoint_was_trained(scored, monkeypatch, resize):
    checkpoint, dataset, entry = scored
    read = []

    def noted(tracklet, indices, height, width, how):
        read.append((height, width, how))
        return read_clip(tracklet, indices, height, width, how)

    monkeypatch.setattr(samplers, "read_clip", noted)
    larger = dataclasses.replace(checkpoint, height=128, width=64, resize=resize)
    score_check(larger, dataset, entry)
    assert set(read) == {(128, 64, resize)}


def test_a_score_that_is_missed_fails_with_by_how_much(scored):
    checkpoint, dataset, entry = scored
    lower = {**entry.metrics, "mAP": entry.metrics["mAP"] - 0.1}
    check = score_check(checkpoint, dataset, entry, metrics=lower)
    assert check.result == "FAIL" and "(+10.00)" in check.detail
    assert "misses by 10.00 points, 0.5 allowed" in check.detail
    wide = dataclasses.replace(checkpoint, tolerance=11.0)
    assert score_check(wide, dataset, entry, metrics=lower).result == "PASS"


def test_another_gallery_fails_even_with_the_same_scores(scored):
    checkpoint, dataset, entry = scored
    check = score_check(checkpoint, dataset, entry, gallery=entry.gallery + 1)
    assert check.result == "FAIL" and "another gallery or other queries" in check.detail


@pytest.mark.parametrize(
    "label", ["open@9/cos-bn/chunk-first4", "mine@1/cos-bn/chunk-first4", "open@1/cos-bn/all"]
)
def test_a_label_of_other_rules_is_not_checked(scored, label):
    assert score_check(*scored, label=label).result == "not checked"


def test_a_metric_that_nobody_knows_here_is_named(scored):
    checkpoint, dataset, entry = scored
    check = score_check(checkpoint, dataset, entry, metrics={**entry.metrics, "mine": 0.5})
    assert check.result == "PASS" and "mine not checked: no such metric here" in check.detail


def test_other_data_are_refused_before_anything_is_embedded(scored):
    checkpoint, dataset, _ = scored
    for other in (dataclasses.replace(dataset, name="mars"), dataset):
        with pytest.raises(ValueError, match=r"has scores on folder"):
            verify(
                dataclasses.replace(checkpoint, fingerprint="0" * 16),
                read_settings(),
                dataset=other,
            )
