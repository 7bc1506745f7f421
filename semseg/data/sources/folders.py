"""A folder of images and a folder of masks."""

import fnmatch
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.encodings import Encoding
from semseg.data.files import Channels, FilePair, OnError, PathLike, dataset_of_files
from semseg.data.reading import IMAGE_SUFFIXES, MAX_PIXELS


def from_folders(
    images: PathLike,
    masks: PathLike,
    class_map: ClassMap,
    *,
    encoding: Encoding = "auto",
    image_suffix: str = "",
    mask_suffix: str = "",
    pattern: str = "*",
    recursive: bool = False,
    max_pixels: int = MAX_PIXELS,
    on_error: OnError = "raise",
    channels: Channels | None = None,
    name: str | None = None,
) -> Dataset:
    """Pairs the pictures of two folders by their names: `images/17.jpg` with `masks/17.png`.

    Args:
        images: folder of pictures (png, jpg, bmp, tif, webp, npy).
        masks: folder of masks with the same stems; it may be the same folder where a suffix tells
            them apart.
        class_map: what the masks hold; its `remap` turns raw ids or colours into class ids.
        encoding: "ids" (grey, palette, 16 bit), "rgb" (the map's colours), "instances" (a number
            for each object -> background and object, and a border where the map has three
            classes), or "auto": what the first mask holds, which `repr` says.
        image_suffix: what an image's stem ends with and its mask's does not ("_leftImg8bit").
        mask_suffix: what a mask's stem ends with and its image's does not ("_mask"). Files
            without the suffix are not masks.
        pattern: which image files count, as a shell pattern of their names: "*.jpg".
        recursive: whether folders inside are searched too; pairs then have the same place in both
            folders, and ids are paths: "city/17".
        max_pixels: files that declare more are refused before they are decoded.
        on_error: "raise" when a bad sample is read, or "skip" to read every sample once and leave
            the bad ones out; `ds.skipped` lists them.
        channels: 3 repeats grey pictures in three channels, 1 turns colours into grey, so that a
            model can take a set of both; None keeps what each file has.
        name: the data set's name; the images folder's by default.

    Returns:
        A Dataset in the order of the file names. Files are opened when a sample is read.

    Raises:
        FileNotFoundError: a folder is missing or holds no picture.
        ValueError: images without mask or masks without image (named and counted), two files
            with one stem, a first mask that can be read in two ways. When a sample is read: a
            damaged file, sizes that differ within the pair, ids or colours that the ClassMap
            doesn't know, RGB masks where ids are expected and the reverse; each names the file.

    Example:
        >>> import cv2, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for part in ("images", "masks"):
        ...     (folder / part).mkdir()
        ...     _ = cv2.imwrite(str(folder / part / "17.png"), np.full((4, 6), 255, "uint8"))
        >>> cells = semseg.ClassMap(["background", "cell"], remap={255: 1})
        >>> ds = semseg.data.from_folders(folder / "images", folder / "masks", cells)
        >>> ds
        Dataset('images', 1 samples, 2 classes: background, cell; \
first image 4x6x1 uint8, masks: 8-bit ids)
        >>> int(ds[0][1].max())
        1
    """
    pairing = pair_folders(
        images,
        masks,
        image_suffix=image_suffix,
        mask_suffix=mask_suffix,
        pattern=pattern,
        recursive=recursive,
    )
    pairing.raise_for_lone_files()
    return dataset_of_files(
        pairing.pairs,
        class_map,
        name or os.path.basename(os.path.abspath(images)),
        encoding,
        max_pixels,
        on_error,
        channels,
    )


class Pairing(NamedTuple):
    """The files of two folders, paired, and what has no partner."""

    pairs: list[FilePair]
    lone_images: list[Path]
    lone_masks: list[Path]

    def raise_for_lone_files(self) -> None:
        """Refuses files without partner, with names and numbers."""
        parts = []
        for what, other, lone in (
            ("images", "mask", self.lone_images),
            ("masks", "image", self.lone_masks),
        ):
            if lone:
                names = ", ".join(path.name for path in lone[:5])
                more = ", ..." if len(lone) > 5 else ""
                parts.append(f"{len(lone)} {what} without {other} ({names}{more})")
        if parts:
            raise ValueError(
                f"images and masks must pair by their stems, received {' and '.join(parts)}; "
                f"{len(self.pairs)} pairs match; where stems differ, say how with image_suffix= "
                'and mask_suffix= (such as mask_suffix="_mask"), or pass pairs to from_pairs'
            )


def pair_folders(
    images: PathLike,
    masks: PathLike,
    *,
    image_suffix: str = "",
    mask_suffix: str = "",
    pattern: str = "*",
    recursive: bool = False,
) -> Pairing:
    """Lists two folders and pairs their files; the arguments are those of `from_folders`."""
    same = os.path.realpath(images) == os.path.realpath(masks)
    if same and image_suffix == mask_suffix:
        raise ValueError(
            f"images and masks are one folder ({images}): say what tells them apart with "
            'mask_suffix= or image_suffix=, such as mask_suffix="_mask"'
        )
    image_names = _pictures(images, "images", pattern, recursive)
    mask_names = _pictures(masks, "masks", "*", recursive)
    if same:  # where one suffix ends with the other, the longer one decides
        if mask_suffix.endswith(image_suffix):
            image_names = [n for n in image_names if not _stem(n).endswith(mask_suffix)]
        elif image_suffix.endswith(mask_suffix):
            mask_names = [n for n in mask_names if not _stem(n).endswith(image_suffix)]
    image_files = _by_id(images, image_names, image_suffix, "images")
    mask_files = _by_id(masks, mask_names, mask_suffix, "masks")
    return Pairing(
        [
            FilePair(i, image_files[i], mask_files[i])
            for i in sorted(image_files)
            if i in mask_files
        ],
        _lone(image_files, mask_files),
        _lone(mask_files, image_files),
    )


def _lone(files: Mapping[str, Path], others: Mapping[str, Path]) -> list[Path]:
    return [files[i] for i in sorted(files) if i not in others]


def _pictures(folder: PathLike, argument: str, pattern: str, recursive: bool) -> list[str]:
    """Names, with the folders inside, of files that look like pictures, sorted."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{argument} must be a folder, found none at {folder}")
    names = list(_names(os.fspath(folder), recursive))
    found = [n for n in names if n.lower().endswith(IMAGE_SUFFIXES)]
    found = [n for n in found if fnmatch.fnmatch(os.path.basename(n), pattern)]
    if not found:
        others = sorted(os.listdir(folder))[:5]
        wanted = ", ".join(IMAGE_SUFFIXES) + (f" and {pattern!r}" if pattern != "*" else "")
        raise FileNotFoundError(
            f"{argument} must hold pictures ({wanted}), found none in {folder}; "
            f"it holds {', '.join(others) if others else 'nothing'}"
            + ("" if recursive else "; recursive=True looks into the folders inside")
        )
    return sorted(found)


def _names(folder: str, recursive: bool) -> Iterator[str]:
    """Names of files below a folder, hidden ones left out; links are followed, but in no circle.

    A link that leads nowhere is a file too, whose reading then says that it is missing.
    """
    todo: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(folder),))]
    while todo:
        inside, above = todo.pop()
        with os.scandir(os.path.join(folder, inside)) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                name = os.path.join(inside, entry.name)
                if not entry.is_dir():
                    yield name
                elif recursive and (real := os.path.realpath(entry.path)) not in above:
                    todo.append((name, (*above, real)))


def _by_id(folder: PathLike, names: list[str], suffix: str, argument: str) -> dict[str, Path]:
    """The files whose stem ends with the suffix, by their name without folder and suffix."""
    found: dict[str, Path] = {}
    for name in names:
        stem = _stem(name)
        if not stem.endswith(suffix):
            continue
        sample = stem.removesuffix(suffix)
        if sample in found:
            raise ValueError(
                f"{argument} must have one file a stem, received {found[sample].name} and "
                f"{os.path.basename(name)}"
            )
        found[sample] = Path(folder, name)
    if not found:
        such_as = f", such as {os.path.basename(names[0])}" if names else ""
        raise ValueError(
            f"{argument} must hold files whose stem ends with {suffix!r}, found none among "
            f"{len(names)} pictures{such_as}"
        )
    return found


def _stem(name: str) -> str:
    return os.path.splitext(name)[0].replace(os.sep, "/")
