"""The pictures of the page "Gallery", made by the snippets that stand above them.

    python docs/gallery.py [NAME ...]

runs the page from top to bottom and writes `docs/images/gallery/NAME.png`, and `NAME-dark.png`
where the function has a dark look, all of them or those that are named.
"""

import argparse
import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

import semseg.viz

HERE = Path(__file__).parent
PAGE = HERE / "gallery.md"
FOLDER = HERE / "images" / "gallery"
_WIDE_ENOUGH = 500  # pixels; smaller arrays are enlarged by a whole factor
_EXACT = 40  # colours of 256: legends and grounds; of the page's many scenes the others
# Whose bars need all colours.
_HEAT = ("draw_weights", "draw_uncertainty", "plot_feature_maps", "plot_pooling_indices",
         "plot_class_activation")  # fmt: skip
# The page trains for a moment, since it runs in the suite; its pictures show the whole recipe.
_SHORT = "steps=10, steps_per_epoch=5, warmup=1"
_WHOLE = "steps=500, steps_per_epoch=25, warmup=40"


def parts(page: str) -> Iterator[tuple[str, str | None]]:
    """(code, name of the picture below it or None) of every snippet."""
    for code, rest in re.findall(r"```python\n(.*?)```\n(.*?)(?=```python|\Z)", page, re.DOTALL):
        found = re.search(r"images/gallery/([\w]+)\.png", rest)
        yield code, found and found[1]


def made_by(code: str) -> str:
    """The function that makes the snippet's `picture`."""
    return re.findall(r"^picture = viz\.(\w+)\(", code, re.MULTILINE)[-1]


def has_dark_look(code: str) -> bool:
    return "dark" in inspect.signature(getattr(semseg.viz, made_by(code))).parameters


def draw(page: str, dark: bool, only: set[str]) -> Iterator[tuple[str, str, Any]]:
    """Runs the snippets; gives names, code and pictures in one of the two looks."""
    names: dict[str, Any] = {}
    for code, name in parts(page):
        code = code.replace(_SHORT, _WHOLE)
        exec(compile(code, f"{PAGE.name}: {name or 'without a picture'}", "exec"), names)
        if "viz" in names:
            names["viz"] = _looking(dark)
        if name and (not only or name in only) and (not dark or has_dark_look(code)):
            yield name, code, names["picture"]


def _looking(dark: bool) -> SimpleNamespace:
    """`semseg.viz`, whose functions draw in one of the two looks."""
    found = {name: getattr(semseg.viz, name) for name in semseg.viz.__all__}
    for name, function in found.items():
        if callable(function) and "dark" in inspect.signature(function).parameters:
            found[name] = functools.partial(function, dark=dark)
    return SimpleNamespace(**found)


def write(path: Path, picture: Any, few_colors: bool) -> None:
    """A small PNG file of an array or a figure."""
    if isinstance(picture, np.ndarray):
        factor = -(-_WIDE_ENOUGH // picture.shape[1])
        picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    semseg.viz.save(path, picture)
    with Image.open(path) as image:
        small = image.convert("RGB")
    (with_palette(small, _EXACT) if few_colors else small).save(path, optimize=True)


def with_palette(image: Image.Image, exact: int = 160) -> Image.Image:
    """256 colours, a third of the bytes; the most frequent are kept, so that legends stay true."""
    pixels = np.array(image)
    colors, where, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    kept = colors[np.argsort(-counts)[:exact]]
    rest = image.quantize(256 - len(kept)).convert("RGB").getcolors()
    palette = np.concatenate([kept, [color for _, color in rest]])
    _, nearest = cKDTree(palette).query(colors)
    made = Image.fromarray(nearest[where.ravel()].reshape(pixels.shape[:2]).astype(np.uint8))
    made.putpalette(palette.astype(np.uint8).tobytes())
    return made


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of the page's pictures; all without one")
    names = set(parser.parse_args().names)
    if unknown := names - {name for _, name in parts(page)}:
        parser.error(f"the page has no picture {', '.join(sorted(unknown))}")
    for look in (False, True):
        for name, code, picture in draw(page, look, names):
            path = FOLDER / f"{name}{'-dark' * look}.png"
            write(path, picture, made_by(code) not in _HEAT)
            print(f"{path.relative_to(HERE.parent)}  {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
