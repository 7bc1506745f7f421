"""shapes: textured figures on textured ground, with a rare class, thin lines and ignored rims."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.samples import Pair
from semseg.data.sources.finding import check_split
from semseg.data.sources.scenes import check_scenes, scene_rng

_STREAMS = {"train": 0, "val": 1, "test": 2}  # sets a split's random draws apart
_SCENES = {"train": 1000, "val": 100, "test": 100}
_SMALLEST = 32

NAMES = ("background", "disc", "ring", "rectangle", "triangle", "line", "star")
_DISC, _RING, _RECTANGLE, _TRIANGLE, _LINE, _STAR = range(1, len(NAMES))
_IGNORE = 255

# How scenes look. Lengths are in pixels, numbers those of the default size.
_DEFAULT_AREA = 96 * 128
_FIGURES = (3, 6)
_LINES = (1, 2.5)
_STARS = 0.45  # the mean of a Poisson distribution: a third of the scenes have one
_RADIUS = (9, 19)
_STAR_RADIUS = (6, 9)
_GROUND_LIGHT, _FIGURE_LIGHT = (0.2, 0.5), (0.6, 0.95)
_PERIOD = (5, 14)  # of a texture
_NOISE = 10  # largest change of a value
_SHIFT = 4  # fractional bits of the coordinates that OpenCV draws
_NEIGHBOURS = np.ones((3, 3), np.uint8)

# What a path of one pixel is dilated with to be as wide as asked for: OpenCV's own thickness 2 and
# 3 come out as 3 and 5 pixels.
_PENS = {
    1: np.ones((1, 1), np.uint8),
    2: np.ones((2, 2), np.uint8),
    3: cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)),
}


class _Figure(NamedTuple):
    class_id: int
    outlines: list[np.ndarray]  # each (corners, 2) of x and y; where two overlap, there is a hole
    line_width: int = 0  # 0 fills the outlines


def shapes(
    split: str = "train",
    count: int | None = None,
    size: tuple[int, int] = (96, 128),
    seed: int = 0,
) -> Dataset:
    """Scenes of geometric figures that make the usual troubles of segmentation on purpose.

    Discs, rings, rectangles and triangles cover each other; their colours and textures say nothing
    about their class, only their form does. Lines are 1 to 3 pixels wide. Stars are rare: in
    a third of the scenes, and in 0.4 % of the pixels. A rim of one pixel around all but the
    lines, where figure and ground mix, is ignored (255).

    Sample `i` depends on `(split, size, seed, i)` alone, so any process can make any sample, and a
    larger `count` only adds samples. The splits' random draws are independent.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        count: number of scenes, None for 1000 in `"train"` and 100 in the others.
        size: (height, width) of a scene, 32 or more each; figures keep their sizes, and their
            number grows with the area.
        seed: an int >= 0; another seed gives other scenes.

    Returns:
        A Dataset of uint8 RGB images (height, width, 3) and uint8 masks (height, width).

    Raises:
        ValueError: unknown split, `count` < 1, a size below 32, a negative seed.

    Example:
        >>> ds = shapes("val", count=2)
        >>> ds
        Dataset('shapes-val', 2 samples, 7 classes: background, disc, ring, rectangle, triangle, \
line, star)
        >>> image, mask = ds[0]
        >>> image.shape, mask.shape
        ((96, 128, 3), (96, 128))
    """
    check_split(split, _STREAMS)
    count, size, seed = check_scenes(count, _SCENES[split], size, seed, _SMALLEST, "figures fit")
    return Dataset(
        read=partial(_scene, split, size, seed),
        ids=[f"{split}-{i:04d}" for i in range(count)],
        class_map=ClassMap(NAMES, ignore_class=_IGNORE),
        name=f"shapes-{split}",
    )


def _scene(split: str, size: tuple[int, int], seed: int, index: int) -> Pair:
    rng = scene_rng(seed, _STREAMS[split], index)
    image = _texture(size, _GROUND_LIGHT, rng)
    mask = np.zeros(size, np.uint8)
    for figure in _figures(size, rng):
        _paint(image, mask, figure, rng)
    image += rng.integers(-128, 128, image.shape, np.int8) * np.float32(_NOISE / 128)
    return np.clip(image, 0, 255).astype(np.uint8), mask


def _figures(size: tuple[int, int], rng: np.random.Generator) -> Iterator[_Figure]:
    """What a scene shows, from back to front: no large figure covers the thin and the rare."""
    scale = size[0] * size[1] / _DEFAULT_AREA
    for centre in _places(round(rng.uniform(*_FIGURES) * scale), size, rng):
        class_id = int(rng.integers(_DISC, _TRIANGLE + 1))
        yield _Figure(class_id, _placed(_forms(class_id, rng), centre, _RADIUS, rng))
    for _ in range(max(1, round(rng.uniform(*_LINES) * scale**0.5))):  # they grow longer, too
        yield _Figure(_LINE, [_curve(size, rng)], int(rng.integers(1, len(_PENS) + 1)))
    for _ in range(rng.poisson(_STARS * scale)):
        margin = _STAR_RADIUS[1]
        centre = rng.uniform(margin, np.array(size[::-1]) - margin)
        yield _Figure(_STAR, _placed(_forms(_STAR, rng), centre, _STAR_RADIUS, rng))


def _places(number: int, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(number, 2) centres (x, y) in different cells of a grid: most figures meet at their edges."""
    number = max(1, number)
    rows = max(1, round((number * size[0] / size[1]) ** 0.5))
    columns = -(-number // rows)
    cells = rng.permutation(rows * columns)[:number]
    place = np.stack([cells % columns, cells // columns], axis=1)
    return (place + rng.uniform(0.2, 0.8, (number, 2))) / (columns, rows) * size[::-1]


def _forms(class_id: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The outlines of a class, of radius 1 around the origin."""
    if class_id in (_DISC, _RING):
        disc = _corners(np.linspace(0, 2 * np.pi, 48, endpoint=False))
        return [disc] if class_id == _DISC else [disc, disc * rng.uniform(0.5, 0.7)]
    if class_id == _RECTANGLE:
        half = rng.uniform(0.4, 0.8)  # from 1 : 2.4 to square
        return [_corners(np.array([-half, half, np.pi - half, np.pi + half]))]
    if class_id == _TRIANGLE:
        return [_corners(2 * np.pi / 3 * np.arange(3) + rng.uniform(-0.3, 0.3, 3))]
    return [_corners(np.pi / 5 * np.arange(10)) * np.where(np.arange(10) % 2, 0.45, 1)[:, None]]


def _corners(angles: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _placed(
    forms: list[np.ndarray],
    centre: np.ndarray,
    radii: tuple[int, int],
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """The forms enlarged, turned and moved."""
    angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(*radii)
    turn = radius * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [form @ turn + centre for form in forms]


def _curve(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A gentle arc from one edge of the scene to the opposite one, as (17, 2) points."""
    from_left = rng.random() < 0.5
    length, breadth = size[::-1] if from_left else size
    start, bend, end = rng.uniform(0, breadth, 3)
    t = np.linspace(0, 1, 17)
    across = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    along = t * length
    return np.stack([along, across] if from_left else [across, along], axis=1)


def _paint(image: np.ndarray, mask: np.ndarray, figure: _Figure, rng: np.random.Generator) -> None:
    """Draws one figure over what is there, in image and mask."""
    corners = np.concatenate(figure.outlines)
    reach = figure.line_width + 2
    left, top = np.maximum(0, corners.min(axis=0).astype(int) - reach)
    right, bottom = np.maximum(0, corners.max(axis=0).astype(int) + reach + 1)
    image, mask = image[top:bottom, left:right], mask[top:bottom, left:right]
    paths = [((path - (left, top)) * 2**_SHIFT).astype(np.int32) for path in figure.outlines]
    inside = np.zeros(mask.shape, np.uint8)
    if figure.line_width:
        cv2.polylines(inside, paths, False, 1, 1, cv2.LINE_8, _SHIFT)
        inside = around = cv2.dilate(inside, _PENS[figure.line_width])
    else:
        cv2.fillPoly(inside, paths, 1, cv2.LINE_8, _SHIFT)
        around = cv2.dilate(inside, _NEIGHBOURS)
    opacity = (inside + around)[..., None] * np.float32(0.5)  # half on the rim
    image += opacity * (_texture(mask.shape, _FIGURE_LIGHT, rng) - image)
    mask[around > 0] = _IGNORE
    mask[inside > 0] = figure.class_id


def _texture(
    size: tuple[int, ...], light: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Stripes, checks or clouds of two tones of any hue: (height, width, 3) float32."""
    height, width = size
    kind, period, angle = rng.integers(3), rng.uniform(*_PERIOD), rng.uniform(0, np.pi)
    if kind == 2:
        cells = rng.uniform(-1, 1, [int(side / period) + 2 for side in size]).astype(np.float32)
        pattern = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        y, x = np.ogrid[:height, :width]
        step = np.float32(2 * np.pi / period)
        along = step * (np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y)
        across = step * (np.float32(np.cos(angle)) * y - np.float32(np.sin(angle)) * x)
        pattern = np.sin(along) if kind == 0 else np.sin(along) * np.sin(across)
    share = np.clip(0.5 + 1.5 * pattern, 0, 1)[..., None].astype(np.float32)
    first, second = _tones(light, rng)
    return first + share * (second - first)


def _tones(light: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Two colours (2, 3) in 0..255, as light as asked for."""
    hsv = rng.uniform((0, 0.1, light[0]), (360, 0.8, light[1]), (1, 2, 3)).astype(np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0] * np.float32(255)
