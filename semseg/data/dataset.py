"""Dataset: annotated pictures by index, as NumPy pairs."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from semseg._checks import check_image, check_mask, unknown_ids, unknown_ids_message
from semseg.classes import ClassMap
from semseg.data.batches import BatchSource
from semseg.data.samples import Pair

if TYPE_CHECKING:
    import tensorflow as tf

    from semseg.data.transforms.compose import Transform


class Dataset:
    """Annotated pictures with random access: `len(ds)` and `ds[i] -> (image, mask)`.

    Any loader that takes a random-access source reads it as it is: a Python loop, PyTorch's
    `DataLoader`, Grain; `pipeline` feeds `model.fit`. No sample is kept in memory.

    Args:
        read: `read(i)` gives sample `i`: an image (height, width, channels) in its own range and
            dtype, and a mask (height, width) of class ids. It must be a pure function of `i`.
        ids: one name a sample, shown in every error about it (file stems, usually).
        class_map: what the ids in the masks mean.
        name: what the data set is called in `repr` and in reports.

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
    ) -> None:
        if not isinstance(class_map, ClassMap):
            raise TypeError(
                f"class_map must be a semseg.ClassMap, received {type(class_map).__name__}; "
                "make one with semseg.ClassMap(['background', 'object'])"
            )
        if len(ids) == 0:
            raise ValueError(
                f"ids must name at least one sample (data set {name!r}), received none"
            )
        self._read = read
        self.ids = ids
        self.class_map = class_map
        self.name = name

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Pair:
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"index must be below {len(self)} (data set {self.name!r}), got {index}"
            )
        index = int(index) % len(self)
        where = f"sample {self.ids[index]!r} of {self.name!r}"
        image, mask = self._read(index)
        image = check_image(image, f"{where}: image")
        mask = check_mask(mask, f"{where}: mask")
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f"{where}: image and mask must have one size, received (height, width) "
                f"{image.shape[:2]} and {mask.shape}"
                + ("; the mask looks transposed" if image.shape[:2] == mask.shape[::-1] else "")
            )
        found = unknown_ids(mask, self.class_map.num_classes, self.class_map.ignore_class)
        if found:
            raise ValueError(
                unknown_ids_message(
                    found,
                    self.class_map.num_classes,
                    self.class_map.ignore_class,
                    f"{where}: mask",
                )
            )
        return image, mask

    def __iter__(self) -> Iterator[Pair]:
        return (self[i] for i in range(len(self)))

    def subset(self, indices: Sequence[int]) -> "Dataset":
        """The samples at `indices`, in that order, as a Dataset."""
        chosen = [int(i) for i in indices]
        outside = [i for i in chosen if not 0 <= i < len(self)]
        if outside:
            raise IndexError(f"indices must lie in 0..{len(self) - 1}, received {outside[:5]}")
        ids = [self.ids[i] for i in chosen]
        return Dataset(lambda i: self._read(chosen[i]), ids, self.class_map, self.name)

    def pipeline(
        self,
        batch_size: int,
        size: tuple[int, int] | None = None,
        augment: "Transform | Sequence[Transform] | None" = None,
        shuffle: bool = True,
        seed: int = 0,
        cache: str | None = None,
        *,
        repeat: bool = False,
        start_step: int = 0,
    ) -> "tf.data.Dataset":
        """Batches of (images, masks) for `model.fit`, read ahead while the model computes.

        The stream depends on the arguments alone: it is the same for any number of threads, in
        any process, and from any `start_step` on. Every epoch shuffles and augments anew.

        Args:
            batch_size: samples a batch; the last batch of an epoch may be smaller.
            size: (height, width) to which every pair is resized first, image linear, mask
                nearest; None keeps the sizes, which must then agree within a batch.
            augment: a transform, a list of them, or any function (image, mask, rng) ->
                (image, mask). It runs after the resize; geometric ones are fused with it.
            shuffle: whether each epoch has an order of its own.
            seed: all that is random follows from it, the epoch and the sample's index.
            cache: "ram" keeps the decoded samples (before resize and augmentation) in memory.
            repeat: False gives one epoch a pass, the k-th pass being the k-th epoch; True an
                endless stream, for which `fit` needs `steps_per_epoch`.
            start_step: the step to begin with, to go on where an earlier run stopped.

        Returns:
            A `tf.data.Dataset` of images (batch, height, width, channels) in the data's dtype
            and masks (batch, height, width) of integer ids. `fit(..., shuffle=False)` keeps
            Keras from warning that it will not shuffle it a second time.

        Raises:
            ValueError: an argument out of range, or an error in the first sample.

        Example:
            >>> ds = semseg.data.digits("train", count=20)
            >>> images, masks = next(iter(ds.pipeline(batch_size=8, seed=1)))
            >>> tuple(images.shape), tuple(masks.shape)
            ((8, 96, 128, 3), (8, 96, 128))
        """
        from semseg.data.pipeline import make_pipeline

        source = BatchSource(
            self,
            batch_size,
            size=size,
            augment=augment,
            shuffle=shuffle,
            seed=seed,
            cache=cache,
        )
        return make_pipeline(source, repeat=repeat, start_step=start_step)

    def __repr__(self) -> str:
        names = self.class_map.names
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        return f"Dataset({self.name!r}, {len(self)} samples, {len(names)} classes: {shown})"
