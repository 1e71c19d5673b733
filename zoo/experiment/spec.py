"""What a run is, and under which conditions it is carried out."""

import dataclasses
import json
from dataclasses import dataclass

from benchmark import files
from benchmark.datasets.base import Dataset
from benchmark.recipes import Recipe
from zoo import registry


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What a run is. Two runs with the same specification are the same run.

    Attributes:
        method: canonical variant.
        backbone: canonical variant of the timm network.
        recipe: canonical variant.
        settings: every field of the recipe, so that a recipe that changes makes another run.
        dataset: canonical variant; ``fingerprint``: which bits; ``split``: which of its splits.
        seed: of everything random.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
        checkpoint: ``<name>@<sha256>`` of the weights, if they are taken and not trained.
    """

    method: str
    backbone: str
    recipe: str
    settings: dict
    dataset: str
    fingerprint: str
    split: int
    seed: int
    precision: str
    checkpoint: str | None = None

    @property
    def id(self) -> str:
        """Hash of the specification, 12 hexadecimal digits."""
        return files.hash_of(self.as_dict())

    def as_dict(self) -> dict:
        """Its fields; ``checkpoint`` only where there is one."""
        fields = dataclasses.asdict(self)
        return fields if self.checkpoint else {k: fields[k] for k in fields if k != "checkpoint"}

    @property
    def folder(self) -> str:
        """Name of the run's folder."""
        return f"{registry.variants.parse(self.method).slug}-{self.id}"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Where and how a run is carried out; none of this changes its result.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        workers: processes that load clips.
        protocols: names of the protocols to score under.
        command: what the user typed.
        rerank: score again under each of them with this re-ranking, e.g. ``kr(20,6,0.3)``.
    """

    device: str
    workers: int
    protocols: tuple[str, ...]
    command: str
    rerank: str | None = None


def specify(
    method: str, chosen: Recipe, dataset: Dataset, *, seed: int = 0, precision: str = "no"
) -> RunSpec:
    """The specification of one run.

    Raises:
        LookupError: unknown method or argument.
        ValueError: an argument does not fit.
    """
    function, variant = registry.find(method)
    if not chosen.stem_activation and "stem_activation" in registry.variants.parameters(function):
        changed = {"stem_activation": False, **variant.arguments}
        variant = registry.find(str(registry.Variant(variant.name, changed)))[1]
    settings = {k: v for k, v in dataclasses.asdict(chosen).items() if k != "name"}
    return RunSpec(
        method=str(variant),
        backbone=str(chosen.backbone_of(registry.own_backbone(function))),
        recipe=str(chosen.variant),
        settings=json.loads(json.dumps(settings)),  # as it is read back: tuples become lists
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        split=dataset.split,
        seed=seed,
        precision=precision,
    )
