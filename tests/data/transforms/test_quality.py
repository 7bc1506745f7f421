"""Blurs, noise, JPEG, CLAHE: as strong as they say."""

import cv2
import numpy as np
import pytest

from semseg.data.transforms import CLAHE, JPEG, Blur, MotionBlur, Noise
from semseg.data.transforms.quality import ImageOperation, line_kernel

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


@pytest.mark.parametrize("length", [1.0, 1.5, 3.0, 4.2, 9.0, 20.0, 700.0])
@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, np.pi / 2, 2.5])
def test_the_line_of_a_moving_camera_has_its_length_direction_and_middle(length, angle):
    kernel = line_kernel(length, angle)
    y, x = np.mgrid[: len(kernel), : len(kernel)] - len(kernel) // 2
    assert kernel.min() >= 0 and kernel.sum() == pytest.approx(1)
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-9), "it shifts the picture"
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-9)
    across = -x * np.sin(angle) + y * np.cos(angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    spread = (length - 1) ** 2 / 12  # the variance of an even line
    pixel = 0.2  # what a point has that is shared by its four pixels, at most 1/4
    assert (kernel * across**2).sum() < 2 * pixel
    assert spread * 0.999 - 0.02 <= (kernel * along**2).sum() < spread + 2 * pixel
    if angle == 0 and length > 3:
        line = kernel[len(kernel) // 2][x[0] ** 2 < (length / 2 - 2) ** 2]
        assert line.min() > 0.8 * line.max(), "the line has holes"


def test_a_line_of_one_pixel_changes_nothing():
    image = rng().integers(0, 256, (20, 30, 3), np.uint8)
    for seed in range(5):
        shown = MotionBlur((1, 1))(image, MASK[:20, :30], rng(seed))[0]
        np.testing.assert_array_equal(shown, image)


def test_cameras_move_in_every_direction():
    image = np.zeros((41, 41, 1), np.float32)
    image[20, 20] = 1
    angles = []
    for seed in range(200):
        shown = MotionBlur((15, 15))(image, np.zeros((41, 41), np.uint8), rng(seed))[0][..., 0]
        y, x = np.mgrid[-20:21, -20:21]
        xx, xy, yy = ((shown * part).sum() for part in (x * x, x * y, y * y))
        angles.append(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180)
    counts = np.histogram(angles, 6, (0, 180))[0]
    assert counts.min() > 15


def test_clahe_is_opencvs_on_grey_pictures():
    image = rng().integers(90, 130, (64, 96, 1)).astype(np.uint8)
    expected = cv2.createCLAHE(2.0, (3, 2)).apply(image[..., 0])  # OpenCV counts columns first
    shown = CLAHE((2, 2), 32)(image, MASK[:, :1].repeat(96, 1), rng())[0]
    np.testing.assert_array_equal(shown[..., 0], expected)


def test_clahe_moves_the_luma_of_colours_and_leaves_their_differences():
    image = rng().integers(90, 130, (64, 64, 3)).astype(np.uint8)
    shown = CLAHE((2, 2))(image, MASK, rng())[0].astype(int)
    for one, other in ((0, 1), (1, 2)):
        np.testing.assert_array_equal(
            shown[..., one] - shown[..., other], image[..., one].astype(int) - image[..., other]
        )
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    evened = CLAHE((2, 2))(luma[..., None], MASK, rng())[0][..., 0].astype(int)
    np.testing.assert_array_equal(shown[..., 0] - image[..., 0], evened - luma)


def test_clahe_treats_each_of_many_channels_by_itself():
    image = rng().integers(90, 130, (64, 64, 5)).astype(np.uint8)
    shown = CLAHE((2, 2))(image, MASK, rng())[0]
    for channel in range(5):
        alone = CLAHE((2, 2))(image[..., channel : channel + 1], MASK, rng())[0]
        np.testing.assert_array_equal(shown[..., channel], alone[..., 0])


@pytest.mark.parametrize(
    ("size", "tile", "dtype"),
    [(64, 64, "uint8"), (64, 32, "uint8"), (100, 33, "uint8"), (512, 512, "uint16")],
)
def test_clahe_gives_more_contrast_with_a_higher_limit_and_little_with_1(size, tile, dtype):
    image = rng().normal(110, 12, (size, size, 1)).clip(0, 255)
    image = (image * (257 if dtype == "uint16" else 1)).astype(dtype)
    mask = np.zeros((size, size), np.uint8)
    limits = (1, 1.5, 2, 4)
    spreads = [CLAHE((n, n), tile)(image, mask, rng())[0].std() / image.std() for n in limits]
    assert 0.8 < spreads[0] < 2  # what is cut off doubles the slope at most
    assert spreads[0] < spreads[1] < spreads[2] < spreads[3]


def test_what_clahe_and_moving_cameras_can_not_take_is_refused():
    with pytest.raises(TypeError, match="CLAHE needs images of uint8 or uint16, received float32"):
        CLAHE()(np.zeros((64, 64, 3), np.float32), MASK, rng())
    with pytest.raises(ValueError, match="tile of CLAHE must be an int >= 32, received 8"):
        CLAHE(tile=8)
    with pytest.raises(ValueError, match="limit of CLAHE must be at least 1"):
        CLAHE((0.5, 2))
    with pytest.raises(ValueError, match="tile >= 512 for images of uint16, received 64"):
        CLAHE()(np.zeros((64, 64, 3), np.uint16), MASK, rng())
    with pytest.raises(
        ValueError, match=r"at least a tile of 64 x 64, received 64 x 60; pass a sm"
    ):
        CLAHE()(np.zeros((64, 60, 3), np.uint8), MASK[:, :60], rng())
    with pytest.raises(ValueError, match="length of MotionBlur must be at least 1"):
        MotionBlur((0.5, 3))
