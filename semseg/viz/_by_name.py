"""One result, or several by the names of what they belong to."""

from collections.abc import Mapping
from typing import Any


def by_name(argument: str, given: Any, maker: str, parts: tuple[str, ...]) -> dict[str, Any]:
    """Results by name, "" where one is given alone.

    Args:
        argument: what the caller calls `given`.
        given: a result, or `{name: result}`.
        maker: the function that returns such results.
        parts: attributes that they have.

    Raises:
        TypeError: a result without one of the parts.
    """
    results = given if isinstance(given, Mapping) else {"": given}
    for result in results.values():
        if not all(hasattr(result, part) for part in parts):
            raise TypeError(
                f"{argument} must be what {maker} returned, or {{name: that}}, received "
                f"{type(result).__name__}"
            )
    return {str(name): result for name, result in results.items()}
