"""Which sizes the unpadded U-Net takes, and what comes out.

Two 3x3 convolutions without padding cost 4 pixels, and each pooling must halve an even number:
with n pixels at the bottom, a picture has `2**depth * n + 4 * (2**depth - 1)` of them and its
logits `2**depth * (n - 4) - 4 * (2**depth - 1)`, for depth 4 16n + 60 and 184 less than that.
"""

from collections.abc import Iterator
from itertools import count, takewhile
from typing import Any

import keras


def valid_sizes(depth: int = 4, largest: int = 1000) -> list[int]:
    """The heights or widths up to `largest` that `UNet(padding="valid")` takes, ascending.

    Example:
        >>> semseg.models.valid_sizes(depth=4, largest=600)[:3]
        [188, 204, 220]
        >>> 572 in semseg.models.valid_sizes()
        True
    """
    return list(takewhile(lambda size: size <= largest, _sizes(depth)))


def valid_output_size(size: int, depth: int = 4) -> int:
    """How many pixels of logits a height or width of `size` gives.

    Raises:
        ValueError: a size that does not fit, with the nearest that do.

    Example:
        >>> semseg.models.valid_output_size(572)
        388
    """
    smaller = list(takewhile(lambda legal: legal <= size, _sizes(depth)))
    if smaller and smaller[-1] == size:
        return size - _margin(depth)
    larger = next(legal for legal in _sizes(depth) if legal > size)
    near = f"{smaller[-1]} or {larger}" if smaller else f"{larger} or more"
    raise ValueError(
        f"UNet(padding='valid', depth={depth}) can't take a height or width of {size}; the nearest "
        f"that work are {near}; crop or mirror the picture to one of them, or use padding='same'"
    )


def skip_crops(depth: int) -> list[int]:
    """Pixels cut from each side of the skips, from the deepest level up: 4, 16, 40, 88, ..."""
    crops = [4]
    while len(crops) < depth:
        crops.append(2 * crops[-1] + 8)
    return crops


@keras.saving.register_keras_serializable(package="semseg.models")
class ValidSize(keras.layers.Layer):
    """Passes pictures on, and refuses sizes that the unpadded U-Net can't take.

    Where a compiled graph knows no sizes, such a picture still fails, at the first skip.
    """

    def __init__(self, depth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depth = depth
        self.built = True

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for size in input_shape[1:3]:
            if size is not None:
                valid_output_size(size, self.depth)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}


def _sizes(depth: int) -> Iterator[int]:
    stride = 2**depth
    # The logits must have a pixel: size > margin.
    return (size for n in count(5) if (size := stride * n + 4 * (stride - 1)) > _margin(depth))


def _margin(depth: int) -> int:
    """How many pixels fewer come out than go in."""
    return 4 * 2**depth + 8 * (2**depth - 1)
