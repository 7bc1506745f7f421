"""Oxford-IIIT Pet: photographs of cats and dogs with trimaps."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, check_split, listed_ids, pairs_of_ids

#: The trimap's 1, 2, 3 as classes 0, 1, 2.
PETS = ClassMap(["pet", "background", "border"], remap={1: 0, 2: 1, 3: 2})

#: Without the border the pet is class 1, so that one logit will do.
PETS_BORDER_IGNORED = ClassMap(["background", "pet"], ignore_class=255, remap={1: 1, 2: 0, 3: 255})

SPLITS = ("trainval", "test")


def oxford_pets(
    root: str | os.PathLike[str], split: str = "trainval", ignore_border: bool = False
) -> Dataset:
    """Oxford-IIIT Pet: 3,680 training and 3,669 test photographs of cats and dogs, with trimaps.

    Parkhi et al., 2012 (terms: CC BY-SA 4.0). Pictures come with three channels, the few that
    are stored grey too.

    Args:
        root: folder of the two unpacked archives: `images/*.jpg`, `annotations/trimaps/*.png`
            (1 = pet, 2 = background, 3 = border) and `annotations/SPLIT.txt`, whose lines begin
            with an id.
        split: "trainval" or "test"; `ds.split((0.9, 0.1))` parts off a validation set.
        ignore_border: False gives the three classes of the Keras tutorial: pet (0), background
            (1), border (2). True gives background (0) and pet (1), and ignores the border (255),
            which the authors call "not classified".

    Raises:
        FileNotFoundError: a folder, the list, or a file in it is missing (which, what is there).
        ValueError: an unknown split or an empty list.
    """
    listing = f"annotations/{check_split(split, SPLITS)}.txt"
    needed = (listing, "images/", "annotations/trimaps/")
    root = check_root(root, "the folder of both Oxford-IIIT Pet archives", needed)
    ids = listed_ids(root / listing)
    pairs = pairs_of_ids(root, ids, "images/{}.jpg", "annotations/trimaps/{}.png")
    class_map = PETS_BORDER_IGNORED if ignore_border else PETS
    return dataset_of_files(pairs, class_map, f"oxford_pets/{split}", "ids", channels=3)
