"""Layers written out frame by frame, for the tests of several networks."""

import torch
import torch.nn.functional as F


def inflated_by_hand(conv, x, padding, taps=3):
    """Eq. 2 with each plane the 2D kernel / taps: one frame after another, [B, C, T, H, W]."""
    frames = x.shape[2]
    result = []
    for t in range(frames):
        total = 0.0
        for tap in range(-(taps // 2), taps // 2 + 1):
            s = t + tap
            if not 0 <= s < frames:
                if padding == "zeros":
                    continue
                s = min(max(s, 0), frames - 1)
            total = total + F.conv2d(
                x[:, :, s], conv.weight / taps, None, conv.stride, conv.padding, 1, conv.groups
            )
        result.append(total)
    return torch.stack(result, 2)


def attention_by_hand(layer, x):
    """One clip [T, D, H, W] in float64: the weights of its frames, and the weighted sum."""
    hidden = []
    for frame in x:
        total = (layer.spatial.weight * frame).sum((1, 2, 3)) + layer.spatial.bias
        hidden.append(total.clamp_min(0))
    scores = []
    for t in range(len(x)):
        total = layer.temporal.bias[0]
        for tap, s in enumerate((t - 1, t, t + 1)):
            if 0 <= s < len(x):  # zeros before the first and after the last frame
                total = total + layer.temporal.weight[0, :, tap] @ hidden[s]
        scores.append(total.clamp_min(0))
    powers = [s.exp() for s in scores]
    weights = torch.stack([p / sum(powers) for p in powers])
    return weights, sum(w * frame.mean((1, 2)) for w, frame in zip(weights, x, strict=True))


def lstm_by_hand(layer, x):
    """One clip [T, D, H, W] in float64: gates step by step, the mean of the outputs."""
    lstm, width = layer.lstm, layer.width
    h = c = torch.zeros(width, dtype=torch.float64)
    outputs = []
    for frame in x:
        gates = (
            lstm.weight_ih_l0 @ frame.mean((1, 2))
            + lstm.bias_ih_l0
            + lstm.weight_hh_l0 @ h
            + lstm.bias_hh_l0
        )
        enter, forget, new, leave = gates.unflatten(0, (4, width))
        c = forget.sigmoid() * c + enter.sigmoid() * new.tanh()
        h = leave.sigmoid() * c.tanh()
        outputs.append(h)
    return sum(outputs) / len(outputs)


def mean_by_hand(layer, x):
    return sum(frame.mean((1, 2)) for frame in x) / len(x)
