"""What a deliberate fault is."""

from typing import NamedTuple


class Fault(NamedTuple):
    """`old`, which occurs once in `file`, becomes `new`; one of `tests` must then fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
