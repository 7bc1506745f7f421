"""Colours that the class map does not know, and what they most likely are."""

from collections.abc import Collection

from semseg.classes import ClassMap
from semseg.data.doctor.kinds import problem
from semseg.data.doctor.report import Problem
from semseg.data.doctor.rules.strays import MaskValues
from semseg.data.encodings import Encoding

Color = tuple[int, int, int]

_NEAR = 12  # in each channel
_SHOWN = 4


def color_problems(
    values: MaskValues, class_map: ClassMap | None, encoding: Encoding
) -> list[Problem]:
    """Judges all colours of a set."""
    known = set() if class_map is None else set(class_map.color_to_id)
    codes = {red << 16 | green << 8 | blue for red, green, blue in known}
    kind, strays = values.strays(codes, lambda a, b: _distance(rgb(a), rgb(b)))
    found = [problem(kind, count=values.bad, examples=values.examples)] if kind else []
    held = [rgb(code) for code in values.pixels if code not in strays]
    unknown = [color for color in held if color not in known]
    if encoding == "rgb" and class_map is not None and not unknown:
        return found
    kind, *details = _named(held, unknown, class_map, encoding)
    return [*found, problem(kind, *details, count=values.bad, examples=values.examples)]


def rgb(code: int) -> Color:
    """0xRRGGBB as (red, green, blue)."""
    return code >> 16, code >> 8 & 255, code & 255


def palette_color(index: int) -> Color:
    """The colour of an id in PASCAL VOC's palette, whose bits are spread over the channels."""
    color = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            color[channel] |= (index >> channel & 1) << (7 - bit)
        index >>= 3
    return color[0], color[1], color[2]


def _named(
    held: list[Color], unknown: list[Color], class_map: ClassMap | None, encoding: Encoding
) -> tuple[str, ...]:
    """The kind of problem and the details of its words."""
    count = 256 if class_map is None else class_map.num_classes
    palette = [palette_color(i) for i in range(count)]
    border = palette_color(255)
    if len(held) > 1 and all(c in palette or c == border for c in held):
        return "palette_as_rgb", f"{', '.join(map(str, palette[:_SHOWN]))}, ..."
    if class_map is None or encoding == "ids":
        return ("colors_for_ids",)
    known = class_map.color_to_id
    if all(color[::-1] in known for color in held):
        first = unknown[0]
        return "bgr_colors", f"{first} is unknown, {first[::-1]} is {_name(class_map, first[::-1])}"
    near = {color: _nearest(color, known) for color in unknown}
    if all(max(abs(a - b) for a, b in zip(c, n, strict=True)) <= _NEAR for c, n in near.items()):
        pairs = ", ".join(f"{c}: {known[n]}" for c, n in list(near.items())[:_SHOWN])
        first = unknown[0]
        text = f"{first} is not {near[first]} ({_name(class_map, near[first])})"
        return "near_colors", text, "{" + pairs + (", ...}" if len(near) > _SHOWN else "}")
    more = ", ..." if len(unknown) > _SHOWN else ""
    return "unknown_colors", ", ".join(map(str, unknown[:_SHOWN])) + more


def _name(class_map: ClassMap, color: Color) -> str:
    return class_map.name(class_map.color_to_id[color])


def _nearest(color: Color, known: Collection[Color]) -> Color:
    return min(known, key=lambda other: _distance(color, other))


def _distance(a: Color, b: Color) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5
