"""The non-local layer: embedded Gaussian (Wang et al., CVPR 2018; STE-NVAN, BMVC 2019, eq. 1).

    y_i = softmax_j(θ(x_i)ᵀ φ(x_j)) g(x_j),   z_i = BN(W y_i) + x_i

over all positions of a clip, without a 1/√d scale. BN starts at zero, so that a new layer changes
nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCK = 256  # queries whose attention is in memory together where it is computed block by block

AttentionMaps = dict[str, Tensor]  # by name; a forward pass that is given one fills it


class NonLocal(nn.Module):
    """Attention over the positions of a clip.

    Args:
        channels: C.
        window: None for the whole clip, else attention within groups of that many adjacent frames.
        pool_keys: max-pool φ and g over 2×2 cells, so that a clip has a quarter of the keys (AP3D,
            ECCV 2020).
    """

    def __init__(self, channels: int, *, window: int | None = None, pool_keys: bool = False):
        super().__init__()
        self.window = window
        self.pool_keys = nn.MaxPool2d(2) if pool_keys else nn.Identity()
        self.theta = nn.Conv2d(channels, channels // 2, 1)
        self.phi = nn.Conv2d(channels, channels // 2, 1)
        self.g = nn.Conv2d(channels, channels // 2, 1)
        self.out = nn.Conv2d(channels // 2, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(
        self,
        x: Tensor,
        frames: int,
        *,
        stripes: int | None = None,
        maps: AttentionMaps | None = None,
        name: str = "",
    ) -> Tensor:
        """[B*T, C, H, W] -> the same, attending over T = ``frames`` frames.

        With ``stripes``, the map is first averaged into that many horizontal stripes, and what
        attention adds is repeated over each stripe's cells (STE-NVAN, Sec. 3.2).

        With ``maps``, the attention of three cells of the middle frame (a quarter, half and three
        quarters down, in the middle column) is noted under ``name`` as [B, 3, T, rows, columns]; it
        is zero outside a cell's window.
        """
        window = self.window or frames
        height, width = x.shape[-2:]
        cells = x if stripes is None else stripe_means(x, stripes)  # [B*T, C, h, w]
        q = tokens(self.theta(cells), window)  # [B', window*h*w, C/2] with B' = B*T/window
        k, v = (tokens(self.pool_keys(conv(cells)), window) for conv in (self.phi, self.g))
        y = attend(q, k, v)
        if maps is not None:
            maps[name] = attention_of_cells(q, k, frames, window, cells.shape[-2:])
        y = y.unflatten(1, (window, -1)).flatten(0, 1).transpose(1, 2)  # [B*T, C/2, h*w]
        y = self.norm(self.out(y.unflatten(2, cells.shape[-2:])))  # [B*T, C, h, w]
        if stripes is not None:
            y = y.repeat_interleave(height // stripes, 2).expand(-1, -1, -1, width)
        return x + y


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q kᵀ) v for [B, N, d], with no N×N matrix in memory.

    Fused attention (contiguous inputs needed) does it everywhere but for bfloat16 without
    gradients on a CPU: PyTorch's fused CPU kernel is no faster there than in float32, while plain
    products of a block of queries are about twice as fast. Logits are rounded to bfloat16 there:
    where they spread over 100, y is off by about 1 %, and embeddings of trained networks by 0.1 %
    (tests/methods/test_precision.py); the rest of a network in bfloat16 moves them by 1 %.
    """
    q, k, v = (t.contiguous() for t in (q, k, v))
    if q.device.type == "cpu" and q.dtype == torch.bfloat16 and not torch.is_grad_enabled():
        return torch.cat([(b @ k.mT).softmax(-1) @ v for b in q.split(BLOCK, 1)], 1)
    q, k, v = (t.unsqueeze(1) for t in (q, k, v))  # [B, 1 head, N, d]
    return F.scaled_dot_product_attention(q, k, v, scale=1.0).squeeze(1)


def tokens(x: Tensor, window: int) -> Tensor:
    """[B*T, d, h, w] -> [B*T/window, window*h*w, d]."""
    return x.flatten(2).transpose(1, 2).unflatten(0, (-1, window)).flatten(1, 2)


def stripe_means(x: Tensor, stripes: int) -> Tensor:
    """[N, C, H, W] -> [N, C, S, 1]: means over H/S rows and all columns."""
    check_stripes(x.shape[2], stripes, "this map")
    return x.unflatten(2, (stripes, -1)).mean((3, 4)).unsqueeze(3)


def check_stripes(rows: int, stripes: int, stage: str) -> None:
    """Refuse stripes that do not divide the rows.

    Raises:
        ValueError: the message names stage, rows, S and the divisors.
    """
    if stripes < 1 or rows % stripes:
        divisors = [s for s in range(1, rows + 1) if rows % s == 0]
        raise ValueError(
            f"S = {stripes} stripes do not divide the {rows} rows of {stage}: S may be one of "
            f"{divisors}"
        )


def attention_of_cells(
    q: Tensor, k: Tensor, frames: int, window: int, size: tuple[int, int]
) -> Tensor:
    """Attention of three cells of the middle frame: [B, 3, T, rows, columns].

    A key that stands for 2×2 cells (``pool_keys``) shares its attention out among them.
    """
    rows, columns = size
    middle = frames // 2
    group, place = divmod(middle, window)
    cells = [place * rows * columns + rows * i // 4 * columns + columns // 2 for i in (1, 2, 3)]
    q, k = (t.unflatten(0, (-1, frames // window))[:, group] for t in (q, k))  # [B, window*h*w, d]
    weights = (q[:, cells] @ k.transpose(1, 2)).softmax(-1)  # [B, 3, window*h*w]
    if weights.shape[2] == window * rows * columns:
        weights = weights.unflatten(2, (window, rows, columns))
    else:
        weights = weights.unflatten(2, (window, rows // 2, columns // 2)) / 4
        weights = weights.repeat_interleave(2, 3).repeat_interleave(2, 4)
        weights = F.pad(weights, (0, columns % 2, 0, rows % 2))  # an odd last cell has no key
    before, after = group * window, frames - (group + 1) * window
    return F.pad(weights, (0, 0, 0, 0, before, after))
