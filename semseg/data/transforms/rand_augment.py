"""Some transforms of a whole set, with one number for how strong they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from semseg._checks import check_count
from semseg.data.transforms.affine import Affine
from semseg.data.transforms.colors import Hue, Saturation
from semseg.data.transforms.cutout import Cutout
from semseg.data.transforms.frame import Border
from semseg.data.transforms.geometric import check_border
from semseg.data.transforms.operation import check_range
from semseg.data.transforms.quality import Blur, Noise
from semseg.data.transforms.transform import Transform, TransformLike
from semseg.data.transforms.turning import Flip
from semseg.data.transforms.values import Brightness, Contrast, Gamma, check_values


@dataclass(frozen=True, repr=False)
class RandAugment(Transform):
    """`count` transforms drawn from one set of 13, after Cubuk et al., NeurIPS 2020.

    Two numbers in place of a list: try `magnitude` 0.2, 0.4, 0.6 and keep the best. The set, in
    `operations()`, is ours: rotation, shear, shift and zoom, which move image and mask together,
    mirror images left and right, brightness, contrast, gamma, noise, blur, saturation, hue, and a
    square of the image hidden (not of the mask). Each draws its own strength, up to the
    magnitude's; the authors' are all as strong as that.

    Args:
        count: how many are drawn, with replacement.
        magnitude: 0 changes nothing, 1 is as far as anyone would go.
        colors: whether `Saturation` and `Hue` are in the set; they need RGB.
        border: what geometric ones show beyond the edges: "reflect" needs no id, "fill" takes the
            data set's `ignore_class`.
        mask_fill: the id for "fill"; in a pipeline the data set's `ignore_class` by default.

    Raises:
        ValueError: an image of other than 3 channels, unless `colors=False`.

    Example:
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> augment = RandAugment(count=2, magnitude=0.4)
        >>> image, mask = augment(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((60, 80, 3), (60, 80))
    """

    count: int = 2
    magnitude: float = 0.4
    colors: bool = True
    border: Border = "reflect"
    mask_fill: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("count of RandAugment", self.count, 1)
        check_range(self, "magnitude", 0, 1)
        check_border(self.border)
        if not isinstance(self.colors, bool):
            raise TypeError(f"colors of RandAugment must be a bool, received {self.colors!r}")

    def filled(self, ignore_class: int | None) -> Self:
        return super().filled(ignore_class) if self.border == "fill" else self

    def check_image(self, image: np.ndarray) -> None:
        if self.colors and image.shape[2] != 3:
            raise ValueError(
                "colours can only be changed in images of 3 channels (RGB), received "
                f"{image.shape[2]} channels; pass colors=False"
            )
        check_values(image)

    def steps(self, rng: np.random.Generator) -> Iterator[TransformLike]:
        operations = self.operations()
        for _ in range(self.count):
            yield from operations[int(rng.random() * len(operations))].pick(rng)

    def fills(self) -> set[int]:
        return super().fills() if self.border == "fill" else set()

    def operations(self) -> list[Transform]:
        """The set, at this magnitude."""
        m, border, fill = self.magnitude, self.border, self.mask_fill
        found: list[Transform] = [
            Flip(0.5 * m),
            Affine(rotation=30 * m, border=border, mask_fill=fill),
            Affine(shear=20 * m, border=border, mask_fill=fill),
            Affine(shift=0.4 * m, border=border, mask_fill=fill),
            Affine(zoom=(2.0**-m, 2.0**m), border=border, mask_fill=fill),
            Brightness(0.8 * m),
            Contrast(0.8 * m),
            Gamma((2.0**-m, 2.0**m)),
            Noise(0.15 * m),
            Cutout(share=0.5 * m),
        ]
        if m > 0:
            found.append(Blur((0.1 * m, 2 * m)))
        return found + [Saturation(0.9 * m), Hue(60 * m)] if self.colors else found
