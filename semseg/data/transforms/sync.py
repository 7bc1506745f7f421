"""Whether a transform keeps image and mask together: a check for anyone's own."""

import cv2
import numpy as np

from semseg.data.transforms.transform import TransformLike

# The image's value where the mask has id 0, 1, 2, 3: far apart, far from the range's ends.
_VALUES = np.array([70, 105, 140, 175], np.uint8)
_PATCH = 24  # pixels a side of a patch of one id, so that much remains beside the borders
_REACH = 3  # pixels from a border at which blurred values are no longer mixed
_BLURRED = 3  # pixels over which noise is averaged


def assert_in_sync(
    transform: TransformLike,
    *,
    size: tuple[int, int] = (96, 128),
    channels: int = 3,
    tries: int = 8,
) -> None:
    """Checks that a transform moves image and mask in the same way and draws from `rng` alone.

    The image shows the mask's ids as grey values, in patches; afterwards the values must still tell
    the ids apart, everywhere but next to the patches' borders. What hides parts of the image
    (fills, cutouts) is told from what moves it by a second image with the values exchanged.
    Values may change, as by brightness or some noise, as long as they stay apart.

    Args:
        transform: a function of (image, mask, rng), with a uint8 image (height, width, channels).
        size: (height, width) of the pictures it is tried on.
        channels: their channels.
        tries: how many generators it is tried with.

    Raises:
        AssertionError: image and mask went apart, the result depends on more than `rng`, the mask
            got ids that were not there (one for what lies beyond the edges is allowed), image and
            mask have different sizes, or too little was left to compare.

    Example:
        >>> from semseg.data.transforms import Affine
        >>> assert_in_sync(Affine(rotation=20, mask_fill=255))
        >>> assert_in_sync(lambda image, mask, rng: (image[:, ::-1], mask))
        Traceback (most recent call last):
        AssertionError: image and mask are out of step: ...
    """
    compared = False
    for seed in range(tries):
        mask = _patches(size, seed)
        results = []
        for values in (_VALUES, _VALUES[::-1], _VALUES):
            image = values[mask][..., None].repeat(channels, -1)
            shown, moved = transform(image, mask.copy(), np.random.default_rng(seed))[:2]
            if shown.shape[:2] != moved.shape:
                raise AssertionError(
                    f"image and mask have different sizes: {shown.shape[:2]} and {moved.shape}"
                )
            results.append((shown, moved))
        (shown, moved), (exchanged, other), (again, repeated) = results
        if not (np.array_equal(shown, again) and np.array_equal(moved, repeated)):
            raise AssertionError("the same rng gave another result: it draws from somewhere else")
        if not np.array_equal(moved, other):
            raise AssertionError("the mask depends on the image's values")
        new = np.setdiff1d(moved, mask)
        if len(new) > 1:
            raise AssertionError(f"the mask has new ids {new.tolist()}: it was interpolated")
        compared |= _check_step(shown, exchanged, moved, new)
    if not compared:
        raise AssertionError(
            f"nothing could be compared: of pictures of size={size} too little is left to tell "
            f"patches of {_PATCH} pixels apart; pass a larger size="
        )


def _check_step(
    shown: np.ndarray, exchanged: np.ndarray, mask: np.ndarray, fill: np.ndarray
) -> bool:
    """Whether there was anything to compare; an image that is hidden altogether is in step."""
    hidden = np.all(shown == exchanged, axis=-1)
    certain = _inner(mask) & (cv2.erode((~hidden).astype(np.uint8), _square(_BLURRED)) > 0)
    certain &= ~np.isin(mask, fill)
    grey = cv2.blur(shown.mean(-1), (_BLURRED, _BLURRED))
    ids = np.unique(mask[certain])
    if len(ids) < 2:
        return bool(hidden.all())
    middles = np.array([np.median(grey[certain & (mask == i)]) for i in ids])
    nearest = ids[np.abs(grey[certain][:, None] - middles).argmin(1)]
    wrong = float(np.mean(nearest != mask[certain]))
    if wrong > 0.01:
        raise AssertionError(
            f"image and mask are out of step: {wrong:.0%} of the pixels show another id"
        )
    return True


def _patches(size: tuple[int, int], seed: int) -> np.ndarray:
    """A mask of random ids 0..3 in even patches."""
    counts = [max(1, n // _PATCH) for n in size]
    coarse = np.random.default_rng(seed).integers(0, 4, counts)
    rows, columns = (np.arange(n) * count // n for n, count in zip(size, counts, strict=True))
    return coarse[rows][:, columns].astype(np.uint8)


def _inner(mask: np.ndarray) -> np.ndarray:
    """Pixels with the same id all around."""
    ids, square = mask.astype(np.float32), _square(2 * _REACH + 1)
    same: np.ndarray = cv2.erode(ids, square) == cv2.dilate(ids, square)
    return same


def _square(side: int) -> np.ndarray:
    return np.ones((side, side), np.uint8)
