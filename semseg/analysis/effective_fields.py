"""How far the pixels lie that in fact decide one output pixel, measured by the gradient.

Luo, Li, Urtasun and Zemel, 2016, "Understanding the Effective Receptive Field in Deep
Convolutional Neural Networks" (arXiv:1701.04128).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from semseg._backend import input_gradient
from semseg.analysis.graph import read_graph

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class MeasuredField:
    """The measured receptive field of one output pixel, in input pixels; pairs are (y, x).

    Attributes:
        map: (height, width) of the pictures, float32: how much the output depends on each pixel,
            as shares that sum to 1.
        pixel: the output pixel.
        first, last: the outermost pixels that it depends on at all.
    """

    map: np.ndarray
    pixel: Pair
    first: Pair
    last: Pair

    @property
    def height(self) -> int:
        """From the first to the last row that it depends on."""
        return self.last[0] - self.first[0] + 1

    @property
    def width(self) -> int:
        """From the first to the last column."""
        return self.last[1] - self.first[1] + 1

    def side(self, share: float = 0.95) -> int:
        """Side of the square around the map's centre of mass that holds a share of the whole."""
        rows, columns = np.indices(self.map.shape)
        y, x = (round(float((self.map * place).sum())) for place in (rows, columns))
        distance = np.maximum(np.abs(rows - y), np.abs(columns - x))
        within = np.bincount(distance.ravel(), weights=self.map.ravel()).cumsum()
        # The sum of many shares is 1 only up to rounding.
        return 2 * int(np.argmax(within >= min(share, within[-1]))) + 1

    def __str__(self) -> str:
        side = self.side()
        return (
            f"depends on {self.height} x {self.width} pixels; 95 % of the gradient lies in "
            f"{side} x {side}"
        )


def measured_receptive_field(
    model: Any, images: np.ndarray, pixel: Pair | None = None, output: str | None = None
) -> MeasuredField:
    """Which input pixels one output pixel depends on, for given pictures.

    The gradient of the largest channel at that pixel (the predicted class) is taken with respect
    to the pictures; its absolute values are averaged over pictures and channels. It never reaches
    beyond `receptive_field(model)`; ReLU and pooling hide much of that.

    Args:
        model: a functional `keras.Model`, in inference.
        images: (batch, height, width, channels), as the model takes them; several average out
            what one hides.
        pixel: (y, x) in the output; None: its middle.
        output: a layer or an output by name, as for `receptive_field`.

    Raises:
        ValueError: images of a wrong shape, a pixel outside the output, or one that depends on no
            pixel (all ReLUs before it are closed).

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> images = np.random.default_rng(0).uniform(0, 255, (2, 40, 40, 3))
        >>> field = semseg.analysis.measured_receptive_field(model, images)
        >>> field.height <= semseg.analysis.receptive_field(model).height
        True
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            f"images must have shape (batch, height, width, channels), received {images.shape}"
        )
    graph = read_graph(model, images.shape[1:3])
    target = graph.output_of(output)
    y, x = pixel = _checked(pixel, graph.tensors[target].shape)

    def chosen(images: Any) -> Any:
        return ops.max(graph.values([images], target)[target][:, y, x], axis=-1)

    gradient = np.abs(input_gradient(chosen, images)).mean(axis=(0, 3), dtype=np.float64)
    if not gradient.any():
        raise ValueError(
            f"output pixel {pixel} depends on no pixel of these images; pass others, or more"
        )
    rows, columns = (np.flatnonzero(gradient.any(axis=axis)) for axis in (1, 0))
    return MeasuredField(
        (gradient / gradient.sum()).astype(np.float32),
        pixel,
        (int(rows[0]), int(columns[0])),
        (int(rows[-1]), int(columns[-1])),
    )


def _checked(pixel: Pair | None, shape: tuple[int, ...]) -> Pair:
    if len(shape) != 4:
        raise ValueError(f"output must be a map (batch, height, width, channels), it is {shape}")
    height, width = shape[1:3]
    y, x = (height // 2, width // 2) if pixel is None else pixel
    if not (0 <= y < height and 0 <= x < width):
        raise ValueError(
            f"pixel must be (y, x) inside the output of {height} x {width}, received {pixel}"
        )
    return y, x
