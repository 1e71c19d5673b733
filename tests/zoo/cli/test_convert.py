"""``zoo convert``."""

import json

import pytest
import torch

import zoo
from tests.zoo.checkpoints.ste_nvan_file import released
from zoo.checkpoints.released import RELEASED
from zoo.cli.convert import NAMES


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


def test_the_command_writes_safetensors_and_a_row(tmp_path, call):
    torch.save(released("resnet50_avg"), tmp_path / "base.pth")
    status, _, err = call("convert", "released", tmp_path / "base.pth", "--as", "resnet50_avg")
    assert status == 0 and "left out module.classifier.weight" in err
    assert [(tmp_path / f"base.{end}").is_file() for end in ("safetensors", "json")] == [True, True]


def test_help_names_every_released_network_there_is(call):
    assert sorted(NAMES) == sorted(RELEASED)
    status, out, _ = call("convert", "released", "--help")
    words = out.replace(",", " ").replace(".", " ").split()
    assert status == 0 and set(NAMES) <= set(words) and "STE-NVAN" not in out
