"""Pairs of files that a list names."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.encodings import Encoding
from semseg.data.files import Channels, FilePair, OnError, PathLike, dataset_of_files
from semseg.data.reading import MAX_PIXELS


def from_pairs(
    pairs: PathLike | Sequence[tuple[PathLike, PathLike]],
    class_map: ClassMap,
    *,
    root: PathLike | None = None,
    encoding: Encoding = "auto",
    max_pixels: int = MAX_PIXELS,
    on_error: OnError = "raise",
    channels: Channels | None = None,
    name: str | None = None,
) -> Dataset:
    """A Dataset of pairs of files: a list of (image, mask), or a text or CSV file that names them.

    Args:
        pairs: (image, mask) paths; or a .csv file of two columns (or with a header line that names
            the columns `image` and `mask`), or a text file of `image mask` lines.
        class_map: what the masks hold.
        root: the folder to which paths are relative; by default the list's own folder, or the
            working directory where there is no file.
        encoding: how the masks are meant; as in `from_folders`.
        max_pixels: files that declare more are refused.
        on_error: "raise" or "skip", as in `from_folders`.
        channels: 3 repeats grey pictures in three channels, 1 turns colours into grey, so that a
            model can take a set of both; None keeps what each file has.
        name: the data set's name; the list's by default.

    Raises:
        FileNotFoundError: the list, or a file in it, is missing (which, and how many).
        ValueError: a line that is no pair, an empty list, or as in `from_folders`.

    Example:
        >>> import cv2, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for file in ("street.png", "street_ids.png"):
        ...     _ = cv2.imwrite(str(folder / file), np.ones((4, 6), "uint8"))
        >>> road = semseg.ClassMap(["other", "road"])
        >>> ds = semseg.data.from_pairs([("street.png", "street_ids.png")], road, root=folder)
        >>> ds.ids
        ['street']
    """
    if isinstance(pairs, str | os.PathLike):
        listing = Path(pairs)
        named = _listed(listing)
        base = listing.parent if root is None else Path(root)
        default = listing.stem
    else:
        named = [_checked_pair(pair, f"pairs[{i}]") for i, pair in enumerate(pairs)]
        base, default = Path(root or ""), "pairs"
    if not named:
        raise ValueError(f"pairs must name at least one (image, mask), received none from {pairs}")
    files = [(base / image, base / mask) for image, mask in named]
    missing = [path for pair in files for path in pair if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {2 * len(files)} listed files are missing, the first: "
            f"{missing[0]}; paths are relative to root= (by default the list's folder)"
        )
    return dataset_of_files(
        [FilePair(i, *pair) for i, pair in zip(_ids(files), files, strict=True)],
        class_map,
        name or default,
        encoding,
        max_pixels,
        on_error,
        channels,
    )


def _listed(listing: Path) -> list[tuple[str, str]]:
    if not listing.is_file():
        raise FileNotFoundError(f"pairs must be a list of pairs or a file, found none at {listing}")
    lines = listing.read_text(encoding="utf-8-sig").splitlines()
    if listing.suffix.lower() == ".csv":
        reader = csv.reader(lines)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
        if rows and {"image", "mask"} <= set(rows[0][1]):
            columns = rows[0][1].index("image"), rows[0][1].index("mask")
            rows = [(line, [row[c] for c in columns if c < len(row)]) for line, row in rows[1:]]
    else:
        rows = [(i, line.split()) for i, line in enumerate(lines, start=1) if line.strip()]
    return [_checked_pair(row, f"line {line} of {listing}") for line, row in rows]


def _checked_pair(pair: Sequence[PathLike], where: str) -> tuple[str, str]:
    if isinstance(pair, str | os.PathLike) or len(pair) != 2:
        raise ValueError(
            f"{where} must be a pair (image, mask), received {pair!r}; names with spaces need a "
            ".csv file"
        )
    return os.fspath(pair[0]), os.fspath(pair[1])


def _ids(files: Sequence[tuple[Path, Path]]) -> list[str]:
    """Stems where they differ, else the paths from where they part, with their ends if need be."""
    images = [image for image, _ in files]
    stems = [image.stem for image in images]
    if len(set(stems)) == len(stems):
        return stems
    folder = os.path.commonpath([os.path.abspath(image.parent) for image in images])
    paths = [Path(os.path.relpath(image, folder)) for image in images]
    ids = [path.with_suffix("").as_posix() for path in paths]
    return ids if len(set(ids)) == len(set(paths)) else [path.as_posix() for path in paths]
