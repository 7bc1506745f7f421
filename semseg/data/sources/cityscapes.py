"""Cityscapes: street scenes of 50 cities."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, check_split, pairs_in_folders

# The label ids of the 19 classes that are scored, in the order of their train ids. The other ids of
# 0..33 are ignored; -1 (license plate) is 255, the ignored id itself, where 8 bits hold it.
_SCORED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)

#: The 19 classes with their train ids and colours.
CITYSCAPES = ClassMap(
    names=(
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
        "motorcycle", "bicycle",
    ),
    colors=(
        (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153),
        (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
        (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100),
        (0, 80, 100), (0, 0, 230), (119, 11, 32),
    ),
    ignore_class=255,
    remap={i: _SCORED.index(i) if i in _SCORED else 255 for i in range(34)},
)  # fmt: skip

SPLITS = ("train", "val", "test")


def cityscapes(root: str | os.PathLike[str], split: str = "train") -> Dataset:
    """Cityscapes with fine labels: 2,975 training, 500 validation and 1,525 test pictures.

    Cordts et al., 2016 (terms: non-commercial, after registration). 1024x2048, the 19 classes that
    are scored, with their train ids; all other labels are ignored (255). Sample ids begin with
    the city, `aachen/aachen_000000_000019`, which serves as a group in `ds.folds`.

    Args:
        root: folder of the two unpacked archives:
            `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` (images) and
            `gtFine/SPLIT/CITY/*_gtFine_labelIds.png` (masks; other files there are passed over).
        split: "train", "val", or "test", whose masks are dummies without any scored class:
            predict for it, and let the authors' server score.

    Raises:
        FileNotFoundError: a folder, or one file of a pair, is missing (which, and what is there).
        ValueError: an unknown split, or a folder without such files.
    """
    check_split(split, SPLITS)
    folders = f"leftImg8bit/{split}/", f"gtFine/{split}/"
    root = check_root(root, "the folder of both Cityscapes archives", folders)
    pairs = pairs_in_folders(root, *folders, "_leftImg8bit", "_gtFine_labelIds")
    return dataset_of_files(pairs, CITYSCAPES, f"cityscapes/{split}", "ids")
