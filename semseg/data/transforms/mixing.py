"""Transforms of whole batches that paste parts of one picture into another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from semseg._checks import check_positive
from semseg.classes import ClassMap
from semseg.data.transforms.operation import Operation, check_range

#: A transform of batches, or any function of (images, masks, rng) that gives (images, masks).
BatchTransformLike = Callable[..., tuple[np.ndarray, ...]]

#: Rows and columns as slices or as index arrays, or a mask (height, width) of pixels.
Pixels = tuple[slice, slice] | tuple[np.ndarray, np.ndarray] | np.ndarray


class Paste(NamedTuple):
    """Pixels of another picture of the batch, and the place where they go."""

    partner: int
    source: Pixels
    target: Pixels


@dataclass(frozen=True, repr=False)
class BatchTransform(Operation):
    """A function of (images, masks, rng) that mixes the pictures of a batch, for `mix=`.

    Each picture is mixed with others of its batch, as these were before. A batch of one stays as
    it is. Like all transforms it draws from `rng` alone and leaves its inputs alone.

    Args:
        probability: how often a picture is mixed at all.
    """

    def __call__(
        self,
        images: np.ndarray,
        masks: np.ndarray,
        rng: np.random.Generator,
        weights: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        """The mixed (images, masks), or (images, masks, weights) where weights are given.

        Args:
            images: (batch, height, width, channels) in their own range and dtype.
            masks: (batch, height, width) integer ids.
            rng: the only source of randomness.
            weights: (batch, height, width) float32, which go where the masks go.

        Raises:
            ValueError: arrays of other shapes than these.
        """
        return self.mixed(checked_batch(images, masks, weights), rng)

    def mixed(
        self, batch: tuple[np.ndarray, ...], rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        """The same for arrays that are known to be a batch."""
        raise NotImplementedError

    def is_picked(self, count: int, rng: np.random.Generator) -> bool:
        """Whether the next picture of a batch of `count` is mixed."""
        return count > 1 and bool(rng.random() < self.probability)

    def suited(self, class_map: ClassMap) -> Self:
        """The same transform with what it has to know of a data set's classes."""
        return self


@dataclass(frozen=True, repr=False)
class Pasting(BatchTransform):
    """A transform that moves pixels from picture to picture, the mask's and weights' with them."""

    def mixed(
        self, batch: tuple[np.ndarray, ...], rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        masks = batch[1]
        pasted = tuple(part.copy() for part in batch)
        for place in range(len(masks)):
            if self.is_picked(len(masks), rng):
                for paste in self.pastes(masks, place, rng):
                    for old, new in zip(batch, pasted, strict=True):
                        new[place][paste.target] = old[paste.partner][paste.source]
        return pasted

    def pastes(self, masks: np.ndarray, place: int, rng: np.random.Generator) -> Iterator[Paste]:
        """What goes into picture number `place`."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class CutMix(Pasting):
    """Replaces a box by the same box of another picture (Yun et al., ICCV 2019).

    The box has the picture's aspect, a share of its area of `1 - Beta(alpha, alpha)`, and its
    middle anywhere, so that it may reach beyond the edges and is cut there.

    Args:
        alpha: 1 draws all shares alike, less prefers very small and very large boxes.

    Example:
        >>> images = np.stack([np.full((4, 6, 3), value, "uint8") for value in (10, 20)])
        >>> masks = images[..., 0] // 10
        >>> mixed, moved = CutMix()(images, masks, np.random.default_rng(9))
        >>> bool((mixed[..., 0] // 10 == moved).all()), moved[0].tolist()[3]
        (True, [1, 1, 2, 2, 2, 2])
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("alpha of CutMix", self.alpha)

    def pastes(self, masks: np.ndarray, place: int, rng: np.random.Generator) -> Iterator[Paste]:
        side = np.sqrt(1 - rng.beta(self.alpha, self.alpha))
        box = []
        for length in masks.shape[1:]:
            middle, reach = rng.random() * length, side * length / 2
            box.append(slice(max(0, round(middle - reach)), min(length, round(middle + reach))))
        rows, columns = box
        yield Paste(another(place, len(masks), rng), (rows, columns), (rows, columns))


@dataclass(frozen=True, repr=False)
class ClassMix(Pasting):
    """Pastes half of the classes of another picture, all their pixels (Olsson et al., WACV 2021).

    Of an odd number of classes the smaller half; a picture of a single class gives nothing. The
    authors paste predictions for pictures without masks; here it is annotations.

    Args:
        ignore_class: the id that is no class; in a pipeline the data set's, and so not needed.

    Example:
        >>> masks = np.array([[[0, 0, 0, 0]], [[1, 1, 2, 2]]])
        >>> images = masks[..., None].astype("uint8")
        >>> ClassMix()(images, masks, np.random.default_rng(0))[1][0]
        array([[1, 1, 0, 0]])
    """

    ignore_class: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_known(self, "ignore_class")

    def suited(self, class_map: ClassMap) -> Self:
        check_known(self, "ignore_class", class_map.ignore_class)
        return replace(self, ignore_class=class_map.ignore_class)

    def pastes(self, masks: np.ndarray, place: int, rng: np.random.Generator) -> Iterator[Paste]:
        partner = another(place, len(masks), rng)
        ids = np.unique(masks[partner])
        ids = ids if self.ignore_class is None else ids[ids != self.ignore_class]
        chosen = np.isin(masks[partner], rng.choice(ids, len(ids) // 2, replace=False))
        yield Paste(partner, chosen, chosen)


@dataclass(frozen=True, repr=False)
class CopyPaste(Pasting):
    """Pastes objects of another picture, moved at random, after Ghiasi et al., CVPR 2021.

    An object is a connected region of a class (touching ones are one); what is moved beyond the
    edges is cut off. The authors scale and flip the whole other picture instead of moving objects:
    `augment=` does that to each picture before.

    Args:
        classes: a list of ids or, in a pipeline, names of the classes whose objects are pasted.
        share: how often each object of the other picture is pasted.
        shift: how far it is moved at most, as a share of height and width; 0 leaves it where it
            was.

    Example:
        >>> masks = np.array([[[0, 0, 0, 0, 0]], [[0, 1, 0, 2, 2]]])
        >>> images = masks[..., None].astype("uint8")
        >>> CopyPaste([2], share=1, shift=0)(images, masks, np.random.default_rng(0))[1][0]
        array([[0, 0, 0, 2, 2]])
    """

    classes: Sequence[int | str]
    share: float = 0.5
    shift: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "share", 0, 1)
        check_range(self, "shift", 0, 1)
        classes: Any = self.classes
        whole = not isinstance(classes, str) and isinstance(classes, Sequence | np.ndarray)
        if not whole or not len(classes) or not all(map(_is_class, classes)):
            raise ValueError(
                f"classes of CopyPaste must be a list of ids or names, received {classes!r}"
            )
        object.__setattr__(self, "classes", tuple(classes))

    def suited(self, class_map: ClassMap) -> Self:
        names = class_map.names
        for known in self.classes:
            if known not in names and known not in range(len(names)):
                raise ValueError(
                    f"classes of CopyPaste must be of {', '.join(names)} or their ids 0.."
                    f"{len(names) - 1}, received {known!r}"
                )
        ids = [names.index(c) if isinstance(c, str) else int(c) for c in self.classes]
        return replace(self, classes=list(dict.fromkeys(ids)))

    def pastes(self, masks: np.ndarray, place: int, rng: np.random.Generator) -> Iterator[Paste]:
        partner, size = another(place, len(masks), rng), np.array(masks.shape[1:])
        for class_id in self.classes:
            if isinstance(class_id, str):
                raise ValueError(
                    f"{self!r} knows names in a pipeline only; pass ids, such as "
                    f"class_map.names.index({class_id!r})"
                )
            chosen = (masks[partner] == class_id).astype(np.uint8)
            count, labels, boxes, _ = cv2.connectedComponentsWithStats(chosen)
            for label in range(1, count):
                if rng.random() < self.share:
                    shift = np.round((2 * rng.random(2) - 1) * self.shift * size).astype(int)
                    left, top, width, height = boxes[label, :4]
                    box = labels[top : top + height, left : left + width] == label
                    source = np.argwhere(box) + (top, left)
                    target = source + shift
                    stays = ((target >= 0) & (target < size)).all(1)
                    yield Paste(partner, _indices(source[stays]), _indices(target[stays]))


@dataclass(frozen=True, repr=False)
class Mosaic(Pasting):
    """Four quarters of different pictures around a point, after Bochkovskiy et al., YOLOv4, 2020.

    The point lies in the middle half of height and width. One quarter, drawn at random, is the
    picture's own and stays; the three others are pieces of that size cut at random out of other
    pictures of the batch (in a batch of two or three some of one). Unlike theirs nothing is scaled
    here, so that masks stay exact: `RandomScale` in `augment=` does.

    Example:
        >>> masks = np.stack([np.full((6, 8), i, "uint8") for i in range(4)])
        >>> mixed = Mosaic()(masks[..., None], masks, np.random.default_rng(0))[1]
        >>> np.unique(mixed[0]).tolist()
        [0, 1, 2, 3]
    """

    def pastes(self, masks: np.ndarray, place: int, rng: np.random.Generator) -> Iterator[Paste]:
        count, *size = masks.shape
        point = [
            round((0.25 + 0.5 * draw) * n) for draw, n in zip(rng.random(2), size, strict=True)
        ]
        others = [(place + 1 + int(i)) % count for i in rng.permutation(count - 1)]
        quarters = [int(q) for q in rng.permutation(4)[:3]]
        for number, quarter in enumerate(quarters):
            rows = slice(0, point[0]) if quarter < 2 else slice(point[0], size[0])
            columns = slice(0, point[1]) if quarter % 2 else slice(point[1], size[1])
            source = [_piece(part, n, rng) for part, n in zip((rows, columns), size, strict=True)]
            partner = others[number % len(others)]
            yield Paste(partner, (source[0], source[1]), (rows, columns))


def checked_batch(
    images: np.ndarray, masks: np.ndarray, weights: np.ndarray | None, when: str = ""
) -> tuple[np.ndarray, ...]:
    """Images, masks and perhaps weights that may be a batch; `when` says what they come from."""
    batch = (images, masks) if weights is None else (images, masks, weights)
    if not all(isinstance(part, np.ndarray) for part in batch):
        kinds = ", ".join(type(part).__name__ for part in batch)
        raise TypeError(f"a batch{when} must be NumPy arrays, received {kinds}")
    if (
        images.ndim != 4
        or any(part.shape != images.shape[:3] for part in batch[1:])
        or masks.dtype.kind not in "ui"
    ):
        raise ValueError(
            f"a batch{when} must be images (batch, height, width, channels), masks (batch, height, "
            "width) of integer ids and perhaps weights of the masks' shape, received shapes "
            f"{', '.join(str(part.shape) for part in batch)} and masks of {masks.dtype}"
        )
    return batch


def another(place: int, count: int, rng: np.random.Generator) -> int:
    """The number of another picture of the batch, each as likely."""
    return (place + 1 + int(rng.random() * (count - 1))) % count


def check_known(owner: Any, name: str, known: int | None = None) -> None:
    """An argument that a data set says too: None or an int, and if `known` is given the same."""
    value = getattr(owner, name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
        raise TypeError(
            f"{name} of {type(owner).__name__} must be None or an int, received {value!r}"
        )
    if value is not None and known is not None and value != known:
        raise ValueError(
            f"{name} of {type(owner).__name__} must be the data set's, {known}, received {value}; "
            "leave it out"
        )


def _is_class(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return isinstance(value, str) or (whole and value >= 0)


def _piece(part: slice, length: int, rng: np.random.Generator) -> slice:
    """As many rows or columns as `part` has, anywhere among `length`."""
    want = part.stop - part.start
    first = int(rng.random() * (length - want + 1))
    return slice(first, first + want)


def _indices(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return places[:, 0], places[:, 1]
