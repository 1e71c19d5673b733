"""The STE-NVAN repository: ``module.features.backbone.layer1.0.conv1.weight``."""

import re

# theirs have no activation in the stem, and S = 16 at 256 pixels
NETWORKS = {
    "resnet50_avg": "resnet50_avg[stem_activation=false]",
    "nvan": "nvan[stem_activation=false]",
    "stenvan": "stenvan[stem_activation=false]",
}
ORIGIN = "github.com/jackie840129/STE-NVAN"
DROPPED = {"classifier.": "the classifier of the training identities; retrieval needs none"}
_FIRST_BLOCK = {"2": 2, "3": 3}  # NL_2.0 follows layer2's block 2, NL_3.0 layer3's block 3


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    if found := re.fullmatch(
        r"features\.backbone\.NL_([23])\.(\d)\.(g|theta|phi|W\.0|W\.1)\.(\w+)", key
    ):
        stage, place, part, field = found.groups()
        part = {"W.0": "out", "W.1": "norm"}.get(part, part)
        block = _FIRST_BLOCK[stage] + int(place)
        return f"non_local.stage{stage}_block{block}.{part}.{field}"
    if found := re.fullmatch(r"features\.backbone\.((?:conv1|bn1|layer[1-4]\.).*)", key):
        return f"frames.{found[1]}"
    if found := re.fullmatch(r"bottleneck\.(\w+)", key):
        return f"head.neck.{found[1]}"
    return None
