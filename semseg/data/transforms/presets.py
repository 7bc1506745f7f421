"""Augmentation that suits a kind of picture: a start, in plain sight, to be changed."""

from semseg._checks import check_size
from semseg.data.transforms.affine import Affine
from semseg.data.transforms.colors import Hue, Saturation
from semseg.data.transforms.compose import Compose, OneOf
from semseg.data.transforms.cropping import Pad, RandomCrop
from semseg.data.transforms.deforming import Elastic, GridDistortion
from semseg.data.transforms.frame import Size
from semseg.data.transforms.quality import JPEG, Blur, Noise
from semseg.data.transforms.resizing import RandomScale
from semseg.data.transforms.turning import Flip, Rotate90
from semseg.data.transforms.values import Brightness, Contrast, Gamma

STREET_SCALE = (0.5, 2.0)
AERIAL_SCALE = (0.75, 1.5)


def light() -> Compose:
    """What hardly any data set objects to: left and right, a little brightness and contrast.

    Example:
        >>> light()
        Compose([Flip(), Brightness(limit=0.1), Contrast(limit=0.1)])
    """
    return Compose([Flip(), Brightness(0.1), Contrast(0.1)])


def street(size: Size, scale: tuple[float, float] = STREET_SCALE) -> Compose:
    """For pictures from a car: another scale, a crop of `size`, left and right, weather.

    Up and down stay where they are.

    Args:
        size: (height, width) of the crop.
        scale: the factor is drawn from (low, high). The crop should still fit into the picture
            times `low`: pictures of twice `size` for the default, or (1, 2) for pictures of
            `size`. What is left over is black, needs an `ignore_class`, and teaches nothing.
    """
    return Compose(
        [
            _scale(scale),
            RandomCrop(size, max_ignored=0.75),
            Flip(),
            Brightness(0.3),
            Contrast(0.3),
            Saturation(0.3),
            Hue(10),
            OneOf([Blur(), Noise(0.03)], probability=0.2),
        ]
    )


def medical(size: Size | None = None) -> Compose:
    """For microscopes and scanners: U-Net's elastic deformation, turns of any angle, no colour.

    Beyond the edges picture and mask are reflected, so that no `ignore_class` is needed.

    Args:
        size: (height, width) of a random crop at the end; None keeps the pictures' size.
    """
    steps = [
        Affine(rotation=180, zoom=(0.8, 1.25), border="reflect"),
        Elastic(sd=10, border="reflect"),
        Flip(),
        Flip(direction="vertical"),
    ]
    if size is not None:
        steps += [Pad(size, border="reflect"), RandomCrop(size)]
    return Compose([*steps, Brightness(0.1), Contrast(0.2), Gamma((0.8, 1.25))])


def aerial(size: Size, scale: tuple[float, float] = AERIAL_SCALE) -> Compose:
    """For pictures from above: no side is up; scale, a square crop, quarter turns, colours.

    Args:
        size: (height, width) of the crop, which must be a square as quarter turns exchange them.
        scale: the factor is drawn from (low, high); as for `street`, (1, 1.5) for pictures of
            `size`.
    """
    size = check_size(size)
    if size[0] != size[1]:
        raise ValueError(f"size must be a square for quarter turns, received {size!r}")
    return Compose(
        [
            _scale(scale),
            RandomCrop(size, max_ignored=0.75),
            Rotate90(),
            Flip(),
            GridDistortion(0.2, probability=0.3),
            Brightness(0.2),
            Contrast(0.2),
            Saturation(0.2),
            JPEG(probability=0.2),
        ]
    )


def _scale(scale: tuple[float, float]) -> RandomScale:
    try:
        low, high = scale
    except TypeError:
        raise TypeError(f"scale must be (low, high), received {scale!r}") from None
    return RandomScale(low, high)
