"""CLIP-Memory and sequence-specific prompts: what TF-CLIP trains against instead of texts.

Yu, Liu, Wang, Zhang, Lu: "TF-CLIP: Learning Text-free CLIP for Video-based Person
Re-Identification", AAAI 2024. Training only; retrieval needs nothing of it.

Decisions, not the paper's word:
    * a prompt layer has self-attention over the persons before the attention to the clip, as in the
      authors' code; the paper's figure has the latter alone.
    * prompts are added as they are: the code's scale of them is never used.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from timm.layers import QuickGELU
from torch import Tensor, nn

HEADS, LAYERS, DROPOUT = 8, 2, 0.1


class Attention(nn.Module):
    """Attention with scale 1/√d; queries, keys and values have no bias, the output has one."""

    def __init__(self, width: int):
        super().__init__()
        self.heads = max(h for h in range(1, HEADS + 1) if width % h == 0)
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.proj, self.dropout = nn.Linear(width, width), nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """[B, N, D] attends to ``context`` [B, M, D] -> [B, N, D]."""
        q, k, v = (
            layer(t).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, t in ((self.q, x), (self.k, context), (self.v, context))
        )  # [B, heads, N or M, d]
        y = F.scaled_dot_product_attention(q, k, v)
        return self.dropout(self.proj(y.transpose(1, 2).flatten(2)))


class PromptLayer(nn.Module):
    """Persons attend to each other, then to the clip; an MLP with QuickGELU follows."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.among, self.to_clip = Attention(width), Attention(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width),
            QuickGELU(),
            nn.Dropout(DROPOUT),
            nn.Linear(4 * width, width),
            nn.Dropout(DROPOUT),
        )

    def forward(self, text: Tensor, visual: Tensor) -> Tensor:
        """Persons [B, K, D] and tokens of the clip [B, N, D] -> [B, K, D]."""
        normed = self.norm1(text)
        text = text + self.among(normed, normed)
        text = text + self.to_clip(self.norm2(text), visual)
        return text + self.mlp(self.norm3(text))


class SequencePrompts(nn.Module):
    """SSP: for each clip, what is added to every row of the memory.

    Linear layers start from N(0, 0.02), cut at ±2, with biases of 0.
    """

    def __init__(self, width: int):
        super().__init__()
        self.text = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.visual = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.LayerNorm(width)
        )
        self.layers = nn.ModuleList(PromptLayer(width) for _ in range(LAYERS))
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, memory: Tensor, patches: Tensor) -> Tensor:
        """Memory [K, D] and a clip's mean projected tokens [B, N, D] -> prompts [B, K, D]."""
        visual = self.visual(patches)
        text = self.text(memory).expand(patches.shape[0], -1, -1)  # [B, K, D]
        for layer in self.layers:
            text = layer(text, visual)
        return self.out(text)


class CLIPMemory(nn.Module):
    """One row a training person, fixed, and prompts that fit the rows to a clip.

    Attributes:
        rows: [K, D] buffer, saved with the weights; zero until a `MemoryPass` has filled it.
        filled: whether one has, or saved rows have been loaded.
    """

    def __init__(self, persons: int, width: int):
        super().__init__()
        self.register_buffer("rows", torch.zeros(persons, width))
        self.prompts = SequencePrompts(width)
        self.filled = False
        self.register_load_state_dict_post_hook(_note_loaded)

    def fill(self, rows: Tensor) -> None:
        """Set the rows, [K, D]."""
        self.rows.copy_(rows)
        self.filled = True

    def forward(self, projected: Tensor, patches: Tensor) -> Tensor:
        """f₂ [B, D] and the clip's mean projected tokens [B, N, D] -> V2M logits [B, K].

        Dot products of f₂ with row plus prompt, without a temperature.

        Raises:
            RuntimeError: the memory has not been filled.
        """
        if not self.filled:
            raise RuntimeError(
                "the CLIP-Memory is empty: carry out model.preparation(…) on the training "
                "tracklets before the first step, or build the method with memory=false"
            )
        texts = self.rows + self.prompts(self.rows, patches)  # [B, K, D]
        return torch.einsum("bd,bkd->bk", projected, texts)


def _note_loaded(memory: CLIPMemory, _keys) -> None:
    memory.filled = bool(memory.rows.any())


class MemoryPass:
    """The one pass over the training tracklets that fills the memory, before any training.

    A tracklet's vector is the mean over its clips, a person's row the mean over tracklets; neither
    is normalised. Every tracklet is cut by the frame rule `frames_rule`, with the clip length of
    training, and its clips come in order, without augmentation:

        work = model.preparation(classes)           # None: nothing to do, or done already
        work.load_state_dict(saved)                 # if an earlier pass was interrupted
        work.add(clips, tracklets)                  # a batch, from clip number work.done on
        work.finish()                               # the rows are now in the model's buffer

    Sums are kept in float64, so that an interrupted pass that goes on from its saved state, with
    batches cut at the same places, ends with the same bits.

    Args:
        memory: that is filled.
        encode: [B, T, 3, H, W] -> [B, D], a clip's vector.
        classes: [N] class of each training tracklet, 0..K-1.
    """

    frames_rule = "dense"

    def __init__(self, memory: CLIPMemory, encode: Callable[[Tensor], Tensor], classes: Tensor):
        persons, width = memory.rows.shape
        self.memory, self.encode, self.classes = memory, encode, classes.cpu()
        if self.classes.unique().tolist() != list(range(persons)):
            raise ValueError(
                f"the tracklets have {len(self.classes.unique())} classes from "
                f"{int(self.classes.min())} to {int(self.classes.max())}, expected each of "
                f"0..{persons - 1}"
            )
        self.sums = torch.zeros(len(classes), width, dtype=torch.float64)
        self.clips = torch.zeros(len(classes), dtype=torch.int64)

    @property
    def done(self) -> int:
        """Clips that have been added."""
        return int(self.clips.sum())

    @torch.no_grad()
    def add(self, clips: Tensor, tracklets: Tensor) -> None:
        """Clips [B, T, 3, H, W], on the model's device, of these tracklets [B] (rows 0..N-1)."""
        tracklets = tracklets.cpu()
        self.sums.index_add_(0, tracklets, self.encode(clips).double().cpu())
        self.clips.index_add_(0, tracklets, torch.ones_like(tracklets))

    def state_dict(self) -> dict[str, Tensor]:
        """All there is to save: ``sums`` [N, D] float64 and ``clips`` [N]."""
        return {"sums": self.sums, "clips": self.clips}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state.

        Raises:
            ValueError: it is of another pass.
        """
        found = {name: (value.shape, value.dtype) for name, value in state.items()}
        expected = {name: (value.shape, value.dtype) for name, value in self.state_dict().items()}
        if found != expected or not state["sums"].isfinite().all() or (state["clips"] < 0).any():
            raise ValueError("it is of another pass, or holds what is no number")
        self.sums.copy_(state["sums"])
        self.clips.copy_(state["clips"])

    def finish(self) -> None:
        """Fill the memory.

        Raises:
            ValueError: a tracklet had no clip.
        """
        if not self.clips.all():
            first = int((self.clips == 0).nonzero()[0])
            raise ValueError(f"tracklet {first} of {len(self.clips)} has had no clip yet")
        vectors = self.sums / self.clips[:, None]  # [N, D]
        rows = torch.zeros(self.memory.rows.shape, dtype=torch.float64)
        rows.index_add_(0, self.classes, vectors)
        self.memory.fill(rows / self.classes.bincount()[:, None])
