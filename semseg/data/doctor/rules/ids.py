"""Ids that the class map does not know, and what they most likely are."""

from dataclasses import replace
from math import gcd

from semseg.classes import ClassMap
from semseg.data.doctor.kinds import problem
from semseg.data.doctor.report import Problem
from semseg.data.doctor.rules.strays import MaskValues

_SHOWN = 12
_STANDS_OUT = 5


def id_problems(values: MaskValues, class_map: ClassMap | None) -> list[Problem]:
    """Judges all ids of a set; without a class map, only by themselves."""
    known = set() if class_map is None else set(class_map.raw_to_id)
    valid = {0, 255} if _is_0_255(values, known) else known
    kind, strays = values.strays(valid, lambda a, b: abs(a - b))
    found = [problem(kind, count=values.bad, examples=values.examples)] if kind else []
    held = sorted(set(values.pixels) - strays)
    if class_map is None:
        return found + _without_map(held)
    unknown = [v for v in held if v not in known]
    if unknown:
        kind, *details = _named(held, unknown, values, class_map)
        found.append(problem(kind, *details, count=values.bad, examples=values.examples))
    return found


def _named(
    held: list[int], unknown: list[int], values: MaskValues, class_map: ClassMap
) -> tuple[str, ...]:
    """The kind of problem and the details of its words."""
    count, ignored = class_map.num_classes, class_map.ignore_class
    classes = [v for v in held if v != ignored]
    step = gcd(*classes)
    if count == 2 and len(classes) <= 2 and set(classes) - {0} == set(unknown):
        return "mask_0_255", str(unknown[0])
    if count in (2, 3) and values.all_count_up and values.shortest < values.longest > count:
        return ("instance_ids",)
    if unknown == [count] and 0 not in held and min(classes) >= 1:
        return "off_by_one_ids", str(count), str(count - 1)
    if step > 1 and max(classes) // step < count:
        return "scaled_ids", str(step), _remap({v: v // step for v in classes if v})
    only_one = len(unknown) == 1 and (ignored is None or ignored not in held)
    if only_one and (unknown[0] > count or 0 in held) and not 0 < unknown[0] - count < count:
        return "wrong_ignore_label", str(unknown[0]), str(ignored)
    if 1 < len(classes) <= count and min(classes) >= 0:
        pairs = {v: i for i, v in enumerate(classes) if v != i}
        return "gaps_in_ids", _listed(classes), _remap(pairs)
    return "unknown_ids", _listed(unknown)


def _is_0_255(values: MaskValues, known: set[int]) -> bool:
    """Whether masks are of two classes, stretched to be seen, whatever interpolation has added.

    Without classes, 0 and 255 must be far more common than all other ids.
    """
    black, white = values.pixels[0], values.pixels[255]
    if known:
        return known <= {0, 1, 255} and white > values.pixels[1]
    others = max((n for v, n in values.pixels.items() if v not in (0, 255)), default=0)
    return min(black, white) > _STANDS_OUT * others


def _without_map(held: list[int]) -> list[Problem]:
    """What can be said about ids alone, which is never certain."""
    if held in ([0, 255], [255]):
        return [replace(problem("mask_0_255", "255"), level="likely")]
    inside = [v for v in held if v != 255]
    if inside and (inside[0] > 1 or inside != list(range(inside[0], inside[-1] + 1))):
        pairs = {v: i for i, v in enumerate(inside) if v != i}
        return [replace(problem("gaps_in_ids", _listed(held), _remap(pairs)), level="likely")]
    return []


def _remap(pairs: dict[int, int]) -> str:
    shown = ", ".join(f"{v}: {i}" for v, i in list(pairs.items())[:_SHOWN])
    return "{" + shown + (", ..." if len(pairs) > _SHOWN else "") + "}"


def _listed(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:_SHOWN])) + (", ..." if len(ids) > _SHOWN else "")
