"""What a preflight found, as data and as text."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from semseg.data.doctor.report import LEVELS, Level

_WIDTH = 100


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a model and its data.

    Args:
        kind: its name, such as "softmax_twice".
        level: "certain" breaks training or its result, "likely" does unless it is meant so, "hint"
            is worth a look.
        message: what is wrong.
        evidence: the numbers that say so.
        fix: the argument or call that mends it.
    """

    kind: str
    level: Level
    message: str
    evidence: str
    fix: str

    def __str__(self) -> str:
        lines = textwrap.wrap(f"{self.kind}: {self.message}", _WIDTH, subsequent_indent="  ")
        for word, text in (("seen", self.evidence), ("fix", self.fix)):
            lines += textwrap.wrap(
                f"{word}: {text}", _WIDTH, initial_indent="  ", subsequent_indent="    "
            )
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Report:
    """What `check` found, worst first; prints as text.

    Args:
        name: of the model and the data set.
        seconds: how long it took.
        facts: what was measured: first loss, step time, memory, ...
        findings: worst first.
        skipped: what was not looked at, with the reason.
    """

    name: str
    seconds: float
    facts: Mapping[str, str]
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]

    @property
    def worst(self) -> str:
        """The worst level there is: "certain", "likely", "hint" or "nothing"."""
        return self.findings[0].level if self.findings else "nothing"

    @property
    def exit_status(self) -> int:
        """1 where a finding is certain, else 0: for scripts."""
        return int(self.worst == "certain")

    def of_kind(self, kind: str) -> Finding | None:
        """The finding of this kind, or None."""
        return next((f for f in self.findings if f.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain numbers, strings, lists and dicts."""
        return {
            "name": self.name,
            "seconds": round(self.seconds, 2),
            "worst": self.worst,
            "facts": dict(self.facts),
            "findings": [asdict(f) for f in self.findings],
            "skipped": list(self.skipped),
        }

    def to_json(self) -> str:
        """`to_dict` as a JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def __str__(self) -> str:
        lines = [f"{self.name}: looked at for {self.seconds:.1f} s"]
        for what, value in self.facts.items():
            lines += textwrap.wrap(
                f"{what}: {value}", _WIDTH, initial_indent="  ", subsequent_indent="    "
            )
        for level in LEVELS:
            of_level = [f for f in self.findings if f.level == level]
            if of_level:
                lines += ["", f"{level.upper()} ({len(of_level)})", *map(str, of_level)]
        if not self.findings:
            lines.append("nothing wrong was found")
        if self.skipped:
            lines += ["", f"SKIPPED ({len(self.skipped)})"]
            for reason in self.skipped:
                lines += textwrap.wrap(reason, _WIDTH, subsequent_indent="  ")
        return "\n".join(lines)

    __repr__ = __str__
