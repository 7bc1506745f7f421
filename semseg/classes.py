"""ClassMap: the names, colours and ids of a data set, in one object that travels with the model."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from semseg._checks import check_ids, check_ignore_class, unknown_ids, unknown_ids_message
from semseg._palette import Color, default_colors

_COLOR_CODES = 1 << 24
_LARGEST_TABLE = 1 << 16


@dataclass(frozen=True, init=False, repr=False)
class ClassMap:
    """What the class ids of a data set mean.

    Args:
        names: at least two class names in id order. The background, where there is one, is a class.
        colors: one (red, green, blue) of 0..255 a class; None chooses colours in which
            neighbours differ, for colour-blind readers too.
        ignore_class: the id of pixels without class (void, unlabelled border), outside
            `range(len(names))`, or None where every pixel has a class.
        remap: what a mask file holds -> class id. Keys are raw ids, or (red, green, blue) for
            masks painted in colours; values are class ids or `ignore_class`. Ids and colours
            of the map that are not named here keep their meaning.

    Raises:
        ValueError: fewer than two names, a name or colour twice, an ignored id that is a class,
            a `remap` target that is no class.

    Example:
        >>> cells = ClassMap(["background", "cell"], remap={255: 1})
        >>> cells.encode(np.array([[0, 255]], "uint8"))
        array([[0, 1]], dtype=uint8)
        >>> cells.num_classes
        2
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...]
    ignore_class: int | None
    remap: Mapping[int | Color, int]

    def __init__(
        self,
        names: Sequence[str],
        colors: Sequence[Color] | None = None,
        ignore_class: int | None = None,
        remap: Mapping[int | Color, int] | None = None,
    ) -> None:
        fix = object.__setattr__  # the dataclass is frozen: these values are final
        fix(self, "names", _checked_names(names))
        fix(self, "colors", _checked_colors(colors, self.num_classes))
        fix(self, "ignore_class", check_ignore_class(ignore_class, self.num_classes))
        fix(self, "remap", self._checked_remap(remap))

    @property
    def num_classes(self) -> int:
        """Number of classes, the ignored label not counted."""
        return len(self.names)

    @property
    def ignore_color(self) -> Color:
        """The colour of ignored pixels: the first of white, black and greys that no class has."""
        greys = (255, 0, *range(1, 255))
        return next((g, g, g) for g in greys if (g, g, g) not in self.colors)

    def name(self, class_id: int) -> str:
        """The name of a class id, `"ignored"` for the ignored label."""
        if class_id == self.ignore_class and self.ignore_class is not None:
            return "ignored"
        if not 0 <= class_id < self.num_classes:
            raise ValueError(
                f"class_id must lie in 0..{self.num_classes - 1} or be the ignore_class "
                f"{self.ignore_class}, received {class_id!r}"
            )
        return self.names[class_id]

    def encode(self, mask: Any) -> np.ndarray:
        """Turns what a mask file holds into class ids by one table look-up.

        Args:
            mask: (..., height, width) raw ids, or (..., height, width, 3) uint8 colours: an array
                whose last axis is 3 and whose rank is above two holds colours.

        Returns:
            Ids without the colour axis: uint8 where all ids fit, else int32.

        Raises:
            ValueError: names the first unknown id or colour and how many pixels have it.
        """
        raw = np.asarray(mask)
        if raw.ndim >= 3 and raw.shape[-1] == 3:
            return self._encode_colors(raw)
        return self._encode_ids(check_ids(raw))

    def colorize(self, ids: Any) -> np.ndarray:
        """(height, width) class ids -> (height, width, 3) uint8; ignored ones in `ignore_color`."""
        ids = check_ids(ids, "ids")
        return self._color_table[self._color_rows(ids)]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able description that `from_dict` turns back into an equal ClassMap."""
        pairs = [[list(k) if isinstance(k, tuple) else k, v] for k, v in self.remap.items()]
        return {
            "names": list(self.names),
            "colors": [list(c) for c in self.colors],
            "ignore_class": self.ignore_class,
            "remap": pairs,
        }

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "ClassMap":
        """The ClassMap that `to_dict` described."""
        remap = {tuple(k) if isinstance(k, list) else k: v for k, v in config.get("remap") or ()}
        return cls(config["names"], config.get("colors"), config.get("ignore_class"), remap)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # Without the tables, which would make it large: for loaders that read in other processes.
        return ClassMap, (self.names, self.colors, self.ignore_class, dict(self.remap))

    def __hash__(self) -> int:
        return hash((self.names, self.colors, self.ignore_class, frozenset(self.remap.items())))

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:6]) + (", ..." if self.num_classes > 6 else "")
        extra = "" if self.ignore_class is None else f", ignore_class={self.ignore_class}"
        extra += f", remap of {len(self.remap)}" if self.remap else ""
        return f"ClassMap({self.num_classes} classes: {shown}{extra})"

    # -- look-up tables, made when first needed --------------------------------------------

    @property
    def _id_dtype(self) -> np.dtype:
        ids = [self.num_classes - 1, 0 if self.ignore_class is None else self.ignore_class]
        return np.dtype(np.uint8 if min(ids) >= 0 and max(ids) <= 255 else np.int32)

    @cached_property
    def raw_to_id(self) -> dict[int, int]:
        """Every raw id that a mask file may hold -> its class id or `ignore_class`."""
        table = {i: i for i in range(self.num_classes)}
        if self.ignore_class is not None:
            table[self.ignore_class] = self.ignore_class
        return table | {k: v for k, v in self.remap.items() if not isinstance(k, tuple)}

    @cached_property
    def color_to_id(self) -> dict[Color, int]:
        """Every colour that a mask file may hold -> its class id or `ignore_class`."""
        table = {color: i for i, color in enumerate(self.colors)}
        if self.ignore_class is not None:
            table[self.ignore_color] = self.ignore_class
        return table | {k: v for k, v in self.remap.items() if isinstance(k, tuple)}

    @cached_property
    def _id_table(self) -> tuple[np.ndarray, np.ndarray]:
        return _table(self.raw_to_id, self._id_dtype, size=256)  # any uint8 is an index

    @cached_property
    def _color_code_table(self) -> tuple[np.ndarray, np.ndarray]:
        codes = {_code(color): i for color, i in self.color_to_id.items()}
        return _table(codes, self._id_dtype, size=_COLOR_CODES)

    @cached_property
    def _color_table(self) -> np.ndarray:
        return np.array([*self.colors, self.ignore_color], np.uint8)

    def _encode_ids(self, raw: np.ndarray) -> np.ndarray:
        if all(raw_id == i for raw_id, i in self.raw_to_id.items()):  # five times as fast
            found = unknown_ids(raw, self.num_classes, self.ignore_class)
            if found:
                raise ValueError(unknown_ids_message(found, self.num_classes, self.ignore_class))
            return raw.astype(self._id_dtype)
        low, high = min(self.raw_to_id), max(self.raw_to_id)
        if low >= 0 and high < _LARGEST_TABLE:
            ids, known = _look_up(raw, *self._id_table)
        else:
            ids, known = _search(raw, self.raw_to_id, self._id_dtype)
        if not known.all():
            self._raise_unknown_ids(raw, known)
        return ids

    def _encode_colors(self, raw: np.ndarray) -> np.ndarray:
        if raw.dtype != np.uint8:
            raise TypeError(f"mask colours must be uint8, received {raw.dtype}")
        codes = (raw[..., 0].astype(np.uint32) << 16) | (raw[..., 1].astype(np.uint32) << 8)
        codes |= raw[..., 2]
        ids, known = _look_up(codes, *self._color_code_table)
        if not known.all():
            self._raise_unknown_colors(codes, known)
        return ids

    def _color_rows(self, ids: np.ndarray) -> np.ndarray:
        """Class ids -> rows of the colour table, the ignored label last; `remap` plays no part."""
        found = unknown_ids(ids, self.num_classes, self.ignore_class)
        if found:
            raise ValueError(unknown_ids_message(found, self.num_classes, self.ignore_class, "ids"))
        if self.ignore_class is None:
            return ids
        return np.where(ids == self.ignore_class, self.num_classes, ids)

    def _raise_unknown_ids(self, raw: np.ndarray, known: np.ndarray) -> None:
        values, counts = np.unique(raw[~known], return_counts=True)
        found = dict(zip(values.tolist(), counts.tolist(), strict=True))
        raise ValueError(unknown_ids_message(found, self.num_classes, self.ignore_class))

    def _raise_unknown_colors(self, codes: np.ndarray, known: np.ndarray) -> None:
        unknown = codes[~known]
        first = int(unknown.flat[0])
        color = (first >> 16, first >> 8 & 255, first & 255)
        raise ValueError(
            f"mask has the colour {color} in {int((unknown == first).sum())} pixels, which no "
            f"class has ({len(np.unique(unknown))} unknown colours, {unknown.size} pixels in "
            f"all); add it to colors=, or map it with remap={{{color}: id}}"
        )

    def _checked_remap(self, remap: Mapping[int | Color, int] | None) -> dict[int | Color, int]:
        checked: dict[int | Color, int] = {}
        for raw, target in (remap or {}).items():
            key = _checked_key(raw)
            ignored = target is not None and target == self.ignore_class
            if not ignored and target not in range(self.num_classes):
                raise ValueError(
                    f"remap target of {raw!r} must be a class id 0..{self.num_classes - 1} or the "
                    f"ignored id ({self.ignore_class}), received {target!r}"
                )
            checked[key] = int(target)
        return checked


def check_class_map(class_map: Any) -> ClassMap:
    """A ClassMap, where people may pass the names alone."""
    if not isinstance(class_map, ClassMap):
        raise TypeError(
            f"class_map must be a semseg.ClassMap, received {type(class_map).__name__}; "
            "make one with semseg.ClassMap(['background', 'object'])"
        )
    return class_map


def _checked_key(raw: Any) -> int | Color:
    """A raw id, or a colour as a tuple of ints."""
    if isinstance(raw, int | np.integer):
        return int(raw)
    color = np.asarray(raw)
    if color.shape != (3,) or color.dtype.kind not in "ui" or color.min() < 0 or color.max() > 255:
        raise ValueError(
            f"remap keys must be raw ids or (red, green, blue) colours of 0..255, received {raw!r}"
        )
    return int(color[0]), int(color[1]), int(color[2])


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(f"names must be a list of class names, received the string {names!r}")
    if isinstance(names, Mapping):
        raise TypeError(
            f"names must be a list of class names by id, received a dict: {names!r}; pass "
            "[names[i] for i in range(len(names))] where its keys are the ids"
        )
    if not isinstance(names, Iterable) or isinstance(names, Set):
        raise TypeError(
            "names must be a list of class names whose places are the ids, received "
            f"{type(names).__name__} {names!r}"
        )
    names = tuple(str(name) for name in names)
    if len(names) < 2:
        raise ValueError(
            f"names must list at least two classes, received {list(names)}; in a binary problem "
            "the background is a class: ClassMap(['background', 'object'])"
        )
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ValueError(f"names must differ from each other, received {double} more than once")
    return names


def _checked_colors(colors: Sequence[Color] | None, count: int) -> tuple[Color, ...]:
    if colors is None:
        return default_colors(count)
    ragged = len({np.size(color) for color in colors}) > 1  # NumPy's own words are of no help
    array = np.asarray([] if ragged else colors)
    if array.shape != (count, 3) or array.dtype.kind not in "ui":
        raise ValueError(
            f"colors must hold one (red, green, blue) of whole numbers a class, {count} in all, "
            f"received shape {array.shape} and dtype {array.dtype}"
        )
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"colors must lie in 0..255, received {array.min()}..{array.max()}")
    checked = tuple((int(r), int(g), int(b)) for r, g, b in array)
    if len(set(checked)) < count:
        double = sorted({color for color in checked if checked.count(color) > 1})
        raise ValueError(f"colors must differ from each other, received {double} more than once")
    return checked


def _code(color: Color) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def _table(
    mapping: Mapping[int, int], dtype: np.dtype, size: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A value table and a "known" table over 0..max key, with one unknown entry at the end."""
    size = max(size, max(mapping) + 1)
    values, known = np.zeros(size + 1, dtype), np.zeros(size + 1, bool)
    keys = np.fromiter(mapping.keys(), np.int64, len(mapping))
    values[keys], known[keys] = list(mapping.values()), True
    return values, known


def _look_up(
    raw: np.ndarray, values: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if raw.dtype.kind == "i" or np.iinfo(raw.dtype).max >= len(values):
        last = len(values) - 1
        raw = np.where((raw < 0) | (raw > last), last, raw).astype(np.intp)
    # The largest id is found forty times as fast as each is looked up.
    if known[: int(raw.max(initial=0)) + 1].all():
        return values.take(raw), np.ones(1, bool)
    return values.take(raw), known.take(raw)


def _search(
    raw: np.ndarray, mapping: Mapping[int, int], dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    keys = np.array(sorted(mapping), np.int64)
    values = np.array([mapping[int(k)] for k in keys], dtype)
    place = np.searchsorted(keys, raw).clip(0, len(keys) - 1)
    return values[place], keys[place] == raw
