"""What an earlier call of `write_records` left in a folder, and whether this one may go on."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from semseg.data.dataset import Dataset
from semseg.data.records.index import INDEX, Index, Shard, read_index
from semseg.data.records.reading import Records
from semseg.data.records.sample import is_same


def find_shards(folder: Path) -> list[Index]:
    """The shards in a folder that were finished, each with what is known of its set."""
    # A shard's own index is later than the set's, where a lost shard was written again.
    files = [folder / INDEX, *sorted(folder.glob("shard-*.json"))]
    found = {}
    for index in (read_index(file) for file in files if file.is_file()):
        for shard in index.shards:
            path = folder / shard.file
            if path.is_file() and path.stat().st_size == shard.size:
                found[shard.file] = replace(index, shards=[shard])
    return list(found.values())


def number_of_shards(found: list[Index]) -> int | None:
    """Into how many the set was divided; None where nothing was found."""
    if not found:
        return None
    (count,) = re.findall(r"-of-(\d+)", found[0].shards[0].file)
    return int(count)


def finished_shards(
    folder: Path, found: list[Index], ds: Dataset, wanted: Index, plan: Mapping[str, range]
) -> dict[str, Shard]:
    """Those of the found shards that need not be written again.

    Args:
        folder: where they are.
        found: what `find_shards` gives.
        ds: the data set to be written.
        wanted: what its index will say, but for the shards.
        plan: the samples of each shard's file.

    Raises:
        ValueError: a shard is of another data set, or was written with other arguments.
    """
    for index in found:
        differences = _differences(index, wanted, plan, ds)
        if not differences and index.source != wanted.source:
            differences = ["the samples' files, or how they are read, have changed since"]
        if differences:
            raise ValueError(
                f"path holds other records than these would be: {folder} "
                f"({'; '.join(differences)}); choose another path, or delete the folder"
            )
    return {
        shard.file: shard
        for index in found
        for shard in index.shards
        if _begins_like(folder, index, ds, plan[shard.file][0])
    }


def _differences(index: Index, wanted: Index, plan: Mapping[str, range], ds: Dataset) -> list[str]:
    (shard,) = index.shards
    pairs = {
        "name": (index.name, wanted.name),
        "classes": (index.class_map, wanted.class_map),
        "images": (index.images, wanted.images),
        "shards": (number_of_shards([index]), len(plan)),
    }
    if shard.file in plan:
        ids = [str(ds.ids[i]) for i in plan[shard.file]]
        both = zip_longest(shard.ids, ids)
        pairs["ids"] = next((pair for pair in both if pair[0] != pair[1]), (None, None))
    return [
        f"{what}: {there!r} there, {here!r} here"
        for what, (there, here) in pairs.items()
        if there != here
    ]


def _begins_like(folder: Path, index: Index, ds: Dataset, first: int) -> bool:
    """Whether a shard's first sample can be read; that it is another one is an error."""
    records = Records(folder, index)
    try:
        stored = records[0]
    except ValueError:
        return False  # damaged: it is written again
    if not all(map(is_same, stored, ds[first])):
        raise ValueError(
            f"path holds records of other pictures: sample {records.ids[0]!r} of {records.name!r} "
            f"is not what was written into {folder}; choose another path, or delete the folder"
        )
    return True
