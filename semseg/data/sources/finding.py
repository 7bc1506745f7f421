"""Finds the files of a public data set under its root, or says what is there instead."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from semseg.data.files import FilePair
from semseg.data.sources.folders import pair_folders

_SHOWN = 8
_MOST_FOLDERS = 50  # of the root's own, searched for what the root lacks


def check_split(split: str, splits: Iterable[str]) -> str:
    """One of the data set's splits."""
    if split not in (splits := tuple(splits)):
        raise ValueError(f"split must be one of {splits}, received {split!r}")
    return split


def check_root(root: str | os.PathLike[str], whose: str, needed: Sequence[str]) -> Path:
    """The root, with all that is needed below it.

    Args:
        root: what the user gave.
        whose: such as "CamVid's folder".
        needed: paths below the root; folders end with a slash.

    Raises:
        FileNotFoundError: what was looked for, what is missing, what is there, and which folder
            beside or below has it all.
    """
    root = Path(root)
    missing = _missing(root, needed)
    if not missing:
        return root
    better = next((folder for folder in _around(root) if not _missing(folder, needed)), None)
    raise FileNotFoundError(
        f"root must be {whose} with {', '.join(needed)}; found no {', '.join(missing)} in "
        f"{root}, which {_content(root)}" + (f"; pass root={str(better)!r}" if better else "")
    )


def listed_ids(listing: Path) -> list[str]:
    """The first word of each line that is no comment."""
    lines = [line.split() for line in listing.read_text(encoding="utf-8-sig").splitlines()]
    ids = [words[0] for words in lines if words and not words[0].startswith("#")]
    if not ids:
        raise ValueError(f"{listing} must list one sample a line, received none")
    return ids


def pairs_of_ids(root: Path, ids: Sequence[str], image: str, mask: str) -> list[FilePair]:
    """The files of the samples: `image` and `mask` are paths below the root with {} for the id."""
    pairs = [FilePair(i, root / image.format(i), root / mask.format(i)) for i in ids]
    missing = [path for pair in pairs for path in pair[1:] if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of the {2 * len(pairs)} files of {len(pairs)} samples are missing, "
            f"the first: {missing[0]}; is everything downloaded and unpacked?"
        )
    return pairs


def pairs_in_folders(
    root: Path, images: str, masks: str, image_suffix: str = "", mask_suffix: str = ""
) -> list[FilePair]:
    """The files of two folders below the root, and of the folders in them, paired by their stems.

    Suffixes are what an image's and a mask's stem end with.
    """
    pairing = pair_folders(
        root / images,
        root / masks,
        image_suffix=image_suffix,
        mask_suffix=mask_suffix,
        recursive=True,
    )
    lone = [*pairing.lone_images, *pairing.lone_masks]
    if lone:
        raise FileNotFoundError(
            f"{len(pairing.lone_images)} images have no mask and {len(pairing.lone_masks)} masks "
            f"have no image, the first: {lone[0]} ({len(pairing.pairs)} pairs match); is "
            "everything downloaded and unpacked?"
        )
    return pairing.pairs


def _missing(root: Path, needed: Sequence[str]) -> list[str]:
    return [
        name
        for name in needed
        if not ((root / name).is_dir() if name.endswith("/") else (root / name).is_file())
    ]


def _around(root: Path) -> list[Path]:
    """The folders where the right root may be: those inside, and the one above."""
    if not root.is_dir():
        return []
    inside = sorted(path for path in root.iterdir() if path.is_dir())
    return [*inside[:_MOST_FOLDERS], root.absolute().parent]


def _content(root: Path) -> str:
    if root.is_file():
        return "is a file"
    if not root.is_dir():
        return "does not exist"
    names = sorted(path.name for path in root.iterdir())
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return f"holds {', '.join(names[:_SHOWN])}{more}" if names else "is empty"
