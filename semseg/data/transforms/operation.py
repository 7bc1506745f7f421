"""What all random operations have in common: a probability, a text, a form for JSON."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from semseg._checks import is_number


@dataclass(frozen=True, repr=False)
class Operation:
    """A small frozen object that is applied with a probability.

    Args:
        probability: how often it is applied at all.
    """

    probability: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def __repr__(self) -> str:
        """The arguments that are not the default ones."""
        shown = (
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_dict(self) -> dict[str, Any]:
        """Name and arguments, as JSON can hold them; `from_dict` makes the transform again."""
        return {
            "name": type(self).__name__,
            **{f.name: _plain(getattr(self, f.name)) for f in fields(self)},
        }


def check_range(owner: Any, name: str, low: float, high: float) -> None:
    """A number argument of `owner` between two limits, both allowed."""
    value = getattr(owner, name)
    if not is_number(value) or not low <= value <= high:
        raise ValueError(
            f"{name} of {type(owner).__name__} must lie in [{low:g}, {high:g}], received {value!r}"
        )


def check_pair(owner: Any, name: str, above: float = 0) -> None:
    """A pair (low, high) of `owner`, above a limit and in order; it becomes a tuple."""
    value = getattr(owner, name)
    try:
        low, high = value
        in_order = is_number(low) and is_number(high) and above < low <= high
    except (TypeError, ValueError):
        in_order = False
    if not in_order:
        raise ValueError(
            f"{name} of {type(owner).__name__} must be (low, high) with {above:g} < low <= high, "
            f"received {value!r}"
        )
    object.__setattr__(owner, name, (low, high))


def name_of(step: Any) -> str:
    """A step as people know it: without the address of a function."""
    return repr(step) if isinstance(step, Operation) else getattr(step, "__name__", repr(step))


def _plain(value: Any) -> Any:
    """A field's value for JSON; NumPy's numbers become Python's."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Operation):
        return value.to_dict()
    if isinstance(value, np.generic):
        return value.item()
    if callable(value):
        raise TypeError(
            f"only semseg's own transforms can be stored, received the function {name_of(value)}"
        )
    return value
