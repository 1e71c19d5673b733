"""A table of one's own with one tiny checkpoint in it, made on the spot."""

import torch
from safetensors.torch import save_file

import zoo
from benchmark import files
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.load import fitting, golden_embedding, network
from zoo.checkpoints.table import write_table
from zoo.half_precision import to_half
from zoo.tools.probe import stir_norms

BACKBONE = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"
NAME = "sta.folder-tiny"


def trained(seed=0):
    """A network that looks as if it had been trained."""
    torch.manual_seed(seed)
    model = zoo.create("sta", 5, backbone=BACKBONE)
    stir_norms(model)
    return model.eval()


def shelve(home, *, name=NAME, state=None, **changes):
    """Write weights, golden clip and table below ``home``; gives the row."""
    state = to_half(trained().state_dict())[0] if state is None else state
    weights = home / "weights" / f"{name}.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    state = {key: value.contiguous() for key, value in state.items()}
    save_file(state, weights)
    fields = {
        "name": name,
        "home": home,
        "method": "sta",
        "backbone": BACKBONE,
        "dataset": "folder",
        "recipe": "quick",
        "frames": "chunk-first4",
        "height": 64,
        "width": 32,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "distance": "cos-bn",
        "sources": (f"weights/{weights.name}",),
        "licence": "Apache-2.0",
        "origin": "a test",
        "bytes": weights.stat().st_size,
        "sha256": files.sha256(weights),
        "golden": f"weights/{name}.golden.safetensors",
    }
    row = Checkpoint(**{**fields, **changes})
    model = network(row)
    if row.golden:
        model.load_state_dict(fitting(state, model, name)[0])
        save_file({"embedding": golden_embedding(model.eval(), row)}, home / row.golden)
    write_table(home / "checkpoints.toml", {name: row})
    return row
