"""TF-CLIP's released layout: every tensor finds its place, and the network is the authors'."""

import timm
import torch
import torch.nn.functional as F
from torch import nn

from methods.clip_vit import VIT
from methods.tf_clip import tf_clip
from zoo import registry
from zoo.checkpoints.convert import convert
from zoo.checkpoints.released import RELEASED
from zoo.checkpoints.released import tf_clip as layout

WIDE, DEPTH, HEADS, PROJECTED, CAMERAS, GRID = 48, 2, 3, 32, 4, (4, 2)


def released(wide=WIDE, depth=DEPTH, projected=PROJECTED, cameras=CAMERAS, grid=GRID, persons=7):
    """Names and shapes of the authors' files, without ``module.``."""
    shapes = {
        "cv_embed": (cameras, wide),
        "image_encoder.conv1.weight": (wide, 3, 16, 16),
        "image_encoder.class_embedding": (wide,),
        "image_encoder.positional_embedding": (1 + grid[0] * grid[1], wide),
        "image_encoder.proj": (wide, projected),
        "classifier2.weight": (persons, wide),
        "classifier_proj.weight": (persons, projected),
        "classifier_proj_temp.weight": (persons, wide),
        "classifier_proj_temp2.weight": (persons, wide),
        "SSP.alpha": (projected,),
        "SSP.decoder.0.self_attn.q_proj.weight": (projected, projected),
    }

    def norm(name):
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (wide,)

    def attention(name):
        shapes[f"{name}.in_proj_weight"] = (3 * wide, wide)
        shapes[f"{name}.in_proj_bias"] = (3 * wide,)
        linear(f"{name}.out_proj", wide, wide)

    def linear(name, out, inside):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (out, inside), (out,)

    blocks = [f"image_encoder.transformer.resblocks.{i}" for i in range(depth)]
    for name in (*blocks, "TMD.resblocks.0"):
        norm(f"{name}.ln_1")
        norm(f"{name}.ln_2")
        attention(f"{name}.attn")
        linear(f"{name}.mlp.c_fc", 4 * wide, wide)
        linear(f"{name}.mlp.c_proj", wide, 4 * wide)
    linear("TMD.resblocks.0.message_fc", wide, wide)
    norm("TMD.resblocks.0.message_ln")
    attention("TMD.resblocks.0.message_attn")
    norm("image_encoder.ln_pre")
    norm("image_encoder.ln_post")
    for name in ("bottleneck", "bottleneck_proj", "bottleneck_proj_temp", "bottleneck_proj_temp2"):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{kind}"] = (projected if name == "bottleneck_proj" else wide,)
        shapes[f"{name}.num_batches_tracked"] = ()
    return shapes


def filled(shapes):
    generator = torch.Generator().manual_seed(2)
    return {
        f"module.{name}": torch.randn(shape, generator=generator).double() * 0.3
        for name, shape in shapes.items()
    }


def theirs(state, clips, cameras):
    """The authors' arithmetic, tokens first as PyTorch's own attention wants them."""

    def get(name):
        return state[f"module.{name}"]

    def norm(x, name):
        return F.layer_norm(x, (WIDE,), get(f"{name}.weight"), get(f"{name}.bias"), 1e-5)

    def linear(x, name):
        return F.linear(x, get(f"{name}.weight"), get(f"{name}.bias"))

    def attention(x, name):  # [tokens, batch, D]
        layer = nn.MultiheadAttention(WIDE, HEADS).double()
        own = {key: get(f"{name}.{key}") for key in layer.state_dict()}
        layer.load_state_dict(own)
        return layer(x, x, x, need_weights=False)[0]

    def block(x, name):
        x = x + attention(norm(x, f"{name}.ln_1"), f"{name}.attn")
        hidden = linear(norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
        return x + linear(hidden * torch.sigmoid(1.702 * hidden), f"{name}.mlp.c_proj")

    batch, frames = clips.shape[:2]
    x = F.conv2d(clips.flatten(0, 1), get("image_encoder.conv1.weight"), stride=16)
    x = x.flatten(2).permute(0, 2, 1)  # [B*T, patches, D]
    first = get("image_encoder.class_embedding") + get("cv_embed")[cameras]  # [B, D]
    first = first[:, None].repeat(1, frames, 1).flatten(0, 1)  # [B*T, D]
    x = torch.cat([first[:, None], x], 1) + get("image_encoder.positional_embedding")
    x = norm(x, "image_encoder.ln_pre").permute(1, 0, 2)
    for i in range(DEPTH):
        x = block(x, f"image_encoder.transformer.resblocks.{i}")
    x = norm(x, "image_encoder.ln_post")  # [tokens, B*T, D]
    f1 = x[0].unflatten(0, (batch, frames)).mean(1)
    f2 = (x[0] @ get("image_encoder.proj")).unflatten(0, (batch, frames)).mean(1)
    name = "TMD.resblocks.0"
    memory = linear(x.mean(0), f"{name}.message_fc").unflatten(0, (batch, frames)).transpose(0, 1)
    memory = memory + attention(norm(memory, f"{name}.message_ln"), f"{name}.message_attn")
    memory = memory.transpose(0, 1).flatten(0, 1)  # [B*T, D]
    x = block(torch.cat([x, memory[None]]), name)
    f3 = x.mean(0).unflatten(0, (batch, frames)).mean(1)
    return torch.cat([f1, f2, f3], 1)


def ours():
    backbone = timm.create_model(VIT, embed_dim=WIDE, depth=DEPTH, num_heads=HEADS)
    return tf_clip(backbone, height=64, width=32, cameras=CAMERAS).double().eval()


def test_a_converted_network_gives_the_authors_embeddings():
    state, model = filled(released()), ours()
    model.load_state_dict(convert(state, model.state_dict(), layout).state)
    clips = torch.randn(2, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1)).double()
    cameras = torch.tensor([3, 0])
    with torch.no_grad():
        found, expected = model(clips, cameras).embedding, theirs(state, clips, cameras)
        assert (found - expected).norm() < 1e-6 * expected.norm()
        assert (model(clips).embedding - expected).norm() > 1e-3 * expected.norm()


def test_what_retrieval_does_not_need_is_dropped_with_its_reason():
    found = convert(filled(released()), ours().state_dict(), layout)
    assert len(found.dropped) == 3
    for name, reason in (
        ("classifier_proj_temp2.weight", "never used"),
        ("bottleneck_proj_temp2.running_var", "before them"),
        ("SSP.alpha", "in training only"),
    ):
        assert any(name in line and reason in line for line in found.dropped)


def test_full_size_files_have_the_shapes_of_our_networks():
    for name in layout.NETWORKS:
        assert RELEASED[name] is layout
        with torch.device("meta"):
            expected = registry.create(layout.NETWORKS[name]).state_dict()
            cameras = len(expected["camera"])
            shapes = released(768, 12, 512, cameras, (16, 8), persons=625)
            state = {key: torch.empty(shape) for key, shape in shapes.items()}
        assert set(convert(state, expected, layout).state) == set(expected)
