"""What a run is: everything that decides its weights, and nothing else."""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmark import files
from benchmark.datasets.base import Dataset
from benchmark.recipe import Evaluation, Recipe
from benchmark.recipes import from_settings
from zoo import registry
from zoo.experiment.paper_recipes import written_form
from zoo.initial_weights import starts_at_random

UNKNOWN = "unknown"  # data set or fingerprint of weights that do not say what they were trained on
_START = re.compile(r"(?P<source>.+)@(?P<sha256>[0-9a-f]{12,64})")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What a run is. Two runs with the same specification are the same run.

    Frames and distance in test are no part of it: another evaluation is a re-score of the same run.

    Attributes:
        method: canonical variant.
        backbone: canonical variant of the timm network, or ``own`` for a method that brings its
            network along.
        recipe: name and changes of the recipe, for people; ``settings`` are what counts.
        settings: every training field of the recipe, so that a recipe that changes makes another
            run, and that an old run is always read as it was made.
        dataset: canonical variant; ``fingerprint``: which bits; ``split``: which of its splits.
        seed: of everything random.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
        checkpoint: ``<name>@<sha256>`` of the weights, if they are taken and not trained.
        validation: the fields of a `zoo.experiment.validate.ValidationPlan`, where epochs are
            scored on training persons that are held out; else None.
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
    validation: dict | None = None

    @property
    def id(self) -> str:
        """Hash of what decides the weights, 12 hexadecimal digits.

        Settings at their default are left out, so that a field that `Recipe` gains later moves no
        id of a run that was made before it. Of weights that it starts from the hash counts, not
        where they lie.
        """
        fields = self.as_dict()
        del fields["recipe"]  # what the settings are called decides nothing
        fields["settings"] = unusual(self.settings)
        if start := start_of(self.settings["init"]):
            fields["settings"]["init"] = start[1]
        return files.hash_of(fields)

    @property
    def folder(self) -> str:
        """Name of the run's folder."""
        return f"{registry.variants.parse(self.method).slug}-{self.id}"

    @property
    def starts_at_random(self) -> bool:
        """Whether its recipe starts from packaged weights, and there are none for its backbone."""
        return self.settings["init"] == "synthetic" and starts_at_random(self.backbone)

    @property
    def first_stage(self) -> "RunSpec | None":
        """What is trained before this run, whose weights it begins with; None for most."""
        method = self.settings.get("first_stage")
        if not method:
            return None
        return dataclasses.replace(
            self,
            method=method_under(method, self.settings["stem_activation"]),
            settings=self.settings | {"first_stage": ""},
            validation=None,
        )

    def as_dict(self) -> dict:
        """Its fields; what may be None only where it is not."""
        fields = dataclasses.asdict(self)
        optional = ("checkpoint", "validation")
        return {k: v for k, v in fields.items() if v is not None or k not in optional}

    def trained_by(self, evaluation: Evaluation | None = None) -> Recipe:
        """The recipe that the run stored, whatever a recipe of that name says today."""
        return from_settings(self.recipe, self.settings, evaluation or Evaluation())


def unusual(settings: Mapping[str, object]) -> dict[str, object]:
    """The training settings of a recipe that are not at the default of `Recipe`."""
    usual = Recipe(name="").training_settings()
    return {k: v for k, v in settings.items() if k not in usual or v != usual[k]}


def start_of(init: str) -> tuple[str, str] | None:
    """Source and sha256 of ``SOURCE@<sha256>``, the weights of a network that training starts from.

    None for a start that is a name, such as ``imagenet``, and for one that has no hash yet.
    """
    found = _START.fullmatch(init)
    return None if found is None else (found["source"], found["sha256"])


def backbone_of(function: Callable, chosen: Recipe) -> str:
    """The timm network of a method under a recipe; ``own`` if the method brings its network."""
    own = registry.own_backbone(function)
    return registry.OWN if own == registry.OWN else str(chosen.backbone_of(own))


def method_under(method: str, stem_activation: bool) -> str:
    """The canonical variant that a recipe makes of a method.

    Raises:
        LookupError: unknown method or argument.
        ValueError: an argument does not fit.
    """
    function, variant = registry.find(method)
    if not stem_activation and "stem_activation" in registry.variants.parameters(function):
        changed = {"stem_activation": False, **variant.arguments}
        variant = registry.find(str(registry.Variant(variant.name, changed)))[1]
    return str(variant)


def specify(
    method: str,
    chosen: Recipe,
    dataset: Dataset,
    *,
    seed: int = 0,
    precision: str = "no",
    validation: dict | None = None,
) -> RunSpec:
    """The specification of one run.

    Raises:
        LookupError: unknown method or argument.
        ValueError: an argument does not fit.
    """
    return RunSpec(
        method=method_under(method, chosen.stem_activation),
        backbone=backbone_of(registry.find(method)[0], chosen),
        recipe=_short(written_form(chosen)),
        settings=json.loads(json.dumps(chosen.training_settings())),
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        split=dataset.split,
        seed=seed,
        precision=precision,
        validation=validation,
    )


def _short(written: str) -> str:
    """With 12 digits of the hash of what it starts from; the settings have all 64."""
    return re.sub(r"(@[0-9a-f]{12})[0-9a-f]{52}(?=[],])", r"\1", written)
