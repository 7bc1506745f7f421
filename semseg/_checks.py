"""Checks of arrays and numbers at public borders: what was required, what came, what to do."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def check_num_classes(num_classes: Any) -> int:
    """An int >= 1, where 1 means binary with one logit."""
    if isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)):
        raise TypeError(f"num_classes must be an int >= 1, received {num_classes!r}")
    if num_classes < 1:
        raise ValueError(
            f"num_classes must be >= 1, received {num_classes}; "
            "the background counts as a class, the ignored label does not"
        )
    return int(num_classes)


def check_ignore_class(ignore_class: Any, num_classes: int) -> int | None:
    """None, or an int outside [0, num_classes)."""
    if ignore_class is None:
        return None
    if isinstance(ignore_class, bool) or not isinstance(ignore_class, (int, np.integer)):
        raise TypeError(f"ignore_class must be None or an int, received {ignore_class!r}")
    if 0 <= ignore_class < num_classes:
        raise ValueError(
            f"ignore_class must lie outside 0..{num_classes - 1}, received {ignore_class}; "
            "the ignored label is not a class: give it an id of its own, such as 255"
        )
    return int(ignore_class)


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """One of a few values."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, received {value!r}")


def check_count(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number, not below `least` and not above `most`."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        limit = f">= {least}" if most is None else f"{least}..{most}"
        raise ValueError(f"{name} must be an int {limit}, received {value!r}")
    return int(value)


def is_number(value: Any) -> bool:
    """Whether it is a real number of Python or NumPy, and no bool."""
    numbers = (int, float, np.integer, np.floating)
    return isinstance(value, numbers) and not isinstance(value, bool)


def check_at_least(name: str, value: Any, least: float, below: float = float("inf")) -> float:
    """A number in [least, below)."""
    if not is_number(value) or not least <= value < below:
        limit = (
            f"a finite number >= {least:g}"
            if below == float("inf")
            else f"in [{least:g}, {below:g})"
        )
        raise ValueError(f"{name} must be {limit}, received {value!r}")
    return float(value)


def check_positive(name: str, value: Any) -> float:
    """A finite number > 0."""
    if not is_number(value) or not 0 < value < np.inf:
        raise ValueError(f"{name} must be a finite number > 0, received {value!r}")
    return float(value)


def check_size(size: Any, name: str = "size") -> tuple[int, int]:
    """(height, width), both whole numbers >= 1."""
    try:
        height, width = size
        whole = int(height) == height and int(width) == width
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be (height, width), received {size!r}") from None
    if not whole or height < 1 or width < 1:
        raise ValueError(f"{name} must be (height, width), whole numbers >= 1, received {size!r}")
    return int(height), int(width)


def check_image(image: Any, where: str = "image") -> np.ndarray:
    """A (height, width, channels) array of numbers."""
    array = np.asarray(image)
    if array.dtype == object or array.dtype.kind not in "uifb":
        raise TypeError(f"{where} must be an array of numbers, received dtype {array.dtype}")
    if array.ndim != 3:
        hint = "; add the channel axis with image[..., None]" if array.ndim == 2 else ""
        raise ValueError(
            f"{where} must have shape (height, width, channels), received {array.shape}{hint}"
        )
    if 0 in array.shape:
        raise ValueError(f"{where} must not be empty, received shape {array.shape}")
    return array


def check_mask(mask: Any, where: str = "mask") -> np.ndarray:
    """A (height, width) array of integer ids; whole-number floats and booleans are converted."""
    array = check_ids(mask, where)
    if array.ndim != 2:
        hint = ""
        if array.ndim == 3 and array.shape[-1] == 1:
            hint = "; drop the channel axis with mask[..., 0]"
        elif array.ndim == 3 and array.shape[-1] in (3, 4):
            hint = "; colours are turned into ids by ClassMap.encode(mask)"
        raise ValueError(f"{where} must have shape (height, width), received {array.shape}{hint}")
    if not array.size:  # OpenCV does not bear it
        raise ValueError(f"{where} must not be empty, received shape {array.shape}")
    return array


def check_ids(ids: Any, where: str = "mask") -> np.ndarray:
    """An array of integer ids of any shape; whole-number floats and booleans are converted."""
    array = np.asarray(ids)
    if array.dtype.kind in "ui":
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    # bfloat16 and its like (ml_dtypes) report the kind "V".
    if array.dtype.kind == "f" or "float" in array.dtype.name:
        whole = array.astype(np.float64)
        if not np.all(np.isfinite(whole)) or np.any(whole != np.floor(whole)):
            raise ValueError(
                f"{where} must hold whole class ids, received {array.dtype} with fractions; "
                "a mask must be resized with nearest neighbour and never be normalised"
            )
        return whole.astype(np.int64)
    raise TypeError(f"{where} must hold integer class ids, received dtype {array.dtype}")


def warn_if_unit_range(images: np.ndarray) -> None:
    """Warns where pictures look already divided by 255."""
    if images.dtype.kind != "f" or not images.size or images.min() < 0:
        return
    if 0 < images.max() <= 1:
        warnings.warn(
            "the images lie in [0, 1], but preprocessing='rescale', a model's default, expects "
            "[0, 255] and would see an almost black picture; pass the images as they were read "
            "(uint8), or build the model with preprocessing=None (then ignore this)",
            stacklevel=3,
        )


def check_pixel_range(images: np.ndarray, where: str = "images") -> None:
    """Refuses what no model made for bytes ever saw; warns of [0, 1]."""
    warn_if_unit_range(images)
    if images.size and images.max() > 255:
        raise ValueError(
            f"{where} must lie in [0, 255] for a model whose first layer scales bytes, received "
            f"{images.dtype} up to {images.max()}; build the model with preprocessing= a Keras "
            "layer such as Rescaling(1 / 65535), or convert the images to 8 bit"
        )


def unknown_ids(mask: np.ndarray, num_classes: int, ignore_class: int | None) -> dict[int, int]:
    """The ids of `mask` that are neither a class nor the ignored label, with their pixel counts."""
    bad = (mask >= num_classes) | (mask < 0) if mask.dtype.kind == "i" else mask >= num_classes
    if ignore_class is not None:
        bad &= mask != ignore_class
    if not bad.any():
        return {}
    ids, counts = np.unique(mask[bad], return_counts=True)
    return {int(i): int(n) for i, n in zip(ids, counts, strict=True)}


def unknown_ids_message(
    found: dict[int, int], num_classes: int, ignore_class: int | None, where: str = "mask"
) -> str:
    """What to tell a person whose mask holds ids that are no classes."""
    first = next(iter(found))
    listed = ", ".join(str(i) for i in list(found)[:8]) + (", ..." if len(found) > 8 else "")
    allowed = f"0..{num_classes - 1}"
    if ignore_class is not None:
        allowed += f" and the ignored {ignore_class}"
    return (
        f"{where} has ids [{listed}] outside {allowed} ({found[first]} pixels of id {first}, "
        f"{sum(found.values())} in all); {_advice(found, num_classes)}"
    )


def _advice(found: dict[int, int], num_classes: int) -> str:
    if num_classes == 2 and set(found) == {255}:
        return "a 0/255 mask becomes 0/1 with ClassMap(..., remap={255: 1})"
    if len(found) > 1:
        return "add them to the ClassMap, or map them with ClassMap(..., remap={raw: id})"
    only = next(iter(found))
    advice = f"pass ignore_class={only} or add it to the ClassMap"
    if only == num_classes:
        advice += ", or, where ids start at 1, map them down with remap={1: 0, 2: 1, ...}"
    return advice
