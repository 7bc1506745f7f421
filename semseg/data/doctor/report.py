"""What the doctor found, as data and as text."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["certain", "likely", "hint"]

#: From bad to harmless. A certain problem breaks training or its result; a likely one does unless
#: the data are unusual; a hint is worth a look.
LEVELS: tuple[Level, ...] = ("certain", "likely", "hint")

_WIDTH = 100


@dataclass(frozen=True)
class Problem:
    """One kind of problem in a data set.

    Args:
        kind: its name, such as "transposed_mask".
        level: "certain", "likely" or "hint".
        message: what was found.
        fix: the argument or command that mends it, or what to look at.
        count: how many samples or files have it (0 where it concerns the set as a whole).
        examples: names of the first few.
    """

    kind: str
    level: Level
    message: str
    fix: str
    count: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.examples) else ""
        shown = f"  e.g. {', '.join(self.examples)}{more}" if self.examples else ""
        number = f"{self.count}x " if self.count else ""
        lines = textwrap.wrap(
            f"{number}{self.kind}: {self.message}", _WIDTH, subsequent_indent="  "
        )
        lines += textwrap.wrap(
            f"fix: {self.fix}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        return "\n".join([*lines, *([shown] if shown else [])])


@dataclass(frozen=True, repr=False)
class Report:
    """All problems of a data set, worst first; prints as text.

    Args:
        name: the data set's name.
        samples: how many samples were looked at.
        found: what the files hold: sizes, image and mask formats, ids with their pixels.
        problems: worst first.
    """

    name: str
    samples: int
    found: Mapping[str, Any]
    problems: tuple[Problem, ...]

    @property
    def worst(self) -> str:
        """The worst level there is: "certain", "likely", "hint" or "nothing"."""
        return self.problems[0].level if self.problems else "nothing"

    @property
    def exit_status(self) -> int:
        """1 where a problem is certain or likely, else 0: for CI."""
        return int(self.worst in ("certain", "likely"))

    def of_kind(self, kind: str) -> Problem | None:
        """The problem of this kind, or None."""
        return next((p for p in self.problems if p.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain numbers, strings, lists and dicts."""
        return {
            "name": self.name,
            "samples": self.samples,
            "worst": self.worst,
            "found": dict(self.found),
            "problems": [asdict(p) for p in self.problems],
        }

    def to_json(self) -> str:
        """`to_dict` as a JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.samples} samples checked"]
        lines += [f"  {what}: {_short(value)}" for what, value in self.found.items()]
        for level in LEVELS:
            of_level = [p for p in self.problems if p.level == level]
            if of_level:
                lines += ["", f"{level.upper()} ({len(of_level)})", *map(str, of_level)]
        return "\n".join(lines if self.problems else [*lines, "no problem found"])

    __repr__ = __str__


def _short(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    parts = [f"{k} ({v:,})" for k, v in list(value.items())[:12]]
    return ", ".join(parts) + (", ..." if len(value) > 12 else "")
