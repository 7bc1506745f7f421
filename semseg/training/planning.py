"""`plan`: a recipe from the data, the machine and the time there is."""

import dataclasses
import json
import math
import os
from typing import Any

import numpy as np

from semseg._checks import check_positive
from semseg._writing import writable_folder, write_text
from semseg.data.dataset import Dataset
from semseg.models.catalogue import BUILDERS
from semseg.training.data_facts import UNLIKE, DataFacts, data_facts
from semseg.training.run_record import check_same, fingerprint, read_record
from semseg.training.step_cost import StepCost, step_cost
from semseg.training.training_recipe import Recipe

# A small network wants about so many steps before more of them help little (digits, CamVid).
_ENOUGH_STEPS = 1_500
# Part of the time that goes into steps; the rest builds, compiles, validates and saves.
_FOR_STEPS = 0.9
# Filters of the first level, the best that fits is taken; other models have fixed widths.
_FILTERS = {"unet": (32, 16, 8), "segnet_basic": (64, 32, 16)}
_RARE, _THIN = 0.02, 2.0
_LARGEST = 512 * 512  # pixels of a picture that the network sees at once


def plan(
    ds: Dataset,
    model: str = "unet",
    *,
    minutes: float = 30.0,
    memory: float | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Recipe:
    """Chooses a recipe for a data set, this machine and a budget, and says why.

    What nnU-Net (Isensee et al., Nature Methods 2021) does for medicine on one GPU, for any
    two-dimensional set: a fingerprint of the data and some measured steps of the candidates decide
    size, width, batch, steps, loss and augmentation; the rest is what was best on the sets of this
    library. `print(recipe)` gives each choice with its reason; `dataclasses.replace` changes it.

    Args:
        ds: the training data.
        model: a name that `semseg.models.build` takes.
        minutes: how long the training may take, validation not counted, nor the plan itself, which
            builds and times a few candidates in some ten seconds each.
        memory: GiB that the process may use at its peak; None sets no limit.
        out: the folder that `train` gets. The plan is kept there as `plan.json`, and the same call
            takes it again: two plans are never quite alike, and `train` goes on with a run only
            by its own recipe.

    Returns:
        The recipe; its `reasons` name steps a second and peak memory as they were measured.

    Raises:
        OSError: `out` can't be written.
        ValueError: an unknown model; no candidate that fits into the memory; `out` holds a plan
            for other data, minutes, memory or another model.

    Example:
        >>> ds = semseg.data.digits("train", count=4, size=(32, 32))
        >>> recipe = semseg.training.plan(ds, minutes=10)  # doctest: +SKIP
        >>> recipe.batch, recipe.augmentation, recipe.loss  # doctest: +SKIP
        (16, 'light', {'Crossentropy': 1.0})
    """
    if model not in BUILDERS:
        raise ValueError(f"model must be one of {', '.join(BUILDERS)}, received {model!r}")
    minutes = check_positive("minutes", minutes)
    memory = None if memory is None else check_positive("memory", memory)
    if out is None:
        return _planned(ds, model, minutes, memory)
    file = writable_folder(out) / "plan.json"
    settings = {"model": model, "minutes": minutes, "memory": memory}
    identity = {"settings": settings, "data": {"train": fingerprint(ds)}}
    if file.is_file():
        found = read_record(file)
        check_same(found, identity, file)
        return dataclasses.replace(Recipe.from_dict(found["recipe"]), reasons=found["reasons"])
    recipe = _planned(ds, model, minutes, memory)
    kept = {**identity, "recipe": recipe.to_dict(), "reasons": dict(recipe.reasons)}
    write_text(file, json.dumps(kept, indent=2) + "\n")
    return recipe


def _planned(ds: Dataset, model: str, minutes: float, memory: float | None) -> Recipe:
    seconds = 60 * minutes * _FOR_STEPS
    facts = data_facts(ds)
    draft, reasons = _from_the_data(ds, facts, model)
    recipe, cost, reasons["model_arguments"] = _widest(ds, facts, draft, seconds, memory)
    if facts.between > UNLIKE:
        reasons["model_arguments"] += f"; {_unlike(facts, draft.model)}"
    per_epoch = _epoch(facts.samples, recipe.batch, seconds / cost.seconds)
    steps = max(1, round(seconds / cost.seconds / per_epoch)) * per_epoch
    reasons["steps"] = f"{1 / cost.seconds:.2f} steps a second here, {minutes:g} minutes"
    if cost.memory is not None:
        reasons["batch"] += f"; peak memory {cost.memory / 2**30:.1f} GiB"
    seen = steps * recipe.batch / facts.samples
    augmentation, reasons["augmentation"] = _augmentation(seen)
    reasons["steps_per_epoch"] = (
        "whole passes over the pictures or less, about a tenth of the steps"
    )
    reasons["warmup"] = "a fifteenth of the steps"
    return dataclasses.replace(
        recipe,
        steps=steps,
        steps_per_epoch=per_epoch,
        warmup=steps // 15,
        augmentation=augmentation,
        reasons=reasons,
    )


def _epoch(samples: int, batch: int, steps: float) -> int:
    """Steps of an epoch: a pass over the pictures, or a tenth of the training where that is less.

    Short passes go together, so that validation and saving are no burden.
    """
    tenth = max(1, int(steps / 10))
    one_pass = math.ceil(samples / batch)
    return tenth if one_pass > tenth else one_pass * max(1, tenth // one_pass)


def _from_the_data(ds: Dataset, facts: DataFacts, model: str) -> tuple[Recipe, dict[str, str]]:
    """What the data alone decide."""
    reasons = {"model": "as asked"}
    crop = None
    height, width = facts.size
    if facts.equal_sizes and _bears(facts, _first_halvings(facts)):
        reasons["size"] = f"all pictures that were looked at have {height} x {width}"
        height, width = _halved(facts.size, _first_halvings(facts))
    else:
        crop = (min(256, height), min(256, width))
        reasons["crop"] = _why_crops(facts)
        height, width = crop
    batch = int(np.clip(2 ** round(math.log2(50_000 / (height * width))), 2, 16))
    reasons["batch"] = f"about 50,000 pixels a step, 2 to 16 pictures of {height} x {width}"
    rare = _rarest(ds, facts)
    loss, weights = {"Crossentropy": 1.0}, None
    if rare is None:
        reasons["loss"] = f"no class is below {_RARE:.0%} of the pixels"
    else:
        loss = {"Crossentropy": 1.0, "Dice": 0.5}
        reasons["loss"] = f"{rare}: Dice counts every class alike"
        if ds.class_map.num_classes > 2:
            weights = "root_inverse"
            reasons["class_weights"] = f"{rare}; whole inverses overshoot"
    reasons["learning_rate"] = "best of 1e-3 to 1e-2 for AdamW on digits, nearly so on CamVid"
    recipe = Recipe(
        model=model, crop=crop, batch=batch, loss=loss, class_weights=weights,
        learning_rate=5e-3, steps=100_000, warmup=10,
    )  # fmt: skip
    return recipe, reasons


def _first_halvings(facts: DataFacts) -> int:
    """How often pictures are halved before a network sees one whole."""
    return max(0, math.ceil(math.log2(math.prod(facts.size) / _LARGEST) / 2))


def _halved(size: tuple[int, int], times: int) -> tuple[int, int]:
    return size[0] // 2**times, size[1] // 2**times


def _bears(facts: DataFacts, halvings: int) -> bool:
    """Whether the thinnest class is still seen after so many halvings."""
    return halvings == 0 or float(np.nanmin(facts.thickness)) / 2**halvings >= _THIN


def _why_crops(facts: DataFacts) -> str:
    height, width = facts.size
    halvings, thinnest = _first_halvings(facts), float(np.nanmin(facts.thickness))
    if facts.equal_sizes:
        return (
            f"pictures of {height} x {width} are too large to be seen whole, and the thinnest "
            f"class ({thinnest:.1f} pixels) too thin to make them smaller"
        )
    why = f"sizes differ; the median is {height} x {width}"
    if halvings and _bears(facts, halvings):
        why += f"; copies {2**halvings} times smaller would be faster to train, and seen whole"
    return why


def _rarest(ds: Dataset, facts: DataFacts) -> str | None:
    """The rarest class that there is, where it is rare, as a reason."""
    present = np.flatnonzero(facts.shares > 0)
    rarest = int(present[np.argmin(facts.shares[present])])
    share = facts.shares[rarest]
    if share >= _RARE:
        return None
    return f"{ds.class_map.names[rarest]!r} has {share:.2%} of the pixels"


def _unlike(facts: DataFacts, model: str) -> str:
    """What pictures that differ much from each other mean for the normalisation."""
    found = f"{facts.between:.0%} of the variance lies between pictures"
    if model == "unet":
        return f"{found}, so norm='group', which does not look at the batch"
    return f"{found}, which suits U-Net with norm='group' better than batch normalisation"


def _augmentation(seen: float) -> tuple[str | None, str]:
    if seen < 3:
        return None, f"each picture is seen {seen:.1f} times: fresh enough"
    return "light", (
        f"each picture is seen {seen:.0f} times; 'medical' or 'aerial' where no side is up"
    )


def _widest(
    ds: Dataset, facts: DataFacts, draft: Recipe, seconds: float, memory: float | None
) -> tuple[Recipe, StepCost, str]:
    """The first candidate, from the most capable down, that gets enough steps and memory."""
    found = None
    for candidate, what in _candidates(facts, draft):
        cost = step_cost(ds, candidate, seconds=min(3.0, seconds / 50))
        if memory is not None and cost.memory is not None and cost.memory > memory * 2**30:
            continue
        found = candidate, cost, what
        if seconds / cost.seconds >= _ENOUGH_STEPS:
            return candidate, cost, f"{what}: the most that gets {_ENOUGH_STEPS:,} steps"
    if found is None:
        raise ValueError(f"memory = {memory} GiB is too little for the smallest candidate")
    recipe, cost, what = found
    needed = math.ceil(_ENOUGH_STEPS * cost.seconds / _FOR_STEPS / 60)
    return recipe, cost, f"{what}: the least; {_ENOUGH_STEPS:,} steps would take minutes={needed}"


def _candidates(facts: DataFacts, draft: Recipe) -> list[tuple[Recipe, str]]:
    """Widths at the largest size, then at half where the thinnest class bears it, and so on."""
    depth = int(np.clip(math.log2(min(draft.crop or facts.size) / 8), 1, 4))
    shape: dict[str, Any] = {"depth": depth} if draft.model == "unet" else {}
    if shape and facts.between > UNLIKE:
        shape["norm"] = "group"
    widths = [{**shape, "filters": filters} for filters in _FILTERS.get(draft.model, ())] or [{}]
    candidates = []
    first = 0 if draft.crop else _first_halvings(facts)
    for halvings in range(first, first + (1 if draft.crop else 4)):
        seen = _halved(facts.size, halvings)
        if halvings > first and (not _bears(facts, halvings) or min(seen) < 32):
            break
        size = seen if halvings else None
        for width in widths:
            shown = f"{width['filters']} filters" if width else "the model as it is"
            at = f"{size[0]} x {size[1]}" if size else "full size"
            recipe = dataclasses.replace(draft, size=size, model_arguments=width)
            candidates.append((recipe, f"{shown} at {at}"))
    return candidates
