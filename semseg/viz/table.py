"""Rows of numbers as a table that a notebook shows and `print` writes."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from semseg._checks import check_count


class Table:
    """A table with a column for every key: Markdown in a notebook, aligned text where printed.

    Whole numbers get commas, other numbers `digits` places behind the point; what is missing, None
    or NaN is a dash. Columns of numbers stand on the right.

    Args:
        rows: a mapping each; the columns stand in the order in which their keys occur.
        digits: places behind the point.

    Raises:
        ValueError: no row.

    Example:
        >>> print(Table([{"model": "U-Net", "parameters": 484315, "mIoU": 0.8712},
        ...              {"model": "SegNet", "parameters": 29465227}]))
        model   parameters   mIoU
        U-Net      484,315  0.871
        SegNet  29,465,227      -
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], digits: int = 3) -> None:
        if not rows:
            raise ValueError("rows must hold one mapping at least, received none")
        check_count("digits", digits, 0)
        self.columns = list(dict.fromkeys(key for row in rows for key in row))
        values = [[row.get(key) for key in self.columns] for row in rows]
        self._right = [
            any(_is_number(v) for v in column) and all(_is_number(v) or v is None for v in column)
            for column in zip(*values, strict=True)
        ]
        self.cells = [[_shown(value, digits) for value in row] for row in values]

    def to_markdown(self) -> str:
        """The table for a README, an issue or a notebook.

        Example:
            >>> print(Table([{"class": "road", "IoU": 0.91}]).to_markdown())
            | class | IoU |
            |---|--:|
            | road | 0.910 |
        """
        rule = "|".join("--:" if right else "---" for right in self._right)
        lines = [self.columns, *self.cells]
        head, *body = (
            "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
        )
        return "\n".join([head, f"|{rule}|", *body])

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return f"Table({len(self.cells)} rows: {', '.join(self.columns)})"

    def __str__(self) -> str:
        lines = [self.columns, *self.cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self._right, strict=True)
            ).rstrip()
            for line in lines
        )


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str | bool)


def _shown(value: Any, digits: int) -> str:
    if value is None or (_is_number(value) and value != value):
        return "-"
    if not _is_number(value):
        return str(value)
    return f"{value:,}" if isinstance(value, Integral) else f"{value:,.{digits}f}"
