"""Names of classes for a figure, from whatever knows them."""

from collections.abc import Sequence
from typing import Any

from semseg.classes import ClassMap


def class_names(names: Any, count: int, what: str) -> tuple[str, ...]:
    """As many names as there are classes; their ids where no names are given."""
    if names is None:
        return tuple(map(str, range(count)))
    found = names.names if isinstance(names, ClassMap) else names
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise TypeError(
            f"names must be a ClassMap, a list of class names or None, received {names!r}"
        )
    if len(found) != count:
        raise ValueError(
            f"names must name the {count} classes of {what}, received {len(found)} names; pass the "
            "data set's class_map"
        )
    return tuple(map(str, found))
