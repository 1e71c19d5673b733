"""Files and networks as the authors of STE-NVAN released them, made on the spot."""

import torch
import torch.nn.functional as F

LAYERS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)
NL = {"2": (2, 3), "3": (3, 4, 5)}  # after which blocks their non-local layers stand


def released(kind, persons=7, seed=0):
    """A state dict with the keys and shapes of the authors' files, weights random."""
    torch.manual_seed(seed)
    state = {}

    def conv(key, out, inside, size):
        state[f"{key}.weight"] = (
            torch.randn(out, inside, size, size) * (2 / (inside * size * size)) ** 0.5
        )

    def norm(key, width):
        state[f"{key}.weight"] = torch.rand(width) * 0.5 + 0.5
        state[f"{key}.bias"] = torch.randn(width) * 0.1
        state[f"{key}.running_mean"] = torch.randn(width) * 0.1
        state[f"{key}.running_var"] = torch.rand(width) + 0.5
        state[f"{key}.num_batches_tracked"] = torch.tensor(100)

    base = "module.features.backbone"
    conv(f"{base}.conv1", 64, 3, 7)
    norm(f"{base}.bn1", 64)
    inside = 64
    for stage, (depth, width) in enumerate(zip(LAYERS, WIDTHS, strict=True), start=1):
        for block in range(depth):
            key = f"{base}.layer{stage}.{block}"
            conv(f"{key}.conv1", width, inside, 1)
            conv(f"{key}.conv2", width, width, 3)
            conv(f"{key}.conv3", 4 * width, width, 1)
            for i, w in ((1, width), (2, width), (3, 4 * width)):
                norm(f"{key}.bn{i}", w)
            if block == 0:
                conv(f"{key}.downsample.0", 4 * width, inside, 1)
                norm(f"{key}.downsample.1", 4 * width)
            inside = 4 * width
    if kind != "resnet50_avg":
        for stage, width in (("2", 512), ("3", 1024)):
            for place in range(len(NL[stage])):
                key = f"{base}.NL_{stage}.{place}"
                for part in ("g", "theta", "phi"):
                    state[f"{key}.{part}.weight"] = torch.randn(width // 2, width, 1, 1, 1) / width
                    state[f"{key}.{part}.bias"] = torch.randn(width // 2) * 0.01
                state[f"{key}.W.0.weight"] = (
                    torch.randn(width, width // 2, 1, 1, 1) / (width / 2) ** 0.5
                )
                state[f"{key}.W.0.bias"] = torch.randn(width) * 0.01
                norm(f"{key}.W.1", width)
    norm("module.bottleneck", 2048)
    state["module.classifier.weight"] = torch.randn(persons, 2048) * 0.01
    return state


def theirs(state, kind, clips):
    """The authors' network in evaluation, operation by operation, with an explicit softmax."""
    get = lambda key: state[f"module.{key}"]  # noqa: E731
    base = "features.backbone"

    def bn(x, key):
        return F.batch_norm(
            x,
            get(f"{key}.running_mean"),
            get(f"{key}.running_var"),
            get(f"{key}.weight"),
            get(f"{key}.bias"),
        )

    def non_local(x, key):  # [B, C, T, H, W]
        shape = x.shape
        if kind == "stenvan":  # 16 horizontal stripes, windows of two frames
            b, c, t, h, w = shape
            small = x.reshape(b, c, t, 16, h // 16, w).mean((4, 5))[..., None]  # [B, C, T, 16, 1]
            parts = [attend(small[:, :, i : i + 2], key) for i in range(0, t, 2)]
            y = torch.cat(parts, 2)
            return x + y.repeat_interleave(h // 16, 3).expand(shape)
        return x + attend(x, key)

    def attend(x, key):
        g, theta, phi = (
            F.conv3d(x, get(f"{key}.{p}.weight"), get(f"{key}.{p}.bias")).flatten(2)
            for p in ("g", "theta", "phi")
        )
        weights = (theta.transpose(1, 2) @ phi).softmax(-1)
        y = (weights @ g.transpose(1, 2)).transpose(1, 2).reshape(g.shape[:2] + x.shape[2:])
        return bn(F.conv3d(y, get(f"{key}.W.0.weight"), get(f"{key}.W.0.bias")), f"{key}.W.1")

    b = len(clips)
    x = F.conv2d(clips.flatten(0, 1), get(f"{base}.conv1.weight"), stride=2, padding=3)
    x = F.max_pool2d(bn(x, f"{base}.bn1"), 3, 2, 1)  # no activation between
    for stage, depth in enumerate(LAYERS, start=1):
        for block in range(depth):
            key = f"{base}.layer{stage}.{block}"
            stride = 2 if block == 0 and stage in (2, 3) else 1  # the last stage keeps its size
            y = bn(F.conv2d(x, get(f"{key}.conv1.weight")), f"{key}.bn1").relu()
            y = bn(
                F.conv2d(y, get(f"{key}.conv2.weight"), stride=stride, padding=1), f"{key}.bn2"
            ).relu()
            y = bn(F.conv2d(y, get(f"{key}.conv3.weight")), f"{key}.bn3")
            if block == 0:
                x = bn(
                    F.conv2d(x, get(f"{key}.downsample.0.weight"), stride=stride),
                    f"{key}.downsample.1",
                )
            x = (x + y).relu()
            if kind != "resnet50_avg" and block in NL.get(str(stage), ()):
                v = x.unflatten(0, (b, -1)).transpose(1, 2)
                v = non_local(v, f"{base}.NL_{stage}.{NL[str(stage)].index(block)}")
                x = v.transpose(1, 2).flatten(0, 1)
        if kind == "stenvan" and stage in (2, 3):
            v = x.unflatten(0, (b, -1)).transpose(1, 2)
            x = F.max_pool3d(v, (2, 1, 1)).transpose(1, 2).flatten(0, 1)
    return bn(x.unflatten(0, (b, -1)).mean((1, 3, 4)), "bottleneck")
