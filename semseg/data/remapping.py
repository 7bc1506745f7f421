"""Joining classes of a data set: "Car" and "Truck" become "Vehicle"."""

from collections.abc import Mapping

import numpy as np

from semseg.classes import ClassMap


def joined_classes(
    class_map: ClassMap, mapping: Mapping[str, str | None]
) -> tuple[ClassMap, dict[int, int]]:
    """The ClassMap after renaming and joining, and where every old id goes.

    Args:
        class_map: the classes as they are.
        mapping: old name -> new name, or None for pixels to ignore. Classes that are not named
            keep their names. A new class stands where its first member stood, in its colour.

    Raises:
        ValueError: a name that is no class, fewer than two classes left.
    """
    unknown = sorted(set(mapping) - set(class_map.names))
    if unknown:
        raise ValueError(
            f"map_classes got names that are no classes: {unknown}; the classes are "
            f"{list(class_map.names)}"
        )
    targets = [mapping.get(name, name) for name in class_map.names]
    names = list(dict.fromkeys(t for t in targets if t is not None))
    if len(names) < 2:
        raise ValueError(f"map_classes must leave at least two classes, received {names}")
    ignored = class_map.ignore_class
    if ignored is None and None in targets:
        ignored = 255 if len(names) <= 255 else -1
    colors = [class_map.colors[targets.index(name)] for name in names]
    places: dict[str | None, int] = {name: i for i, name in enumerate(names)}
    if ignored is not None:
        places[None] = ignored
    table = {old: places[target] for old, target in enumerate(targets)}
    if class_map.ignore_class is not None:
        table[class_map.ignore_class] = class_map.ignore_class
    return ClassMap(names, colors, ignored), table


def renumbered(mask: np.ndarray, table: Mapping[int, int]) -> np.ndarray:
    """The mask with every old id replaced; uint8 where all the ids fit, else int32."""
    targets = list(table.values())
    dtype = np.uint8 if min(targets) >= 0 and max(targets) <= 255 else np.int32
    out = np.empty(mask.shape, dtype)
    for old, target in table.items():
        out[mask == old] = target
    return out
