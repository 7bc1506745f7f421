"""Dataset: annotated pictures by index, as NumPy pairs."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._checks import check_mask, unknown_ids, unknown_ids_message
from semseg.classes import ClassMap, check_class_map
from semseg.data import views
from semseg.data.feeding import loaders
from semseg.data.remapping import joined_classes
from semseg.data.samples import Pair, SampleFiles, checked_pair, raise_named
from semseg.data.splitting import Groups, fold_indices, split_indices
from semseg.data.statistics import (
    ChannelStatistics,
    ClassFrequencies,
    Method,
    channel_statistics,
    class_frequencies,
    class_weights,
)

if TYPE_CHECKING:
    from semseg.data.doctor.report import Report


class Dataset:
    """Annotated pictures with random access: `len(ds)` and `ds[i] -> (image, mask)`.

    Any loader that takes a random-access source reads it as it is: a Python loop, PyTorch's
    `DataLoader`, Grain; `pipeline` feeds `model.fit`. No sample is kept in memory. It can be sent
    to other processes where `read` can be (a function at the top of a module, no lambda).

    Args:
        read: `read(i)` gives sample `i`: an image (height, width, channels) in its own range and
            dtype, and a mask (height, width) of class ids. It must be a pure function of `i`.
        ids: one name a sample, shown in every error about it (file stems, usually).
        class_map: what the ids in the masks mean.
        name: what the data set is called in `repr` and in reports.
        files: `files(i)` gives the files of sample `i`, for data sets that are made of files.
        note: what else `repr` says, such as how the masks are stored.

    Example:
        >>> ds = Dataset(
        ...     read=lambda i: (np.full((4, 6, 3), i, "uint8"), np.zeros((4, 6), "uint8")),
        ...     ids=["first", "second"],
        ...     class_map=ClassMap(["background", "cell"]),
        ...     name="cells",
        ... )
        >>> ds
        Dataset('cells', 2 samples, 2 classes: background, cell)
        >>> image, mask = ds[1]
        >>> image.shape, mask.shape
        ((4, 6, 3), (4, 6))
    """

    def __init__(
        self,
        read: Callable[[int], tuple[Any, Any]],
        ids: Sequence[str],
        class_map: ClassMap,
        name: str = "dataset",
        *,
        files: Callable[[int], SampleFiles] | None = None,
        note: str = "",
    ) -> None:
        if len(ids) == 0:
            raise ValueError(
                f"ids must name at least one sample (data set {name!r}), received none"
            )
        self._read = read
        #: `_read(i)[1]` without the picture, where a source or a view knows how.
        self._read_mask: Callable[[int], np.ndarray] | None = None
        self.ids = ids
        self.class_map = check_class_map(class_map)
        self.name = name
        self.files = files
        self.note = note
        #: (id, error) of each sample that `on_error="skip"` left out, here or in its parts.
        self.skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Pair:
        index = self._checked_index(index)
        try:
            image, mask = self._read(index)
            image, mask = checked_pair(image, mask)
            return image, self._with_known_ids(mask)
        except Exception as error:  # `read` is someone's own and may raise anything
            raise_named(error, self, index)

    def __iter__(self) -> Iterator[Pair]:
        return (self[i] for i in range(len(self)))

    def mask(self, index: int) -> np.ndarray:
        """The mask of a sample; of files, without decoding the picture."""
        index = self._checked_index(index)
        if self._read_mask is None:
            return self[index][1]
        try:
            return self._with_known_ids(check_mask(self._read_mask(index)))
        except Exception as error:
            raise_named(error, self, index)

    def paths(self, index: int) -> tuple[Path, Path]:
        """The files of a sample's image and mask."""
        if self.files is None:
            raise ValueError(f"paths are of data sets made of files, and {self.name!r} is not")
        return self.files(self._checked_index(index))[:2]

    def subset(self, indices: Sequence[int] | np.ndarray, name: str | None = None) -> "Dataset":
        """The samples at `indices`, in that order, as a Dataset."""
        chosen = self._checked_indices(indices)
        files = self.files
        made = Dataset(
            partial(views.chosen, self._read, chosen),
            [self.ids[i] for i in chosen],
            self.class_map,
            name or self.name,
            files=files and partial(views.chosen, files, chosen),
            note=self.note,
        )
        made._read_mask = self._read_mask and partial(views.chosen, self._read_mask, chosen)
        made.skipped = self.skipped
        return made

    def concat(self, *others: "Dataset", name: str | None = None) -> "Dataset":
        """This data set's samples and then those of the others, whose classes must be the same.

        Raises:
            ValueError: another's names, or their order, or its `ignore_class` differ.
        """
        parts = (self, *others)
        for part in others:
            mine, its = self.class_map, part.class_map
            if (mine.names, mine.ignore_class) != (its.names, its.ignore_class):
                raise ValueError(
                    f"concat needs data sets of the same classes, received {mine} of "
                    f"{self.name!r} and {its} of {part.name!r}; bring them together with "
                    "map_classes"
                )
        places = [(part, i) for part in parts for i in range(len(part))]

        has_files = all(part.files is not None for part in parts)
        made = Dataset(
            partial(views.sample_at, places),
            [part.ids[i] for part, i in places],
            self.class_map,
            name or "+".join(part.name for part in parts),
            files=partial(views.files_at, places) if has_files else None,
            note="; ".join(dict.fromkeys(part.note for part in parts if part.note)),
        )
        made._read_mask = partial(views.mask_at, places)
        made.skipped = tuple(dict.fromkeys(pair for part in parts for pair in part.skipped))
        return made

    def map_classes(self, mapping: Mapping[str, str | None]) -> "Dataset":
        """Joins and renames classes: `{"Car": "Vehicle", "Truck": "Vehicle", "Sky": None}`.

        Args:
            mapping: old name -> new name, or None for pixels to ignore (255, where the data set has
                no `ignore_class`). Classes that are not named keep their names.

        Raises:
            ValueError: a name that is no class, or fewer than two classes left.

        Example:
            >>> ds = semseg.data.digits("val", count=2)
            >>> even_odd = {str(d): "odd" if d % 2 else "even" for d in range(10)}
            >>> ds.map_classes(even_odd).class_map
            ClassMap(3 classes: background, even, odd, ignore_class=255)
        """
        class_map, table = joined_classes(self.class_map, mapping)
        made = Dataset(
            partial(views.joined, self, table),
            self.ids,
            class_map,
            self.name,
            files=self.files and partial(views.joined_files, self.files, table),
            note=self.note,
        )
        made._read_mask = partial(views.joined_mask, self, table)
        made.skipped = self.skipped
        return made

    def split(
        self,
        fractions: Sequence[float],
        seed: int = 0,
        stratify: bool = True,
        groups: Groups | None = None,
    ) -> "tuple[Dataset, ...]":
        """Random parts without common samples, such as `train, val = ds.split((0.8, 0.2))`.

        The parts depend on the samples' ids, the seed and the masks' classes, not on the order in
        which files are listed.

        Args:
            fractions: the share of each part; they add up to 1.
            seed: another seed gives another split.
            stratify: whether classes are shared out evenly (this reads every mask once).
            groups: what must stay together, such as frames of a clip or tiles of a slide: a group
                a sample, or a function of the sample's id. Shares are then as close as they get.

        Raises:
            ValueError: fractions that do not add up to 1, or fewer samples or groups than parts.

        Example:
            >>> ds = semseg.data.digits("val", count=10)
            >>> [len(part) for part in ds.split((0.6, 0.2, 0.2), stratify=False)]
            [6, 2, 2]
        """
        return tuple(
            self.subset(part) for part in split_indices(self, fractions, seed, stratify, groups)
        )

    def folds(
        self, k: int, seed: int = 0, stratify: bool = True, groups: Groups | None = None
    ) -> "list[tuple[Dataset, Dataset]]":
        """`k` pairs (train, val) for cross-validation; every sample validates exactly once.

        The arguments are those of `split`.

        Raises:
            ValueError: `k` below 2 or above the number of samples or groups.
        """
        pairs = fold_indices(self, k, seed, stratify, groups)
        return [(self.subset(train), self.subset(val)) for train, val in pairs]

    def class_frequencies(self) -> ClassFrequencies:
        """Pixels of each class, counted in one pass; prints as a table."""
        return class_frequencies(self)

    def class_weights(
        self, method: Method = "median_frequency", absent: float | None = None
    ) -> np.ndarray:
        """Weights that make rare classes count, one a class, from one pass over the masks.

        Args:
            method: "median_frequency" (SegNet), "inverse", "enet" or "effective_number";
                `semseg.data.class_weights` has their formulas.
            absent: the weight of classes that never occur; None makes them an error.
        """
        return class_weights(self, method, absent)

    def channel_statistics(self) -> ChannelStatistics:
        """Mean and deviation of each channel; `.normalization()` of it is a Keras layer."""
        return channel_statistics(self)

    def check(self, against: "Sequence[Dataset]" = ()) -> "Report":
        """Looks for everything that is wrong with images and masks; the report prints well.

        Args:
            against: other splits, in which no picture of this one may be found.

        Example:
            >>> report = semseg.data.digits("val", count=4).check()
            >>> report.worst
            'nothing'
        """
        from semseg.data.doctor.checkup import check

        return check(self, against)

    pipeline = loaders.pipeline
    batches = loaders.batches
    batch_source = loaders.batch_source
    benchmark = loaders.benchmark

    def _with_known_ids(self, mask: np.ndarray) -> np.ndarray:
        classes, ignored = self.class_map.num_classes, self.class_map.ignore_class
        found = unknown_ids(mask, classes, ignored)
        if found:
            raise ValueError(unknown_ids_message(found, classes, ignored))
        return mask

    def _checked_index(self, index: int) -> int:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"index must be below {len(self)} (data set {self.name!r}), got {index}"
            )
        return index % len(self)

    def _checked_indices(self, indices: Sequence[int] | np.ndarray) -> list[int]:
        numbers = np.asarray(indices)
        if numbers.size and numbers.dtype.kind not in "ui":
            raise TypeError(
                f"indices must be whole numbers, received {numbers.dtype}; those of a condition "
                "come from np.flatnonzero(condition)"
            )
        chosen: list[int] = numbers.tolist()
        outside = [i for i in chosen if not 0 <= i < len(self)]
        if outside:
            raise IndexError(f"indices must lie in 0..{len(self) - 1}, received {outside[:5]}")
        return chosen

    def __repr__(self) -> str:
        names = self.class_map.names
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        note = f"; {self.note}" if self.note else ""
        return f"Dataset({self.name!r}, {len(self)} samples, {len(names)} classes: {shown}{note})"
