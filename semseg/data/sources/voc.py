"""PASCAL VOC: photographs with 20 kinds of objects."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, check_split, listed_ids, pairs_of_ids

#: Names and colours of the development kit, in the order of the ids; 255 is the objects' border.
VOC = ClassMap(
    names=(
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
        "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant",
        "sheep", "sofa", "train", "tvmonitor",
    ),
    colors=(
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128),
        (0, 128, 128), (128, 128, 128), (64, 0, 0), (192, 0, 0), (64, 128, 0), (192, 128, 0),
        (64, 0, 128), (192, 0, 128), (64, 128, 128), (192, 128, 128), (0, 64, 0), (128, 64, 0),
        (0, 192, 0), (128, 192, 0), (0, 64, 128),
    ),
    ignore_class=255,
)  # fmt: skip

SPLITS = ("train", "val", "trainval", "test")


def voc(root: str | os.PathLike[str], split: str = "train") -> Dataset:
    """PASCAL VOC segmentation: 2012 has 1,464 training and 1,449 validation pictures.

    Everingham et al., 2010 (terms: those of Flickr, where the pictures are from). 20 classes and
    the background, which is class 0; the border drawn around objects is ignored (255).

    Args:
        root: the folder of one year, such as `VOCdevkit/VOC2012`. It holds `JPEGImages/*.jpg`,
            `SegmentationClass/*.png` (palette pictures) and `ImageSets/Segmentation/SPLIT.txt`,
            one id a line. VOC2007 has the same layout.
        split: "train", "val", "trainval", or "test", whose masks only VOC2007 gives out.

    Raises:
        FileNotFoundError: a folder, the list, or a file in it is missing (which, what is there, and
            where `VOCdevkit` was given, the year's folder to pass).
        ValueError: an unknown split or an empty list.
    """
    listing = f"ImageSets/Segmentation/{check_split(split, SPLITS)}.txt"
    needed = (listing, "JPEGImages/", "SegmentationClass/")
    root = check_root(root, "the folder of one year (VOCdevkit/VOC2012)", needed)
    ids = listed_ids(root / listing)
    pairs = pairs_of_ids(root, ids, "JPEGImages/{}.jpg", "SegmentationClass/{}.png")
    return dataset_of_files(pairs, VOC, f"voc/{split}", "ids")
