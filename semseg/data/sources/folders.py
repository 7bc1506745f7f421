"""A folder of images and a folder of masks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.reading import IMAGE_SUFFIXES, read_image, read_mask
from semseg.data.samples import Pair

Encoding = Literal["ids", "rgb"]
PathLike = str | os.PathLike[str]


def from_folders(
    images: PathLike,
    masks: PathLike,
    class_map: ClassMap,
    *,
    encoding: Encoding = "ids",
    name: str | None = None,
) -> Dataset:
    """Pairs the pictures of two folders by their names: `images/17.jpg` with `masks/17.png`.

    Args:
        images: folder of pictures (png, jpg, bmp, tif, webp).
        masks: folder of masks with the same stems.
        class_map: what the masks hold; its `remap` turns raw ids or colours into class ids.
        encoding: "ids" for single-channel and palette masks, "rgb" for masks painted in colours.
        name: the data set's name; the images folder's by default.

    Returns:
        A Dataset in the order of the file names. Files are opened when a sample is read.

    Raises:
        FileNotFoundError: a folder is missing or holds no picture.
        ValueError: images without mask or masks without image (named and counted), two files
            with one stem. When a sample is read: a damaged file, sizes that differ within the
            pair, ids or colours that the ClassMap doesn't know, RGB masks where ids are expected
            and the reverse; each names the file.

    Example:
        >>> import cv2, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for part in ("images", "masks"):
        ...     (folder / part).mkdir()
        ...     _ = cv2.imwrite(str(folder / part / "17.png"), np.full((4, 6), 255, "uint8"))
        >>> cells = semseg.ClassMap(["background", "cell"], remap={255: 1})
        >>> ds = semseg.data.from_folders(folder / "images", folder / "masks", cells)
        >>> ds
        Dataset('images', 1 samples, 2 classes: background, cell)
        >>> int(ds[0][1].max())
        1
    """
    check_encoding(encoding)
    image_files = _by_stem(_pictures(Path(images), "images"), "images")
    mask_files = _by_stem(_pictures(Path(masks), "masks"), "masks")
    _check_pairing(image_files, mask_files)
    pairs = [(image_files[stem], mask_files[stem]) for stem in sorted(image_files)]
    return dataset_of_files(pairs, class_map, name or Path(images).name, encoding)


def dataset_of_files(
    pairs: Sequence[tuple[Path, Path]], class_map: ClassMap, name: str, encoding: Encoding = "ids"
) -> Dataset:
    """The Dataset of (image file, mask file) pairs."""

    def read(index: int) -> Pair:
        image_file, mask_file = pairs[index]
        return read_image(image_file), read_ids(mask_file, class_map, encoding)

    return Dataset(read, [image.stem for image, _ in pairs], class_map, name)


def read_ids(path: Path, class_map: ClassMap, encoding: Encoding) -> np.ndarray:
    """The class ids of a mask file; every error names the file."""
    raw = read_mask(path)
    if encoding == "ids" and raw.ndim == 3:
        raise ValueError(
            f"mask must hold ids in one channel, received RGB colours (file {path}); pass "
            "encoding='rgb' and a ClassMap with the masks' colors"
        )
    if encoding == "rgb" and raw.ndim == 2:
        raise ValueError(
            f"mask must hold RGB colours, received one channel of ids (file {path}); pass "
            "encoding='ids'"
        )
    try:
        return class_map.encode(raw)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{error} (file {path})") from None


def check_encoding(encoding: str) -> None:
    """One of the two forms a mask file may have."""
    if encoding not in ("ids", "rgb"):
        raise ValueError(f"encoding must be 'ids' or 'rgb', received {encoding!r}")


def _pictures(folder: Path, argument: str) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{argument} must be a folder, found none at {folder}")
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        others = sorted(p.name for p in folder.iterdir())[:5]
        raise FileNotFoundError(
            f"{argument} must hold pictures ({', '.join(IMAGE_SUFFIXES)}), found none in {folder}; "
            f"it holds {', '.join(others) if others else 'nothing'}"
        )
    return files


def _by_stem(files: list[Path], argument: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise ValueError(
                f"{argument} must have one file a stem, received {found[file.stem].name} and "
                f"{file.name}"
            )
        found[file.stem] = file
    return found


def _check_pairing(image_files: dict[str, Path], mask_files: dict[str, Path]) -> None:
    lone_images = sorted(set(image_files) - set(mask_files))
    lone_masks = sorted(set(mask_files) - set(image_files))
    if not lone_images and not lone_masks:
        return
    parts = []
    for what, other, lone, files in (
        ("images", "mask", lone_images, image_files),
        ("masks", "image", lone_masks, mask_files),
    ):
        if lone:
            names = ", ".join(files[stem].name for stem in lone[:5])
            more = ", ..." if len(lone) > 5 else ""
            parts.append(f"{len(lone)} {what} without {other} ({names}{more})")
    raise ValueError(
        f"images and masks must pair by their stems, received {' and '.join(parts)}; "
        f"{len(set(image_files) & set(mask_files))} pairs match"
    )
