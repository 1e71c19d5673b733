"""A result's label: ``<protocol>@<version>/<distance>/<frames>[/<rerank>]``, and nothing of torch.

Results under two labels are never ranked in one table.
"""

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"(?P<protocol>[\w.-]+)@(?P<version>\d+)/(?P<distance>[\w-]+)/(?P<frames>[\w-]+)"
    r"(?:/(?P<rerank>kr[\w-]*\([^/()]+\)))?"
)
_FILE_SAFE = str.maketrans({"/": "_", "(": "-", ",": "-", ")": None})


@dataclass(frozen=True, order=True)
class Label:
    """Under which rules a number was made.

    Attributes:
        protocol: name of the ranking rules, e.g. ``mars-official``.
        version: of the protocol, from 1.
        distance: ``cos-bn``, ``cos-raw``, ``l2sq-bn`` or ``l2sq-raw``.
        frames: frame rule in test, e.g. ``chunk-first8``.
        rerank: re-ranking in its canonical form, e.g. ``kr(20,6,0.3)``; None without.
    """

    protocol: str
    version: int
    distance: str
    frames: str
    rerank: str | None = None

    def __str__(self) -> str:
        text = f"{self.protocol}@{self.version}/{self.distance}/{self.frames}"
        return text if self.rerank is None else f"{text}/{self.rerank}"

    @property
    def slug(self) -> str:
        """The same, for a file name."""
        return str(self).translate(_FILE_SAFE)

    @classmethod
    def parse(cls, text: str) -> "Label":
        """Read a label.

        Raises:
            ValueError: the text is none.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError(
                f"{text!r} is no label: expected PROTOCOL@VERSION/DISTANCE/FRAMES[/RERANK], "
                "e.g. mars-official@1/cos-bn/chunk-first8"
            )
        return cls(
            found["protocol"],
            int(found["version"]),
            found["distance"],
            found["frames"],
            found["rerank"],
        )
