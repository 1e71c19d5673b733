"""The TF-CLIP repository: ``image_encoder.transformer.resblocks.0.attn.in_proj_weight``.

Its networks look at the camera of a tracklet, so there is one for each data set's cameras.
"""

import re

from torch import Tensor

NETWORKS = {
    "tf_clip_mars": "tf_clip[cameras=6]",
    "tf_clip_lsvid": "tf_clip[cameras=15]",
    "tf_clip_ilids_vid": "tf_clip[cameras=2]",
}
ORIGIN = "github.com/AsuradaYuci/TF-CLIP"
DROPPED = {
    "classifier": "classifiers of the training persons, one of them never used",
    "bottleneck": "BatchNorms before the classifiers; the embedding is taken before them",
    "SSP.": "sequence-specific prompts, used in training only",
}
_IN_BLOCK = {
    "attn.in_proj_weight": "attn.qkv.weight",  # q, k and v below each other in both
    "attn.in_proj_bias": "attn.qkv.bias",
    "attn.out_proj.weight": "attn.proj.weight",
    "attn.out_proj.bias": "attn.proj.bias",
    **{f"ln_{i}.{kind}": f"norm{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")},
    **{f"mlp.c_fc.{kind}": f"mlp.fc1.{kind}" for kind in ("weight", "bias")},
    **{f"mlp.c_proj.{kind}": f"mlp.fc2.{kind}" for kind in ("weight", "bias")},
}
_OF_TOWER = {
    "conv1.weight": "patch_embed.weight",
    "class_embedding": "cls_token",
    "positional_embedding": "pos_embed",
    "proj": "proj.weight",
    **{f"ln_pre.{kind}": f"norm_pre.{kind}" for kind in ("weight", "bias")},
    **{f"ln_post.{kind}": f"norm.{kind}" for kind in ("weight", "bias")},
}
_OF_MEMORY = {"message_fc": "message", "message_ln": "norm"}


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    if key == "cv_embed":
        return "camera"
    if found := re.fullmatch(r"image_encoder\.transformer\.resblocks\.(\d+)\.(.+)", key):
        inner = _IN_BLOCK.get(found[2])
        return inner and f"tower.blocks.{found[1]}.{inner}"
    if found := re.fullmatch(r"image_encoder\.(.+)", key):
        inner = _OF_TOWER.get(found[1])
        return inner and f"tower.{inner}"
    if found := re.fullmatch(r"TMD\.resblocks\.0\.(message_fc|message_ln)\.(weight|bias)", key):
        return f"diffusion.{_OF_MEMORY[found[1]]}.{found[2]}"
    if found := re.fullmatch(r"TMD\.resblocks\.0\.message_(attn\..+)", key):
        inner = _IN_BLOCK.get(found[1])
        return inner and "diffusion.between_frames." + inner.removeprefix("attn.")
    if found := re.fullmatch(r"TMD\.resblocks\.0\.(.+)", key):
        inner = _IN_BLOCK.get(found[1])
        return inner and f"diffusion.block.{inner}"
    return None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch dimensions for the embeddings; their projection multiplies from the right."""
    shapes = {
        "tower.cls_token": lambda t: t[None, None],  # [1, 1, D]
        "tower.pos_embed": lambda t: t[None],  # [1, 1 + patches, D]
        "tower.proj.weight": lambda t: t.T.contiguous(),  # [D', D]
    }
    return {key: shapes.get(key, lambda t: t)(tensor) for key, tensor in state.items()}
