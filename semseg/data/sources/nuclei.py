"""Nuclei of the 2018 Data Science Bowl (BBBC038): cells under many microscopes."""

import os

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.files import dataset_of_files
from semseg.data.sources.finding import check_root, check_split, listed_ids, pairs_of_ids

NUCLEI = ClassMap(["background", "nucleus"])
NUCLEI_WITH_BORDER = ClassMap(["background", "nucleus", "border"])

SPLITS = ("train", "test")


def nuclei(root: str | os.PathLike[str], split: str = "train", border: bool = False) -> Dataset:
    """Cell nuclei, fluorescent and in stained tissue, with or without the borders where they touch.

    Caicedo et al., 2019, BBBC038v1 (terms: CC0). Pictures come with three channels; the
    fluorescent ones are stored grey. Each nucleus has a number of its own in the masks.

    Args:
        root: folder with `image/ID.png`, `instances/ID.png` (16 bit, 0 = background, a number
            for each nucleus), `train.txt` and `test.txt`, one id a line. The challenge itself gives
            one file a nucleus: join them, numbered, into one picture.
        split: "train" or "test".
        border: whether pixels near two nuclei at once are a third class, "border", so that
            touching nuclei can be told apart in a prediction; else they keep theirs.

    Raises:
        FileNotFoundError: a folder, the list, or a file in it is missing (which, what is there).
        ValueError: an unknown split or an empty list.
    """
    listing = f"{check_split(split, SPLITS)}.txt"
    root = check_root(root, "the folder of the nuclei", (listing, "image/", "instances/"))
    pairs = pairs_of_ids(root, listed_ids(root / listing), "image/{}.png", "instances/{}.png")
    class_map = NUCLEI_WITH_BORDER if border else NUCLEI
    return dataset_of_files(pairs, class_map, f"nuclei/{split}", "instances", channels=3)
