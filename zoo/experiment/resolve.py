"""What the names in a request mean, and whether a method takes the recipe's clips."""

import contextlib
import os
from collections.abc import Mapping

import torch

from benchmark import recipes
from benchmark import rerank as reranking
from benchmark.contract import BrokenContract, check_neck, check_output
from benchmark.datasets.base import Dataset
from benchmark.device import choose_device
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.rules import PROTOCOLS
from benchmark.variants import choose, expand, split_list
from zoo import registry
from zoo.checkpoints.convert import misfits
from zoo.experiment.faults import place_in_method, reason_of
from zoo.experiment.fine_tuning import load_start, with_hash
from zoo.experiment.options import Scoring
from zoo.experiment.paper_recipes import recipe, written_form
from zoo.experiment.request import BenchRequest
from zoo.experiment.spec import backbone_of, method_under, start_of


def scoring_of(request: BenchRequest, chosen: Recipe, dataset: Dataset) -> Scoring:
    """What a run of that recipe on that data is scored under."""
    rerank = None if request.rerank is None else str(reranking.parse(request.rerank))
    return Scoring(
        evaluation=chosen.evaluation,
        protocols=choose_protocols(request.protocols, dataset.protocol),
        rerank=rerank,
    )


def choose_recipe(method: str, request: BenchRequest) -> Recipe:
    """The recipe asked for; else ``unified`` on a GPU and ``quick`` elsewhere.

    ``paper`` is each method's own: ``paper/<method>``. Weights that it starts from are there, and
    named with their hash.

    Raises:
        LookupError: no recipe, setting or checkpoint of that name.
        ValueError: a value of the wrong type or out of range.
        OSError: a file to start from cannot be had.
    """
    if isinstance(request.recipe, Recipe):
        own = request.recipe
        return with_hash(recipes.recipe(own.name, request.changes, {own.name: own}))
    device = choose_device("auto") if request.device == "auto" else request.device
    name = request.recipe or ("quick" if device == "cpu" else "unified")
    if name == "paper":
        name = f"paper/{registry.variants.parse(method).name}"
    return with_hash(recipe(name, request.changes))


def expand_methods(text: str) -> list[str]:
    """``"stenvan,sta[blocks=2|4|8]"`` as canonical names; ``all`` and wildcards name plain methods.

    Values with bars between them are a grid: every combination of them is a method.

    Raises:
        LookupError: a name that is not known, or a wildcard that matches nothing.
        ValueError: no method is named, or an argument does not fit.
    """
    names: list[str] = []
    for part in split_list(text):
        pattern = "*" if part == "all" else part
        if "*" in pattern:
            found = registry.list_methods(pattern)
            if not found:
                raise LookupError(f"no method is called {part!r}: `zoo list methods` shows all")
            names += found
        else:
            names += [str(registry.find(variant)[1]) for variant in expand(part)]
    if not names:
        raise ValueError("--methods names no method, e.g. --methods stenvan,sta")
    return list(dict.fromkeys(names))


class Unfit(ValueError):
    """A method does not take the recipe's clips, or the weights that it is to start from.

    Attributes:
        method: as it was asked for.
    """

    def __init__(self, method: str, reason: str):
        super().__init__(reason)
        self.method = method


def check_methods(
    chosen: Mapping[str, Recipe], progress: Progress = SILENT, *, compute: bool = True
) -> dict[str, str | None]:
    """`check_fit` of every method under its recipe.

    Raises:
        ValueError: as `check_fit`.
    """
    found = {}
    for done, (name, one) in enumerate(chosen.items()):
        progress.advance("checking methods", done, len(chosen))
        found[name] = check_fit(name, one, compute=compute)
    progress.advance("checking methods", len(chosen), len(chosen))
    return found


def check_fit(method: str, chosen: Recipe, *, compute: bool = True) -> str | None:
    """Refuse clips that a method does not take, before anything is trained.

    Every clip length is tried that training or the frame rule in test can give.

    Args:
        method: canonical variant.
        chosen: its recipe.
        compute: False follows shapes alone, within a second, where the method's code allows it.

    Returns:
        Why the method's own code fails, or gives something else than the contract says, in one
        line; None if it does not. That is the method's failure, not the request's.

    Raises:
        Unfit: names the method and the number that does not fit.
    """
    try:
        with contextlib.nullcontext() if compute else torch.device("meta"):
            _try_clips(method, chosen, compute)
    except ValueError as error:
        message = f"{method} under recipe {written_form(chosen)}: {error}"
        raise Unfit(method, message) from None
    except (Exception, SystemExit) as error:  # whatever a method's code may raise
        if not compute:  # it looks at values, or is wrong
            return check_fit(method, chosen)
        of_method = isinstance(error, BrokenContract) or place_in_method(error)
        if os.environ.get("ZOO_DEBUG") or not of_method:
            raise
        return reason_of(error)
    return None


def _try_clips(method: str, chosen: Recipe, compute: bool) -> None:
    """Build the network and embed a clip of every length."""
    function, _ = registry.find(method)
    backbone = backbone_of(function, chosen)
    size = chosen.height, chosen.width
    noise = torch.Generator().manual_seed(0) if compute else None
    model = registry.create(
        method, backbone=backbone, size=size, frames=chosen.frames, neck=chosen.neck
    ).eval()
    if start_of(chosen.init):
        load_start(model, chosen.init)
    if chosen.first_stage:
        first = method_under(chosen.first_stage, chosen.stem_activation)
        before = registry.create(
            first, backbone=backbone, size=size, frames=chosen.frames, neck=chosen.neck
        )
        if wrong := misfits(before.state_dict(), model.state_dict()):
            raise ValueError(f"the weights of its first stage, {first}, do not fit: {wrong}")
    for frames in dict.fromkeys((chosen.frames, *chosen.rule.lengths)):
        clips = torch.randn(1, frames, 3, *size, generator=noise)
        with torch.inference_mode():
            check_output(model, model(clips), len(clips), 0, finite=compute)
    check_neck(model)


def choose_protocols(text: str | None, own: str) -> tuple[str, ...]:
    """Names from ``P,Q`` or ``all`` (those for this kind of data); None is the data set's own.

    Args:
        text: what was asked for.
        own: the protocol that the data set's numbers are usually told under.

    Raises:
        LookupError: unknown protocol.
    """
    if text is None:
        return (own,)
    if text == "all":
        family = own.partition("-")[0]
        return tuple(name for name in PROTOCOLS if name.partition("-")[0] in (family, "open"))
    chosen = [choose(name.strip(), PROTOCOLS, "protocol") for name in text.split(",")]
    return tuple(dict.fromkeys(protocol.name for protocol in chosen))
