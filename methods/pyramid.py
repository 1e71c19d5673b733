"""A level of PSTA's pyramid: pairs of frames merged with gates from the affinities of their cells.

Wang, Zhang, Gao, Geng, Lu, Wang: "Pyramid Spatial-Temporal Aggregation for Video-based Person
Re-Identification", ICCV 2021. What the two frames of a pair have in common is gated in TRA, what
stands out in each of them in SRA. The authors' released networks square TRA's merged map, and only
that one; so does this one. `methods.psta` tells of decisions.
"""

import torch
from torch import Tensor, nn

from methods.non_local import AttentionMaps
from methods.precision import at_least_float32, without_autocast


class PairGates(nn.Module):
    """TRA: gates of both frames of a pair, from their affinities to one another.

    Args:
        channels: C.
        cells: n = H·W of the map.
    """

    def __init__(self, channels: int, cells: int):
        super().__init__()
        thin = channels // 8
        self.gamma = nn.Sequential(*conv_norm_relu(channels, thin))
        self.beta = nn.Sequential(*conv_norm_relu(channels, thin))
        self.relation = nn.Sequential(*conv_norm_relu(2 * cells, thin))  # ρ
        self.joint = nn.Sequential(*conv_norm_relu(2 * thin, thin))  # ε
        self.gate = nn.Sequential(nn.Conv2d(2 * thin, 1, 1, bias=False), nn.BatchNorm2d(1))
        self.theta = nn.Conv1d(channels, thin, 1, bias=False)
        self.channel = _perceptron(2 * thin, thin, channels)

    def forward(self, x: Tensor, embedded: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
        """Gates of cells [P, 2, 1, H, W] and of channels [P, 2, C, 1, 1].

        Args:
            x: [P, 2, C, H, W], both frames of each pair.
            embedded: [P, 2, C/8, H, W], the e of their cells.
            means: [P, 2, C] over their cells.
        """
        between = relations(_each(self.gamma, x), _each(self.beta, x), across=True)
        with without_autocast(x):
            rho = _each(self.relation, between)  # [P, 2, C/8, H, W]
        epsilon = _each(self.joint, torch.cat([embedded, _other(embedded)], 2))
        cells = _each(self.gate, torch.cat([epsilon, rho], 2)).sigmoid()  # s
        theta = self.theta(means.flatten(0, 1)[..., None]).relu().squeeze(2)  # [P*2, C/8]
        theta = theta.unflatten(0, (-1, 2))
        channels = self.channel(torch.cat([theta, _other(theta)], 2)).sigmoid()  # c
        return cells, channels[..., None, None]


class FrameGates(nn.Module):
    """SRA: gates of a frame from the affinities inside it; arguments as of `PairGates`."""

    def __init__(self, channels: int, cells: int):
        super().__init__()
        thin = channels // 8
        self.alpha = nn.Sequential(*conv_norm_relu(channels, thin))
        self.delta = nn.Sequential(*conv_norm_relu(channels, thin))
        self.relation = nn.Sequential(*conv_norm_relu(2 * cells, thin))  # ρ
        self.gate = nn.Sequential(
            *conv_norm_relu(2 * thin, thin), nn.Conv2d(thin, 1, 1, bias=False), nn.BatchNorm2d(1)
        )
        self.channel = _perceptron(channels, thin, channels)

    def forward(self, x: Tensor, embedded: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
        """As `PairGates`: s' [P, 2, 1, H, W] and c' [P, 2, C, 1, 1]."""
        within = relations(_each(self.alpha, x), _each(self.delta, x), across=False)
        with without_autocast(x):
            rho = _each(self.relation, within)  # [P, 2, C/8, H, W]
        cells = _each(self.gate, torch.cat([embedded, rho], 2)).sigmoid()  # s'
        return cells, self.channel(means).sigmoid()[..., None, None]


class Level(nn.Module):
    """One level of the pyramid, STAM: T' frames to T'/2; arguments as of `PairGates`."""

    def __init__(self, channels: int, cells: int):
        super().__init__()
        middle = channels // 4
        self.embed = nn.Sequential(
            *conv_norm_relu(channels, middle), *conv_norm_relu(middle, middle // 2)
        )
        self.between = PairGates(channels, cells)
        self.within = FrameGates(channels, cells)
        self.refine = nn.Sequential(
            *conv_norm_relu(channels, middle),
            *conv_norm_relu(middle, middle, 3),
            *conv_norm_relu(middle, channels),
        )

    def forward(self, x: Tensor, maps: AttentionMaps | None = None, name: str = "") -> Tensor:
        """[B, T', C, H, W] -> [B, T'/2, C, H, W].

        With ``maps``, the gates of the cells are noted under ``<name>_pair_gates`` and
        ``<name>_frame_gates``, [B, T', H, W].
        """
        batch = len(x)
        x = x.flatten(0, 1).unflatten(0, (-1, 2))  # [P, 2, C, H, W], P = B*T'/2
        embedded, means = _each(self.embed, x), x.mean((3, 4))  # e and v
        s, c = self.between(x, embedded, means)
        within_s, within_c = self.within(x, embedded, means)
        merged = _merged(x, s, c).square() + _merged(x, within_s, within_c)  # Z, then Y
        if maps is not None:
            gates = {"pair": s, "frame": within_s}
            for kind, gate in gates.items():
                maps[f"{name}_{kind}_gates"] = gate.flatten(0, 2).unflatten(0, (batch, -1))
        return self.refine(merged).unflatten(0, (batch, -1))


def relations(queries: Tensor, keys: Tensor, *, across: bool) -> Tensor:
    """What each cell has to do with n others: [P, 2, d, H, W] twice -> [P, 2, 2n, H, W].

    Entry k < n of a cell p is ⟨query of p, key of k⟩, entry n + k ⟨query of k, key of p⟩, where the
    k are the cells of the other frame if ``across``, else of its own.
    """
    with without_autocast(queries):
        q, k = (at_least_float32(x).flatten(3) for x in (queries, keys))  # [P, 2, d, n]
        to = q.transpose(2, 3) @ (_other(k) if across else k)  # [P, 2, n, n], A[p, k]
        back = _other(to) if across else to  # A[k, p]
        return torch.cat([to.transpose(2, 3), back], 2).unflatten(3, queries.shape[3:])


def _other(x: Tensor) -> Tensor:
    """[P, 2, ...] with the frames of each pair swapped."""
    return x.roll(1, 1)


def _each(layer: nn.Module, x: Tensor) -> Tensor:
    """A layer for [N, C, H, W] on each frame of [P, 2, C, H, W]."""
    return layer(x.flatten(0, 1)).unflatten(0, (-1, 2))


def _merged(x: Tensor, cells: Tensor, channels: Tensor) -> Tensor:
    """ReLU(c₀ s₀ F₀ + c₁ s₁ F₁), [P, C, H, W], in float32 for the square to come."""
    return at_least_float32((channels * cells * x).sum(1).relu())


def conv_norm_relu(inside: int, out: int, kernel: int = 1) -> tuple[nn.Module, ...]:
    """Convolution without bias, BatchNorm, ReLU."""
    conv = nn.Conv2d(inside, out, kernel, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True)


def _perceptron(inside: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inside, hidden), nn.ReLU(), nn.Linear(hidden, out))
