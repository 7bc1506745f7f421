"""The pictures, against what the model does with them first."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from semseg.layers import ImageNetScaling
from semseg.layers.pixel_scaling import takes_bytes
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject

_FARTHEST = 6.0  # deviations or half ranges from the middle
_UNSCALED = 20.0  # largest value of a convolution's input that nobody calls unscaled


def forms(subject: Subject) -> Iterator[Finding]:
    """Channels, sizes, and the order of the channels."""
    images = [sample.image for sample in subject.samples.read]
    wanted = _input_shape(subject.model)
    if wanted is not None and wanted[-1] not in (None, images[0].shape[-1]):
        evidence = f"{images[0].shape[-1]} channels; the model takes {wanted[-1]}"
        yield finding("wrong_channels", evidence, images[0].shape[-1])
    sizes = {image.shape[:2] for image in images}
    subject.facts["pictures"] = _described(subject.images, sizes)
    if len(sizes) > 1 and subject.batch_size > 1:
        listed = ", ".join(f"{h}x{w}" for h, w in sorted(sizes)[:4])
        evidence = f"{len(sizes)} sizes in {len(images)} pictures: {listed}"
        yield finding("mixed_sizes", f"{evidence}; batch_size={subject.batch_size}")
    yield from _order(subject)


def pixels(subject: Subject) -> Iterator[Finding]:
    """The range of the pixels, against the layer that scales them."""
    images, seen = subject.images.astype(np.float32), subject.seen
    low, high = float(images.min()), float(images.max())
    evidence = f"pixels {low:g} .. {high:g} ({subject.images.dtype})"
    if low == high:
        return
    if seen.scaling is None:
        reach = max(map(abs, seen.first_input or (0.0, 0.0)))
        if reach > _UNSCALED:
            yield finding("unscaled_images", f"{evidence}, {reach:g} at the first convolution")
        return
    evidence += f"; {seen.scaling.name} makes them {seen.scaled.min():.3g} .. "
    evidence += f"{seen.scaled.max():.3g}"
    if isinstance(seen.scaling, keras.layers.Normalization):
        middle, spread = float(seen.scaled.mean()), float(seen.scaled.std())
        if abs(middle) > _FARTHEST or not 1 / 30 < spread < 30:
            yield finding("image_range", f"{evidence}: mean {middle:.3g}, deviation {spread:.3g}")
    elif takes_bytes(seen.scaling) and (high <= 1.5 or low < 0):
        yield finding("images_already_scaled", evidence)
    elif takes_bytes(seen.scaling) and high > 255.5:
        yield finding("image_range", evidence)


def _order(subject: Subject) -> Iterator[Finding]:
    """Red and blue can be told apart only where the files are at hand."""
    sample, files = subject.samples.read[0], subject.ds.files
    if subject.images.shape[-1] != 3:
        return
    if files is None:
        if any(isinstance(layer, ImageNetScaling) for layer in subject.model._flatten_layers()):
            subject.skipped.append(
                "the order of the channels: pixels don't tell RGB from BGR, and this data set has "
                "no files to compare them with"
            )
        return
    try:
        image, _ = subject.ds[sample.place]
        stored = files(sample.place).read_image()
    except Exception:  # told by the check of the samples
        return
    is_turned = stored.shape == image.shape and (stored[..., ::-1] == image).all()
    if is_turned and not (stored == image).all():
        yield finding("bgr_images", f"sample {sample.id!r} is its file with the channels reversed")


def _input_shape(model: keras.Model) -> Any:
    try:
        shape = model.input_shape
    except AttributeError:  # a subclassed model that was not called
        return None
    return shape if isinstance(shape, tuple) and len(shape) == 4 else None


def _described(images: np.ndarray, sizes: set[tuple[int, ...]]) -> str:
    height, width, channels = images.shape[1:]
    more = "" if len(sizes) == 1 else f" and {len(sizes) - 1} other sizes"
    return f"{height}x{width}x{channels} {images.dtype}, {images.min():g} .. {images.max():g}{more}"
