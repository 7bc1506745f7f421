"""Temperature scaling: probabilities that mean what they say, from pictures with masks."""

from collections.abc import Iterator

import keras
import numpy as np

from semseg.data.dataset import Dataset
from semseg.inference.forward import Forward
from semseg.inference.prediction import predictions
from semseg.inference.scoring import check_classes
from semseg.inference.temperature import with_end

# Temperatures that are looked at: an octave apart, then a 16th of one.
_LOWEST, _HIGHEST, _TRIED = 2.0**-8, 2.0**8, 17


def calibrate(
    model: keras.Model,
    ds: Dataset,
    *,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
) -> keras.Model:
    """Temperature scaling: divides the logits by the one number that makes them honest.

    Guo et al., 2017, "On Calibration of Modern Neural Networks", section 4.2: the temperature that
    minimises the crossentropy per pixel on pictures that the model was not trained on. The classes
    that `predict` chooses stay. The slope of the crossentropy is summed picture by picture for 17
    temperatures, in two passes over the data set (it is convex in 1 / temperature, so the lowest
    place lies where the slope changes its sign); no logits are kept.

    Args:
        model: any functional model with per-pixel outputs: logits, softmax, or one output with or
            without sigmoid.
        ds: annotated pictures, not those of the training; ignored pixels do not count.
        size, batch_size: as in `score`.

    Returns:
        A model with the same layers and a temperature before its activation, not compiled, to be
        used and saved as any other; `calibrated.layers[-1].temperature` is the number. Where means
        of probabilities choose the class (`tta`, or `size` of a model that ends in softmax),
        classes may change with the weight of the means.

    Raises:
        ValueError: a model whose number of outputs is not the data set's number of classes; data
            without a pixel that counts; logits that no temperature between 1/256 and 256 mends,
            those of a model that makes no mistake or that knows nothing.
        TypeError: a model without a graph.

    Example:
        >>> ds = semseg.data.digits("val", count=2)
        >>> keras.utils.set_random_seed(0)
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> image, _ = ds[0]
        >>> calibrated = semseg.inference.calibrate(model, ds)
        >>> pair = [semseg.inference.predict(m, image) for m in (model, calibrated)]
        >>> bool((pair[0] == pair[1]).all()), calibrated.layers[-1].temperature != 1
        (True, True)
    """
    forward = Forward(model)
    check_classes(forward, ds)
    logits = with_end(model, None)
    low, high = 1 / _HIGHEST, 1 / _LOWEST
    for _ in range(2):
        sharpness = np.geomspace(low, high, _TRIED)
        slopes = _slopes(_pixels(logits, ds, size, batch_size), sharpness)
        _check_slopes(slopes, ds)
        above = int(np.argmax(slopes >= 0))
        low, high = sharpness[above - 1 : above + 1]
    found = np.interp(0.0, slopes[above - 1 : above + 1], [low, high])
    return with_end(model, forward.activation, float(1 / found))


def _slopes(pixels: Iterator[tuple[np.ndarray, np.ndarray]], sharpness: np.ndarray) -> np.ndarray:
    """The derivatives of the summed crossentropy by 1 / temperature, at some of these.

    They are the sums of (mean logit - logit of the truth), the mean weighted by the probabilities.
    """
    total = np.zeros(len(sharpness))
    for logits, truth in pixels:
        below = logits - logits.max(axis=-1, keepdims=True)  # no exponential overflows
        of_truth = np.take_along_axis(below, truth[:, None], axis=-1).sum(dtype=np.float64)
        for i, factor in enumerate(sharpness):
            shares = np.exp(np.float32(factor) * below)
            means = (shares * below).sum(axis=-1) / shares.sum(axis=-1)
            total[i] += means.sum(dtype=np.float64) - of_truth
    return total


def _pixels(
    model: keras.Model, ds: Dataset, size: tuple[int, int] | None, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Logits (pixels, classes >= 2) and ids (pixels,) of what counts, picture by picture."""
    masks: list[np.ndarray] = []  # read with the images, used when their prediction comes

    def images() -> Iterator[np.ndarray]:
        for image, mask in ds:
            masks.append(mask)
            yield image

    for logits in predictions(model, images(), output="logits", size=size, batch_size=batch_size):
        mask = masks.pop(0)
        counts = mask != ds.class_map.ignore_class
        kept = logits[counts]
        if kept.shape[-1] == 1:  # the logit of class 1 against 0
            kept = np.concatenate([np.zeros_like(kept), kept], axis=-1)
        yield kept, mask[counts].astype(np.int64)


def _check_slopes(slopes: np.ndarray, ds: Dataset) -> None:
    if not np.isfinite(slopes).all():
        raise ValueError(
            f"model must give finite logits, received NaN or infinity on {ds.name!r}; look at its "
            "weights, and at its pictures with preflight.check(model, ds)"
        )
    if slopes[0] >= 0:
        raise ValueError(
            f"model must know more than chance about {ds.name!r}, received logits that are best "
            f"ignored (a temperature above {_HIGHEST:g}, or no pixel that counts); train it, or "
            "check that ids and channels mean the same classes"
        )
    if slopes[-1] <= 0:
        raise ValueError(
            f"ds must hold pixels that the model gets wrong, received {ds.name!r}, where any "
            f"temperature down to {_LOWEST:g} is better than a higher one; calibrate on pictures "
            "that are harder or more, not those of the training"
        )
