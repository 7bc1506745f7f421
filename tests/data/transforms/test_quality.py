"""Blur, Noise, JPEG: as strong as they say."""

import cv2
import numpy as np
import pytest

from semseg.data.transforms import JPEG, Blur, Noise
from semseg.data.transforms.quality import ImageOperation

MASK = np.zeros((64, 64), np.uint8)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_blur_spreads_a_point_by_its_deviation_and_keeps_the_mean(dtype, channels):
    image = np.zeros((64, 64, channels), dtype)
    image[32, 32] = 200
    image *= 1 if dtype == "uint8" else 100
    shown = Blur((2.0, 2.0))(image, MASK, rng())[0].astype(float)
    rows = np.arange(64) - 32
    spread = (shown[..., 0].sum(1) * rows**2).sum() / shown[..., 0].sum()
    assert abs(np.sqrt(spread) - 2) < 0.25
    assert abs(shown.sum() / image.sum() - 1) < 0.15  # uint8 rounds the tails away


@pytest.mark.parametrize(("dtype", "extent"), [("uint8", 255), ("uint16", 65535), ("float32", 10)])
def test_noise_has_a_deviation_of_up_to_that_share_of_the_range(dtype, extent):
    image = np.full((64, 64, 3), extent / 2, dtype)
    image[0, 0], image[0, 1] = 0, extent
    found = [
        (Noise(0.1)(image, MASK, rng(seed))[0].astype(float) - image)[1:].std() / extent
        for seed in range(30)
    ]
    assert max(found) < 0.103
    assert abs(np.mean(found) - 0.05) < 0.02
    assert (
        abs(Noise(0.1)(image, MASK, rng(1))[0][1:].astype(float).mean() - extent / 2) < extent / 200
    )


def test_noise_is_independent_from_pixel_to_pixel():
    image = np.full((64, 64, 3), 128, np.uint8)
    noise = Noise(0.3)(image, MASK, rng(1))[0].astype(float).reshape(-1) - 128
    for lag in (1, 3, 192):
        assert abs(np.corrcoef(noise[lag:], noise[:-lag])[0, 1]) < 0.05


def test_jpeg_is_what_opencv_writes_and_reads_with_colours_in_their_places():
    gradient = np.linspace(0, 250, 64).astype(np.uint8)
    image = np.stack([np.tile(gradient, (64, 1))] * 3, -1)
    image[..., 0] = 255 - image[..., 0]
    shown = JPEG((90, 90))(image, MASK, rng())[0]
    assert np.abs(shown.astype(int) - image).mean() < 3
    _, data = cv2.imencode(".jpg", image[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, 90])
    np.testing.assert_array_equal(shown, cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def test_jpeg_draws_every_quality_and_worse_is_worse():
    image = rng().integers(0, 256, (64, 64, 1)).astype(np.uint8)

    def error(quality):
        return np.abs(JPEG((quality, quality))(image, MASK, rng())[0].astype(int) - image).mean()

    assert error(5) > error(40) > error(95)
    few = {JPEG((40, 42))(image, MASK, rng(seed))[0].tobytes() for seed in range(40)}
    assert len(few) == 3


@pytest.mark.parametrize(
    "image", [np.zeros((64, 64, 3), np.uint16), np.zeros((64, 64, 4), np.uint8)]
)
def test_jpeg_refuses_what_it_can_not_hold(image):
    with pytest.raises(ValueError, match=r"JPEG needs uint8 images of 1 or 3 channels, received"):
        JPEG()(image, MASK, rng())


def test_other_arguments_and_dtypes_are_refused():
    with pytest.raises(ValueError, match=r"sd of Blur must be \(low, high\)"):
        Blur(2.0)
    with pytest.raises(ValueError, match=r"sd of Noise must lie in \[0, 1\], received 3"):
        Noise(3)
    with pytest.raises(
        ValueError, match=r"quality of JPEG must be at most 100, received \(9, 101\)"
    ):
        JPEG((9, 101))
    with pytest.raises(TypeError, match=r"Blur\(\): image must have one of the dtypes .*int64"):
        Blur()(np.zeros((64, 64, 3), np.int64), MASK, rng())
    with pytest.raises(NotImplementedError):
        ImageOperation()(np.zeros((64, 64, 3), np.uint8), MASK, rng())
