"""A stamp of the files that a data set is made of, by which a change of one is noticed."""

import json
from hashlib import blake2b
from pathlib import Path

from semseg.data.dataset import Dataset


def stamp_of(ds: Dataset) -> str:
    """A hash of sizes and times of all files, and of how they are read; "" where there are none.

    The contents are not read: that would take as long as what a stored copy saves. Nor do the
    paths count, so that a folder may be moved (with its files' times).
    """
    if ds.files is None:
        return ""
    digest = blake2b(digest_size=16)
    for index in range(len(ds)):
        image, mask, decoder, channels, table = ds.files(index)
        how = decoder.class_map.to_dict(), decoder.encoding, channels, sorted((table or {}).items())
        digest.update(json.dumps([_state(image), _state(mask), *how]).encode())
    return digest.hexdigest()


def _state(path: Path) -> list[int]:
    """Size and time of the last change; nothing for a file that is missing, which reading names."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return []
    return [found.st_size, found.st_mtime_ns]
