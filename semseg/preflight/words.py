"""What others' errors say, in one line."""

import re

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = "Exception encountered when calling"


def told(error: Exception) -> str:
    """An error's text without what Keras puts around it."""
    text = _COLOURS.sub("", str(error)).split("Arguments received by")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_FRAME)] or lines
    return " ".join(lines)[:_LONGEST] or repr(error)
