"""A head of two halves: one BatchNorm, a classifier and losses for each half of the feature.

Hou et al.: "Temporal Complementary Learning for Video Person Re-Identification", ECCV 2020.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from methods.output import ClipOutput, HeadOutput


class PairHead(nn.Module):
    """A head whose feature has two halves: one BatchNorm, a classifier and losses for each half.

    Args:
        width: 2*D.
        num_classes: identities of the classifiers; 0 leaves them out.
    """

    parts = 2

    def __init__(self, width: int, num_classes: int):
        super().__init__()
        self.width, self.neck, self.classifier = width, nn.BatchNorm1d(width), None
        if num_classes:
            each = (nn.Linear(width // self.parts, num_classes) for _ in range(self.parts))
            self.classifier = nn.ModuleList(each)
            for layer in self.classifier:
                nn.init.normal_(layer.weight, std=0.001)
                nn.init.zeros_(layer.bias)

    def forward(self, feature: Tensor, penalties: Mapping[str, Tensor] | None = None) -> ClipOutput:
        """[B, 2*D] -> `ClipOutput` with two ``heads``; ``logits`` are the mean of theirs."""
        embedding = self.neck(feature)
        halves = [half.chunk(self.parts, 1) for half in (embedding, feature)]
        logits, mean = [None] * self.parts, None
        if self.classifier is not None:
            logits = [layer(e) for layer, e in zip(self.classifier, halves[0], strict=True)]
            mean = sum(logits) / self.parts
        heads = tuple(
            HeadOutput(e.float(), m.float(), own) for e, m, own in zip(*halves, logits, strict=True)
        )
        return ClipOutput(embedding.float(), feature.float(), mean, dict(penalties or {}), heads)
