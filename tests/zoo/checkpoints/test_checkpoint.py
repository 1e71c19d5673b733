"""One checkpoint: its name, its places and its scores."""

import dataclasses

import pytest

from benchmark import record
from zoo.checkpoints.checkpoint import split_name


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


def test_scores_of_other_weights_are_refused(shelf, tmp_path):
    entry = record.Record(
        run="r", method="sta", recipe="quick", dataset="folder", fingerprint="f",
        label="open@1/cos-bn/chunk-first4", gallery=1, queries=1, dropped=0,
        metrics={"mAP": 1.0}, checkpoint="0" * 64,
    )  # fmt: skip
    record.save(entry, shelf.home / "weights" / "r.json")
    with pytest.raises(ValueError, match="measured with other weights"):
        dataclasses.replace(shelf, records=("weights/r.json",)).scores()


def test_it_is_manual_if_nothing_can_be_fetched_automatically(shelf):
    assert not shelf.manual
    assert dataclasses.replace(shelf, sources=("manual",)).manual
    assert not dataclasses.replace(shelf, sources=("manual", "https://x.org/f")).manual


def test_its_packaged_file_is_the_first_that_is_there(shelf):
    assert shelf.packaged == shelf.home / shelf.sources[0]
    gone = ("weights/gone.safetensors", *shelf.sources)
    assert dataclasses.replace(shelf, sources=gone).packaged == shelf.packaged
    shelf.packaged.unlink()
    assert dataclasses.replace(shelf).packaged is None


def test_what_it_names_must_lie_below_its_table(shelf):
    with pytest.raises(ValueError, match="leads out of"):
        shelf.beside("../x.json")


def test_without_a_training_run_nothing_is_known_of_it(shelf):
    assert shelf.trained() == {} and shelf.scores() == {}
