"""Temporal convolutions inside residual blocks, over neighbours that may be aligned first.

Gu, Chang, Ma, Zhang, Chen: "Appearance-Preserving 3D Convolution for Video-based Person
Re-identification", ECCV 2020. S is a block's own 3×3 convolution, applied to each frame; a⁻ and a⁺
are the previous and the next frame, as they are or aligned to frame t cell by cell:

    I3D     S(x_t) + S⁻(a⁻) + S⁺(a⁺)            a 3×3×3 kernel
    P3D-A   K⁻a⁻ + K·y_t + K⁺a⁺                  in sequence,          y = S(x)
    P3D-B   S(x_t) + K⁻a⁻ + K·x_t + K⁺a⁺         in parallel,          with S's stride
    P3D-C   y_t + K⁻a⁻ + K·y_t + K⁺a⁺            a residual sequence,  y = S(x)

K⁻, K, K⁺ are the three taps of a 3×1×1 kernel. A network starts as its 2D one: outer taps at zero,
the inner one at the identity in P3D-A and at zero elsewhere.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.non_local import AttentionMaps, attend

KINDS = ("I3D", "A", "B", "C")
REDUCTION = 16  # channels of a block over those in which its cells are compared


class Alignment(nn.Module):
    """The Appearance-Preserving Module: a neighbouring frame rebuilt at each cell of a frame.

    Each cell i of frame t attends over the cells j of the neighbour,

        e = W_s x / |W_s x|,   A_ij = softmax_j(s · e_i · e_j),   x̂_i = Σ_j A_ij x_j           (1)

    and a gate judges what was found there (contrastive attention):

        c_i = σ(w · (W_x x_i ⊙ W_n x̂_i)),   a_i = c_i x̂_i                                     (2)

    The gate's inputs are detached: it learns, but sends no gradient into the features.

    Args:
        channels: C; the W put out C/16, at least 2: one alone would be normalised to its sign. None
            of them has a bias.
        temperature: s.
        gate: False leaves out eq. 2, so that a = x̂.

    Raises:
        ValueError: the temperature is not above 0.
    """

    def __init__(self, channels: int, *, temperature: float = 4.0, gate: bool = True):
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature is {temperature}, expected a number above 0, e.g. 4")
        self.temperature, self.gate = temperature, gate
        narrow = max(channels // REDUCTION, 2)
        self.similarity = nn.Conv2d(channels, narrow, 1, bias=False)  # W_s
        if gate:
            self.gate_own = nn.Conv2d(channels, narrow, 1, bias=False)  # W_x
            self.gate_found = nn.Conv2d(channels, narrow, 1, bias=False)  # W_n
            self.gate_out = nn.Conv2d(narrow, 1, 1, bias=False)  # w

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> tuple[Tensor, Tensor]:
        """[B*T, C, h, w] -> the previous and the next frame as each frame sees them, like ``x``.

        Beyond the ends of a clip of T = ``frames`` there are frames of zeros, which give zeros.

        With ``maps``, the weights c·A of three cells of the middle frame (a quarter, half and
        three quarters down, in the middle column) are put under ``name`` as [B, 3, T, h, w]. They
        sum to the gate c on either neighbour, and are zero on all other frames.
        """
        e = F.normalize(self.similarity(x), dim=1)  # [B*T, C/16, h, w], eq. 1
        queries = self.temperature * cells(e)  # [B*T, h*w, C/16]
        both, weights = [], []
        for offset in (-1, 1):
            keys = cells(neighbour(e, frames, offset))
            found = attend(queries, keys, cells(neighbour(x, frames, offset)))  # [B*T, h*w, C]
            found = found.transpose(1, 2).unflatten(2, x.shape[-2:])  # [B*T, C, h, w]
            gate = self._gate(x, found) if self.gate else torch.ones_like(found[:, :1])
            both.append(gate * found)
            if maps is not None:
                weights.append(_middle(queries, keys, gate, frames))
        if maps is not None:
            maps[name] = _beside_the_middle(*weights, frames).unflatten(3, x.shape[-2:])
        return both[0], both[1]

    def _gate(self, x: Tensor, found: Tensor) -> Tensor:
        """[B*T, C, h, w] twice -> [B*T, 1, h, w], eq. 2."""
        product = self.gate_own(x.detach()) * self.gate_found(found.detach())  # [B*T, C/16, h, w]
        return self.gate_out(product).sigmoid()


class TemporalConv(nn.Module):
    """What takes the place of a bottleneck's 3×3 convolution S; S stays where it is.

    Args:
        conv: S, to be given to ``forward`` as well.
        kind: ``I3D``, ``A``, ``B`` or ``C``.
        aligned: whether the neighbours are aligned, in S's input where the kernels work beside S
            (I3D, B) and in its output else, or taken as they are.
        temperature, gate: of the `Alignment`.

    Raises:
        ValueError: there is no such kind, or the temperature is not above 0.
    """

    def __init__(
        self,
        conv: nn.Conv2d,
        kind: str,
        *,
        aligned: bool,
        temperature: float = 4.0,
        gate: bool = True,
    ):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
        self.kind = kind
        channels = conv.in_channels if self._beside else conv.out_channels
        self.alignment = (
            Alignment(channels, temperature=temperature, gate=gate) if aligned else None
        )
        self.before, self.after = _zero(_tap(conv, kind)), _zero(_tap(conv, kind))
        self.own = None if kind == "I3D" else _zero(_tap(conv, kind))  # S is I3D's middle tap
        if kind == "A":
            nn.init.dirac_(self.own.weight)

    def forward(
        self,
        conv: nn.Conv2d,
        x: Tensor,
        frames: int,
        *,
        maps: AttentionMaps | None = None,
        name: str = "",
    ) -> Tensor:
        """[B*T, C, H, W] -> [B*T, C, h, w], as ``conv`` does."""
        y = conv(x)  # [B*T, C, h, w]
        source = x if self._beside else y
        if self.alignment is None:
            before, after = neighbour(source, frames, -1), neighbour(source, frames, 1)
        else:
            before, after = self.alignment(source, frames, maps=maps, name=name)
        out = self.before(before) + self.after(after)
        if self.own is not None:
            out = out + self.own(source)
        return out if self.kind == "A" else y + out

    @property
    def _beside(self) -> bool:
        """Whether the kernels see what S sees, and not what it puts out."""
        return self.kind in ("I3D", "B")


def neighbour(x: Tensor, frames: int, offset: int) -> Tensor:
    """[B*T, C, h, w] -> at t frame t + ``offset`` (1 or -1) of its clip; zeros beyond the ends."""
    x = x.unflatten(0, (-1, frames))  # [B, T, C, h, w]
    zeros = torch.zeros_like(x[:, :1])
    pair = (x[:, 1:], zeros) if offset == 1 else (zeros, x[:, :-1])
    return torch.cat(pair, 1).flatten(0, 1)


def cells(x: Tensor) -> Tensor:
    """[N, C, h, w] -> [N, h*w, C]."""
    return x.flatten(2).transpose(1, 2)


def _tap(conv: nn.Conv2d, kind: str) -> nn.Conv2d:
    """One frame's kernel: as large as S in I3D, a matrix of channels else."""
    inside, out, stride = conv.in_channels, conv.out_channels, conv.stride
    if kind == "I3D":
        size, padding, groups = conv.kernel_size, conv.padding, conv.groups
        return nn.Conv2d(inside, out, size, stride, padding, groups=groups, bias=False)
    if kind == "B":
        return nn.Conv2d(inside, out, 1, stride, bias=False)
    return nn.Conv2d(out, out, 1, bias=False)


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    return conv


def _middle(queries: Tensor, keys: Tensor, gate: Tensor, frames: int) -> Tensor:
    """c·A of three cells of the middle frame over one neighbour: [B, 3, h*w]."""
    rows, columns = gate.shape[-2:]
    places = [rows * i // 4 * columns + columns // 2 for i in (1, 2, 3)]
    q, k, c = (t.unflatten(0, (-1, frames))[:, frames // 2] for t in (queries, keys, gate))
    weights = (q[:, places] @ k.transpose(1, 2)).softmax(-1)  # [B, 3, h*w]
    return c.flatten(1)[:, places, None] * weights


def _beside_the_middle(before: Tensor, after: Tensor, frames: int) -> Tensor:
    """[B, 3, h*w] twice -> [B, 3, T, h*w]; what lies beyond the clip is left out."""
    middle = frames // 2
    out = before.new_zeros(*before.shape[:2], frames, before.shape[2])
    if middle > 0:
        out[:, :, middle - 1] = before
    if middle + 1 < frames:
        out[:, :, middle + 1] = after
    return out
