"""digits: real handwritten digits on photographs, composed on the fly, with nothing to download."""

from functools import lru_cache, partial
from typing import NamedTuple

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.samples import Pair
from semseg.data.sources.scenes import check_scenes, scene_rng

_IGNORE = 255
# The library's first eight colours, and three as far from those as from the white of the rim.
_COLORS = (
    (38, 44, 58), (86, 180, 233), (213, 94, 0), (0, 114, 178), (230, 159, 0), (204, 121, 167),
    (240, 228, 66), (0, 158, 115), (104, 232, 184), (168, 56, 40), (88, 136, 248),
)  # fmt: skip
_SMALLEST = 32  # a scene's least height and width: the largest digit and its rim

# How scenes look. Lengths are in pixels whatever the scene's size.
_AREA_PER_DIGIT = (96 * 128 / 15, 96 * 128 / 8)  # 8 to 15 digits in the default size
_DIGIT_PIXELS = (20, 28)
_ROTATION = (-15, 15)  # degrees: a 6 and a 9 stay apart, and so do a 1 and a 7
_BACKGROUND_LIGHT = (0.35, 0.6)
_NOISE = 10  # largest change of a value

# An 8x8 digit with a margin of one cell, upscaled to _CELL pixels a cell: ink is 0..255.
_CELL = 4
_PATCH = 10 * _CELL
_STROKE_INK = 110  # pixels with as much ink are stroke in the mask
_NEIGHBOURS = np.ones((3, 3), np.uint8)

# By ink: the image fades from stroke to background, and darkens the background around strokes.
_OPACITY_BY_INK = np.clip((np.arange(256, dtype=np.float32) - _STROKE_INK + 30) / 60, 0, 1)
_SHADE_BY_INK = 1 - 0.5 * _OPACITY_BY_INK


class _Split(NamedTuple):
    """What is a split's own."""

    stream: int  # sets its random draws apart
    scenes: int  # by default
    samples: tuple[float, float]  # part of each class's shuffled samples
    rows: tuple[int, int]  # parted at multiples of 16, so that no JPEG block is in two splits


_SPLITS = {
    "train": _Split(0, 1000, (0.0, 0.7), (0, 208)),
    "val": _Split(1, 100, (0.7, 0.85), (208, 320)),
    "test": _Split(2, 100, (0.85, 1.0), (320, 427)),
}


def digits(
    split: str = "train",
    count: int | None = None,
    size: tuple[int, int] = (96, 128),
    seed: int = 0,
) -> Dataset:
    """Scenes of overlapping handwritten digits on photographs: a data set that needs no download.

    The 1,797 digits (8x8, UCI, written by 43 people) and the two photographs come with
    scikit-learn. Each digit is upscaled, turned, tinted and pasted; later ones cover earlier
    ones. Strokes carry their digit's class (digit `d` is class `d + 1`); a rim of one pixel
    around them, where ink and photograph mix, is ignored (255).

    Sample `i` depends on `(split, size, seed, i)` alone, so any process can make any sample,
    and a larger `count` only adds samples. Splits share neither a digit's sample nor an area of
    a photograph.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        count: number of scenes, None for 1000 in `"train"` and 100 in the others.
        size: (height, width) of a scene, 32 or more each. Digits keep their 20 to 28 pixels;
            their number grows with the area, 8 to 15 in the default size.
        seed: an int >= 0; another seed gives other scenes of the same digits and photographs.

    Returns:
        A Dataset of uint8 RGB images (height, width, 3) and uint8 masks (height, width).

    Raises:
        ValueError: unknown split, `count` < 1, a size below 32, a negative seed.

    Example:
        >>> ds = digits("val", count=2)
        >>> image, mask = ds[0]
        >>> image.shape, mask.shape
        ((96, 128, 3), (96, 128))
        >>> ds.class_map
        ClassMap(11 classes: background, 0, 1, 2, 3, 4, ..., ignore_class=255)
    """
    if split not in _SPLITS:
        raise ValueError(f"split must be one of {list(_SPLITS)}, received {split!r}")
    count, size, seed = check_scenes(
        count, _SPLITS[split].scenes, size, seed, _SMALLEST, "the largest digit fits"
    )
    return Dataset(
        read=partial(_scene, split, size, seed),
        ids=[f"{split}-{i:04d}" for i in range(count)],
        class_map=ClassMap(["background", *"0123456789"], _COLORS, ignore_class=_IGNORE),
        name=f"digits-{split}",
    )


def _scene(split: str, size: tuple[int, int], seed: int, index: int) -> Pair:
    rng = scene_rng(seed, _SPLITS[split].stream, index)
    planes = _background(split, size, rng)
    mask = np.zeros(size, np.uint8)
    centres = _centres(size, rng)
    number = len(centres)
    samples = rng.choice(_samples(split), number)
    sides = rng.uniform(*_DIGIT_PIXELS, number)
    angles = rng.uniform(*_ROTATION, number)
    tints = _tints(number, rng)
    for digit in zip(centres, samples, sides, angles, tints, strict=True):
        _paste(planes, mask, *digit)
    # The whole range of int8 is several times faster to draw than a part of it.
    planes += rng.integers(-128, 128, planes.shape, np.int8) * np.float32(_NOISE / 128)
    return cv2.merge(list(np.clip(planes, 0, 255).astype(np.uint8))), mask


def _background(split: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A dimmed crop out of the split's area of either photograph: (3, height, width) float32.

    One plane a colour: NumPy blends the digits into planes several times faster than into pixels.
    """
    area = _photographs()[rng.integers(2), slice(*_SPLITS[split].rows)]
    # At most two photograph pixels a scene pixel, as linear interpolation would skip some of
    # three; fewer than one where the scene outgrows the area.
    scale = rng.uniform(0.5, 1.0) * min(2.0, area.shape[0] / size[0], area.shape[1] / size[1])
    height, width = (max(1, int(scale * side)) for side in size)
    top = rng.integers(area.shape[0] - height + 1)
    left = rng.integers(area.shape[1] - width + 1)
    crop = np.ascontiguousarray(area[top : top + height, left : left + width])
    crop = cv2.resize(crop, size[::-1], interpolation=cv2.INTER_LINEAR)
    dimmed = rng.uniform(*_BACKGROUND_LIGHT)
    return np.stack(cv2.split(crop)) * np.float32(dimmed)


def _centres(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(number, 2) centres (y, x), in drawing order, in different cells of a grid.

    Anywhere in the scene, digits would bury each other; so, most meet only at their edges.
    """
    number = max(1, round(size[0] * size[1] / rng.uniform(*_AREA_PER_DIGIT)))
    rows = max(1, round((number * size[0] / size[1]) ** 0.5))
    columns = -(-number // rows)
    cells = rng.permutation(rows * columns)[:number]
    place = np.stack(np.divmod(cells, columns), axis=1) + rng.uniform(0.15, 0.85, (number, 2))
    margin = _DIGIT_PIXELS[1] / 2
    return margin + place / (rows, columns) * (np.array(size) - 2 * margin)


def _tints(number: int, rng: np.random.Generator) -> np.ndarray:
    """(number, 3) bright colours of any hue, so that no colour tells a class."""
    low, high = (0, 0.15, 200), (360, 0.7, 255)
    hsv = rng.uniform(low, high, (1, number, 3)).astype(np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0]


def _paste(
    planes: np.ndarray,
    mask: np.ndarray,
    centre: np.ndarray,
    sample: int,
    side: float,
    angle: float,
    tint: np.ndarray,
) -> None:
    """Draws one digit over what is there, in image and mask."""
    reach = int(0.65 * side) + 2  # no stroke or rim of a turned digit lies farther out
    top, left = (max(0, int(c) - reach) for c in centre)
    bottom, right = (int(c) + reach + 1 for c in centre)
    planes, mask = planes[:, top:bottom, left:right], mask[top:bottom, left:right]
    patches, targets = _ink()
    middle = (_PATCH - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), angle, side / (8 * _CELL))
    turn[:, 2] += centre[::-1] - (left, top) - middle
    ink = cv2.warpAffine(patches[sample], turn, mask.shape[::-1])
    wide = cv2.dilate(ink, _NEIGHBOURS)
    with_rim = wide >= _STROKE_INK
    mask[with_rim] = _IGNORE
    mask[ink >= _STROKE_INK] = targets[sample] + 1
    opacity = _OPACITY_BY_INK.take(ink) * with_rim  # faint ink beyond the rim isn't shown
    planes *= _SHADE_BY_INK.take(wide) * (1 - opacity)
    planes += tint[:, None, None] * opacity


@lru_cache(maxsize=1)
def _ink() -> tuple[np.ndarray, np.ndarray]:
    """All digits as smooth (1797, 40, 40) uint8 ink, and what they show (1797,)."""
    from sklearn.datasets import load_digits

    cells, targets = load_digits(return_X_y=True)
    cells = np.pad(cells.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    upscaled = [cv2.resize(c, (_PATCH, _PATCH), interpolation=cv2.INTER_CUBIC) for c in cells]
    smooth = np.stack([cv2.GaussianBlur(u, (0, 0), 0.35 * _CELL) for u in upscaled])
    # Sharpened, thin strokes hold together and the holes of a 6, 8 and 9 stay open.
    wide = np.stack([cv2.GaussianBlur(u, (0, 0), 1.0 * _CELL) for u in upscaled])
    ink = (smooth + 1.5 * (smooth - wide)) * (255 / 16)
    return np.clip(ink, 0, 255).astype(np.uint8), targets.astype(np.uint8)


@lru_cache(maxsize=3)
def _samples(split: str) -> np.ndarray:
    """Indices of the split's digit samples: the same share of each class."""
    targets = _ink()[1]
    start, stop = _SPLITS[split].samples
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(np.flatnonzero(targets == digit)) for digit in range(10)]
    return np.concatenate([s[round(start * len(s)) : round(stop * len(s))] for s in shuffled])


@lru_cache(maxsize=1)
def _photographs() -> np.ndarray:
    """china.jpg and flower.jpg: (2, 427, 640, 3) uint8."""
    from sklearn.datasets import load_sample_image

    return np.stack([load_sample_image("china.jpg"), load_sample_image("flower.jpg")])
