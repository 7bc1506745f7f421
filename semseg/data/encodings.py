"""What the numbers or colours in a mask's file mean: from the file to class ids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

from semseg.classes import ClassMap, check_class_map
from semseg.data.reading import MAX_PIXELS
from semseg.data.reading.files import read_header
from semseg.data.reading.masks import mask_of
from semseg.regions import touching_borders

#: How mask files can be meant; "auto" looks at the first one and says in `repr` what it found.
Encoding = Literal["auto", "ids", "rgb", "instances"]

_INSTANCE_CLASSES = (2, 3)  # background, object; and the border between touching objects


@dataclass(frozen=True)
class MaskDecoder:
    """Reads the masks of a data set: `decoder.read(path)` -> class ids (height, width).

    Args:
        class_map: what the file's ids or colours mean.
        encoding: "ids" (grey, palette, 16 bit, .npy), "rgb" (colours of the map), or "instances"
            (0 = background, a number for each object) -> background and object, and where the map
            has three classes, the third is the border where objects touch.
        max_pixels: files that declare more are refused.
    """

    class_map: ClassMap
    encoding: Encoding = "ids"
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.encoding not in get_args(Encoding):
            raise ValueError(
                f"encoding must be one of {list(get_args(Encoding))}, received {self.encoding!r}"
            )
        count = check_class_map(self.class_map).num_classes
        if self.encoding == "instances" and count not in _INSTANCE_CLASSES:
            raise ValueError(
                "encoding='instances' makes 2 classes (background, object) or 3 (background, "
                f"object, border between touching objects), received a class_map of {count}"
            )

    def read(self, path: Path) -> np.ndarray:
        """The class ids in a mask's file; every error names the file."""
        header = read_header(path, self.max_pixels)
        return self.decode(mask_of(path, header, self.encoding != "rgb"), path)

    def decode(self, raw: np.ndarray, path: Path) -> np.ndarray:
        """The class ids of what a file holds."""
        if self.encoding == "ids" and raw.ndim == 3:
            if not is_grey(raw):
                raise ValueError(
                    f"mask must hold ids in one channel, received RGB colours (file {path}); pass "
                    "encoding='rgb' and a ClassMap with the masks' colors"
                )
            raw = raw[..., 0]
        if self.encoding == "rgb" and raw.ndim == 2:
            raise ValueError(
                f"mask must hold RGB colours, received one channel of ids (file {path}); pass "
                "encoding='ids'"
            )
        if self.encoding == "instances":
            return self._classes_of_instances(raw, path)
        try:
            return self.class_map.encode(raw)
        except (ValueError, TypeError) as error:
            advice = ""
            if self.class_map.num_classes in _INSTANCE_CLASSES and _may_be_instances(raw):
                advice = "; if every object has a number of its own, pass encoding='instances'"
            raise type(error)(f"{error}{advice} (file {path})") from None

    def _classes_of_instances(self, raw: np.ndarray, path: Path) -> np.ndarray:
        if raw.ndim != 2 or raw.dtype.kind not in "ui" or raw.min() < 0:
            raise ValueError(
                "instances must be whole numbers >= 0 in one channel, received shape "
                f"{raw.shape}, dtype {raw.dtype} and values from {raw.min()} (file {path})"
            )
        ids = (raw != 0).astype(np.uint8)
        if self.class_map.num_classes == 3:
            ids[touching_borders(raw)] = 2
        return ids


class AmbiguousMaskError(ValueError):
    """A mask that can be read in two ways; only the caller can know which is meant."""


class Found(NamedTuple):
    """What a mask's file was found to hold."""

    encoding: Encoding
    form: str  # for people: "8-bit ids", "palette ids", "RGB colours"
    is_certain: bool = True  # False: as colours it says the same, as black masks do


def detect(path: Path, class_map: ClassMap, max_pixels: int = MAX_PIXELS) -> Found:
    """How a mask's file is meant, where only one reading makes sense of it.

    Raises:
        AmbiguousMaskError: it can be read as ids and as colours of the map, and these disagree.
    """
    header = read_header(path, max_pixels)
    raw = mask_of(path, header)
    readings = {"ids": raw[..., 0] if raw.ndim == 3 and is_grey(raw) else raw}
    if raw.ndim == 3:
        readings["rgb"] = raw
    elif header.mode == "P":
        readings["rgb"] = mask_of(path, header, palette_ids=False)
    known = {}
    for encoding, reading in readings.items():
        if encoding == "rgb" or reading.ndim == 2:
            try:
                known[encoding] = class_map.encode(reading)
            except (ValueError, TypeError):
                continue
    if len(known) == 2 and not np.array_equal(known["ids"], known["rgb"]):
        raise AmbiguousMaskError(
            f"the mask can be read as ids and as colours of the class_map, and the two disagree: "
            f"{path}; pass encoding='ids' or encoding='rgb'"
        )
    if "ids" in known or "rgb" not in readings:
        return Found("ids", form_of_ids(header.mode, raw), "rgb" not in known)
    if "rgb" in known:
        return Found("rgb", "palette colours" if header.mode == "P" else "RGB colours")
    is_colour = raw.ndim == 3 and not is_grey(raw)
    return Found("rgb", "RGB colours") if is_colour else Found("ids", form_of_ids(header.mode, raw))


def _may_be_instances(raw: np.ndarray) -> bool:
    """Whether ids count objects; 0 and 255 alone are one class and its background."""
    return raw.ndim == 2 and bool(((raw != 0) & (raw != 255)).any())


def form_of_ids(mode: str, raw: np.ndarray) -> str:
    """How a file holds its ids, for people."""
    if mode == "P":
        return "palette ids"
    if raw.ndim == 3:
        return "ids in three equal channels"
    return f"{raw.dtype.itemsize * 8}-bit ids" if raw.dtype.kind in "ui" else f"{raw.dtype} ids"


def is_grey(colours: np.ndarray) -> bool:
    """Whether the three channels are equal everywhere, as where ids were saved as RGB."""
    return bool(
        (colours[..., 0] == colours[..., 1]).all() and (colours[..., 0] == colours[..., 2]).all()
    )
