"""The card is one that the Hugging Face hub reads."""

import dataclasses

import huggingface_hub
import pytest

from benchmark import record
from zoo.checkpoints import model_card


@pytest.fixture
def checkpoint(shelf):
    """A checkpoint with one record."""
    entry = record.Record(
        run="r", method="sta", recipe="quick", dataset="folder", fingerprint="f",
        label="open@1/cos-bn/chunk-first4", gallery=3, queries=2, dropped=0,
        metrics={"mAP": 0.12345, "R1": 0.5}, checkpoint=shelf.sha256,
    )  # fmt: skip
    record.save(entry, shelf.home / "r.json")
    return dataclasses.replace(shelf, records=("r.json",), licence="CC-BY-4.0", notes=("tiny",))


def card_of(checkpoint, folder):
    (folder / "README.md").write_text(model_card.text(checkpoint))
    return huggingface_hub.ModelCard.load(folder / "README.md")


def test_the_hub_reads_licence_name_and_scores(checkpoint, tmp_path):
    card = card_of(checkpoint, tmp_path)
    assert card.data.license == "cc-by-4.0" and card.data.model_name == checkpoint.name
    scores = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert scores == {"mAP": 12.35, "R1": 50.0} or scores == {"mAP": 12.34, "R1": 50.0}


def test_people_read_scores_file_and_notes(checkpoint, tmp_path):
    text = card_of(checkpoint, tmp_path).text
    for words in (
        "open@1/cos-bn/chunk-first4",
        checkpoint.sha256,
        "tiny",
        "zoo.load(",
        "| 3 | 2 |",
    ):
        assert words in text
    assert model_card.text(checkpoint) == model_card.text(dataclasses.replace(checkpoint))


def test_a_licence_that_the_hub_does_not_know_is_told_by_name(checkpoint, tmp_path):
    other = dataclasses.replace(checkpoint, licence='ask "us": research only')
    card = card_of(other, tmp_path)
    assert card.data.license == "other" and card.data.license_name == 'ask "us": research only'


VIT = "vit_base_patch16_clip_quickgelu_224"


@pytest.mark.parametrize("backbone", [VIT, f"{VIT}[img_size=256+128]", f"{VIT}.openai"])
def test_a_card_on_clip_names_its_origin_its_licence_and_what_it_is_not_meant_for(
    checkpoint, tmp_path, backbone
):
    text = card_of(dataclasses.replace(checkpoint, backbone=backbone), tmp_path).text
    training, limits = text.split("## Limits")
    assert f"`{VIT}.openai`, from openai/CLIP" in training
    assert "its licence is MIT, as its repository states" in training
    assert "model-card.md" in limits and "regardless of performance" in limits
    assert "surveillance and facial recognition out of scope" in limits


@pytest.mark.parametrize(
    "backbone", ["resnet50", "vit_base_patch16_224", "vit_base_patch16_clip_224.laion2b", "own"]
)
def test_other_backbones_are_not_said_to_be_openai_s(checkpoint, tmp_path, backbone):
    text = card_of(dataclasses.replace(checkpoint, backbone=backbone), tmp_path).text
    assert "CLIP" not in text
