"""CamVid as its authors give it: 701 frames, 32 labels painted in colours."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, pairs_in_folders

#: Names and colours of label_colors.txt, in its order; the 32nd, black Void, is ignored.
CAMVID_FULL = ClassMap(
    names=(
        "Animal", "Archway", "Bicyclist", "Bridge", "Building", "Car", "CartLuggagePram", "Child",
        "Column_Pole", "Fence", "LaneMkgsDriv", "LaneMkgsNonDriv", "Misc_Text",
        "MotorcycleScooter", "OtherMoving", "ParkingBlock", "Pedestrian", "Road", "RoadShoulder",
        "Sidewalk", "SignSymbol", "Sky", "SUVPickupTruck", "TrafficCone", "TrafficLight", "Train",
        "Tree", "Truck_Bus", "Tunnel", "VegetationMisc", "Wall",
    ),
    colors=(
        (64, 128, 64), (192, 0, 128), (0, 128, 192), (0, 128, 64), (128, 0, 0), (64, 0, 128),
        (64, 0, 192), (192, 128, 64), (192, 192, 128), (64, 64, 128), (128, 0, 192),
        (192, 0, 64), (128, 128, 64), (192, 0, 192), (128, 64, 64), (64, 192, 128), (64, 64, 0),
        (128, 64, 128), (128, 128, 192), (0, 0, 192), (192, 128, 128), (128, 128, 128),
        (64, 128, 192), (0, 0, 64), (0, 64, 64), (192, 64, 128), (128, 128, 0), (192, 128, 192),
        (64, 0, 64), (192, 192, 0), (64, 192, 0),
    ),
    ignore_class=255,
    remap={(0, 0, 0): 255},
)  # fmt: skip

_IMAGES, _MASKS = "701_StillsRaw_full/", "LabeledApproved_full/"


def camvid_full(root: str | os.PathLike[str]) -> Dataset:
    """CamVid's 701 pictures at 720x960 with the authors' own labels: 31 classes and Void.

    Brostow, Fauqueur and Cipolla, 2009 (terms: non-commercial research). Void is ignored (255).
    `camvid` is the reduced form with 11 classes that most papers report.

    There is no official split, and frames of one clip are almost alike: keep clips together. There
    are four of them.

        train, val = ds.split((0.7, 0.3), groups=lambda name: name.split("_")[0])

    Args:
        root: folder of the two unpacked archives: `701_StillsRaw_full/*.png` (images) and
            `LabeledApproved_full/*_L.png` (masks in the colours of label_colors.txt).

    Raises:
        FileNotFoundError: a folder, or one file of a pair, is missing (which, and what is there).
    """
    root = check_root(root, "CamVid's folder", (_IMAGES, _MASKS))
    pairs = pairs_in_folders(root, _IMAGES, _MASKS, mask_suffix="_L")
    return dataset_of_files(pairs, CAMVID_FULL, "camvid_full", "rgb")
