"""The same few predictions after every epoch, as pictures."""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from semseg._checks import check_count
from semseg._writing import writable_folder
from semseg.data.dataset import Dataset
from semseg.inference.prediction import predict
from semseg.viz.comparison import draw_comparison
from semseg.viz.writing import save


class PredictionGrid(keras.callbacks.Callback):
    """Draws image, truth, prediction and error of the same samples after each epoch.

    The samples lie evenly over `ds`. Training goes on bit for bit as without it.

    Args:
        ds: annotated pictures, best those of the validation.
        folder: gets `epoch_001.png`, `epoch_002.png`, ...; made where it is missing. None: no
            files, for `on_grid` alone.
        count: rows of the picture.
        every: epochs between two pictures; the first is drawn after epoch `every`.
        on_grid: called with the epoch, from 1 on, and the picture (height, width, 3) uint8, for
            any logger: `lambda epoch, grid: tf.summary.image("grid", grid[None], epoch)`.
        size: (height, width) at which the model sees the pictures, as in `predict`.

    Raises:
        OSError: the folder can't be written.
        ValueError: nothing to draw into, counts below 1.

    Example:
        >>> ds, seen = semseg.data.digits("train", count=4, size=(32, 32)), []
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> model.compile("adam", semseg.losses.Crossentropy(ds.class_map.ignore_class))
        >>> grid = PredictionGrid(ds, None, on_grid=lambda epoch, picture: seen.append(epoch))
        >>> _ = model.fit(ds.batches(4), epochs=2, callbacks=[grid], verbose=0)
        >>> seen
        [1, 2]
    """

    def __init__(
        self,
        ds: Dataset,
        folder: str | os.PathLike[str] | None,
        count: int = 4,
        every: int = 1,
        on_grid: Callable[[int, np.ndarray], Any] | None = None,
        *,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        if folder is None and on_grid is None:
            raise ValueError("folder must be given where on_grid= is not, received None for both")
        self.count, self.every = check_count("count", count, 1), check_count("every", every, 1)
        self._on_grid, self._size = on_grid, size
        self._folder = None if folder is None else writable_folder(folder, "folder")
        self._class_map = ds.class_map
        self._images, self._masks = spread_samples(ds, count)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % self.every:
            return
        pred_masks = predict(self.model, self._images, size=self._size)
        grid = draw_comparison(self._images, self._masks, pred_masks, self._class_map)
        if self._folder is not None:
            save(self._folder / f"epoch_{epoch + 1:03d}.png", grid)
        if self._on_grid is not None:
            self._on_grid(epoch + 1, grid)


def spread_samples(ds: Dataset, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Images and masks of up to `count` samples, evenly over `ds`."""
    places = np.linspace(0, len(ds) - 1, min(count, len(ds))).round().astype(int)
    images, masks = zip(*(ds[int(i)] for i in places), strict=True)
    return list(images), list(masks)
