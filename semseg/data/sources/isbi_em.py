"""ISBI 2012: membranes of nerve cells under the electron microscope, U-Net's first data."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, check_split, pairs_of_ids

#: Label pictures hold 0 and 255.
ISBI_EM = ClassMap(["membrane", "cell"], remap={255: 1})

#: The slices of each split.
SPLITS = {"train": range(24), "val": range(24, 30)}


def isbi_em(root: str | os.PathLike[str], split: str = "train") -> Dataset:
    """ISBI 2012's 30 labelled slices of a fly's nerve cord: 512x512, grey, membrane and cell.

    Cardona et al., 2010, and Arganda-Carreras et al., 2015 (terms: non-commercial research, with
    citation). The slices are neighbours in one block of tissue: the last six are held out together,
    since the challenge keeps the labels of its own test block.

    Args:
        root: folder with one 8-bit PNG a slice: `image/00.png` to `image/29.png`, and the
            same in `label/` (0 = membrane, 255 = cell). The challenge gives both as TIFFs of 30
            pages: write out their pages.
        split: "train" (slices 0 to 23) or "val" (24 to 29).

    Raises:
        FileNotFoundError: a folder or a slice is missing (which, and what is there).
        ValueError: an unknown split.
    """
    check_split(split, SPLITS)
    root = check_root(root, "the folder of ISBI 2012's slices", ("image/", "label/"))
    ids = [f"{i:02d}" for i in SPLITS[split]]
    pairs = pairs_of_ids(root, ids, "image/{}.png", "label/{}.png")
    return dataset_of_files(pairs, ISBI_EM, f"isbi_em/{split}", "ids")
