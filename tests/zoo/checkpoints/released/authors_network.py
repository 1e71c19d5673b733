"""A state dict in an authors' layout, filled at random, and the arithmetic of its layers."""

import torch
import torch.nn.functional as F

WIDTHS = (64, 128, 256, 512)  # of ResNet-50's stages, inside a block


class AuthorsNetwork:
    """Tensors by the authors' names, in float64, and layers that look theirs up.

    Args:
        planes: kernels over space are [o, i, 1, k, k].
        seed: of the weights; BatchNorm's statistics are random, too.
    """

    def __init__(self, *, planes=False, seed=0):
        self.state, self.planes = {}, planes
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self, *shape, scale=1.0):
        return scale * torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    # ---- what the file holds

    def add(self, key, *shape, bias=False):
        fan_in = torch.tensor(shape[1:]).prod().item()
        self.state[f"{key}.weight"] = self.draw(*shape, scale=fan_in**-0.5)
        if bias:
            self.state[f"{key}.bias"] = self.draw(shape[0], scale=0.3)

    def add_conv(self, key, out, inside, size):
        depth = (1,) if self.planes else ()
        self.add(key, out, inside, *depth, size, size)

    def add_norm(self, key, width):
        self.state[f"{key}.weight"] = 0.5 + self.draw(width).abs()
        self.state[f"{key}.bias"] = self.draw(width, scale=0.3)
        self.state[f"{key}.running_mean"] = self.draw(width, scale=0.3)
        self.state[f"{key}.running_var"] = 0.5 + self.draw(width).abs()
        self.state[f"{key}.num_batches_tracked"] = torch.tensor(100)

    def add_stem(self, conv="conv1", norm="bn1"):
        self.add_conv(conv, 64, 3, 7)
        self.add_norm(norm, 64)

    def add_block(self, key, inside, width, *, first):
        self.add_conv(f"{key}.conv1", width, inside, 1)
        self.add_conv(f"{key}.conv2", width, width, 3)
        self.add_conv(f"{key}.conv3", 4 * width, width, 1)
        for i, channels in ((1, width), (2, width), (3, 4 * width)):
            self.add_norm(f"{key}.bn{i}", channels)
        if first:
            self.add_conv(f"{key}.downsample.0", 4 * width, inside, 1)
            self.add_norm(f"{key}.downsample.1", 4 * width)

    def add_stage(self, key, stage, blocks):
        """Stage 1 to 4 as ``<key>.0`` and so on."""
        width = WIDTHS[stage - 1]
        inside = 2 * width if stage > 1 else 64
        for block in range(blocks):
            self.add_block(
                f"{key}.{block}", inside if block == 0 else 4 * width, width, first=block == 0
            )

    # ---- what the network computes, on [N, C, H, W]

    def conv(self, key, x, **where):
        weight = self.state[f"{key}.weight"]
        if weight.ndim == 5:
            weight = weight.squeeze(2)
        return F.conv2d(x, weight, self.state.get(f"{key}.bias"), **where)

    def norm(self, key, x):
        """BatchNorm over dimension 1."""
        part = {
            name: self.state[f"{key}.{name}"]
            for name in ("running_mean", "running_var", "weight", "bias")
        }
        return F.batch_norm(x, **part)

    def stem(self, x, conv="conv1", norm="bn1"):
        x = self.norm(norm, self.conv(conv, x, stride=2, padding=3)).relu()
        return F.max_pool2d(x, 3, 2, 1)

    def block(self, key, x, stride=1):
        y = self.norm(f"{key}.bn1", self.conv(f"{key}.conv1", x)).relu()
        y = self.norm(f"{key}.bn2", self.conv(f"{key}.conv2", y, stride=stride, padding=1)).relu()
        y = self.norm(f"{key}.bn3", self.conv(f"{key}.conv3", y))
        if f"{key}.downsample.0.weight" in self.state:
            x = self.norm(f"{key}.downsample.1", self.conv(f"{key}.downsample.0", x, stride=stride))
        return (x + y).relu()

    def stage(self, key, x, blocks, stride):
        for block in range(blocks):
            x = self.block(f"{key}.{block}", x, stride if block == 0 else 1)
        return x
