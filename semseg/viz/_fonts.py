"""Which font can show a text, and what to write where none can."""

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageFont

# Tried in this order for texts that DejaVu Sans has no letters for, such as Chinese, Japanese and
# Korean ones: what Linux, Windows and macOS have.
_OTHERS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSans.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "Arial Unicode.ttf",
)
_NO_LETTER = "\U0010fffe"  # never assigned: every font shows its mark of a missing letter
_PROBED = 24  # pixels at which letters are compared with that mark


class Legible(NamedTuple):
    """A text as it can be written, and the file of its font; None: the usual one."""

    text: str
    file: str | None


@lru_cache(maxsize=1024)
def legible(text: str) -> Legible:
    r"""A text with the font that shows all of it.

    Where none is installed, the letters that the usual font lacks become code points such as
    "\u6c49": long, but right, where an empty box would say nothing. Line breaks become spaces.
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    missing = [c for c in text if not _has(None, c)]
    if not missing:
        return Legible(text, None)
    for name in _OTHERS:
        if _opened(name, _PROBED) and all(_has(name, c) for c in text):
            return Legible(text, _opened(name, _PROBED).path)
    return Legible("".join(_code_point(c) if c in missing else c for c in text), None)


@lru_cache(maxsize=32)
def font(size: int, file: str | None = None) -> Any:
    """DejaVu Sans, which Matplotlib ships and most systems have, or the font of a file.

    Where DejaVu Sans is missing, it is Pillow's own, which knows little beyond ASCII.
    """
    if file is not None:
        return ImageFont.truetype(file, size)
    spec = importlib.util.find_spec("matplotlib")  # finds the folder without importing it
    folders = [Path(spec.origin).parent / "mpl-data/fonts/ttf"] if spec and spec.origin else []
    for name in (*(str(f / "DejaVuSans.ttf") for f in folders), "DejaVuSans.ttf", "Arial.ttf"):
        found = _opened(name, size)
        if found:
            return found
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _opened(name: str, size: int) -> Any:
    """A font by its file, or by a bare name in the system's folders; None where there is none."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _has(name: str | None, letter: str) -> bool:
    face = font(_PROBED) if name is None else _opened(name, _PROBED)
    return letter.isspace() or _ink(face, letter) != _ink(face, _NO_LETTER)


def _ink(face: Any, letter: str) -> tuple[Any, bytes]:
    shape = face.getmask(letter)
    return shape.size, bytes(shape)


def _code_point(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
