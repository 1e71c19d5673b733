"""From a clip's feature to what retrieval compares and what the losses take: one head for all.

A comparison of attention methods must not measure their heads, so every method ends in this one,
kept as ``model.head``. What a paper does by itself is its *own* head; ``zoo.create(…, neck="bn")``
puts the same head behind every method instead.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from methods.output import ClipOutput, HeadOutput

NECKS = ("bn", "bn-bias", "none")


class Head(nn.Module):
    """Feature [B, D] -> BN neck, or none -> linear classifier -> `ClipOutput`.

    Args:
        width: D, dimensions of the feature.
        num_classes: identities of the classifier; 0 leaves it out.
        neck: ``bn``: BatchNorm with its bias fixed at 0; ``bn-bias``: its bias is trained;
            ``none``: metric and embedding are the feature itself.
        bias: of the classifier; None means that a BN neck goes with a classifier without bias, and
            no neck with one that has it.
        classifier_std: the classifier starts from N(0, classifier_std); None keeps PyTorch's
            default. It stands for 0.001 where there is a BN neck.
        dropout: share of the embedding that the classifier does not see in training, in [0, 1).

    Raises:
        ValueError: there is no such neck.
    """

    def __init__(
        self,
        width: int,
        num_classes: int,
        *,
        neck: str = "bn",
        bias: bool | None = None,
        classifier_std: float | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        if neck not in NECKS:
            raise ValueError(f"neck is {neck!r}, expected one of {', '.join(NECKS)}")
        self.width = width
        self._design = _design(neck, bias, classifier_std, dropout)
        _, bias, classifier_std, _ = self._design
        self.neck = nn.Identity() if neck == "none" else nn.BatchNorm1d(width)
        if neck == "bn":
            self.neck.bias.requires_grad_(False)  # fixed at 0
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.classifier = nn.Linear(width, num_classes, bias=bias) if num_classes else None
        if self.classifier is not None and classifier_std is not None:
            nn.init.normal_(self.classifier.weight, std=classifier_std)
            if bias:
                nn.init.zeros_(self.classifier.bias)

    def forward(self, feature: Tensor, penalties: Mapping[str, Tensor] | None = None) -> ClipOutput:
        """[B, D] -> `ClipOutput`: ``metric`` before the neck, ``embedding`` after it."""
        embedding = self.neck(feature)  # [B, D]
        logits = None
        if self.classifier is not None:
            logits = self.classifier(self.dropout(embedding))  # [B, num_classes]
        return ClipOutput(embedding.float(), feature.float(), logits, dict(penalties or {}))

    def is_plain(self, neck: str) -> bool:
        """True if it was built as ``Head(width, num_classes, neck=neck)`` would be."""
        return self._design == _design(neck, None, None, 0.0)

    def part(
        self, feature: Tensor, *, cross_entropy: float = 1.0, triplet: float = 1.0
    ) -> HeadOutput:
        """The same as one of several heads, with the weights of its two losses."""
        embedding, metric, logits, *_ = self(feature)
        return HeadOutput(embedding, metric, logits, cross_entropy, triplet)


def _design(
    neck: str, bias: bool | None, classifier_std: float | None, dropout: float
) -> tuple[str, bool, float | None, float]:
    """The arguments of a head, with what None stands for filled in."""
    if bias is None:
        bias = neck == "none"
    if classifier_std is None and neck != "none":
        classifier_std = 0.001
    return neck, bias, classifier_std, dropout
