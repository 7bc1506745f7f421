"""statistics: counts equal to a slow loop, weights to their formulas, moments to NumPy's."""

import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from sklearn.utils.class_weight import compute_class_weight

from semseg.classes import ClassMap
from semseg.data import (
    Dataset,
    camvid,
    channel_statistics,
    class_frequencies,
    class_weights,
    from_arrays,
    from_pairs,
)
from semseg.data.statistics import ClassFrequencies

FOUR = ClassMap(["a", "b", "c", "d"], ignore_class=255)
TWO = ClassMap(["background", "cell"])
MASKS = st.lists(
    arrays(
        st.sampled_from([np.uint8, np.int32]),
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.sampled_from([0, 1, 2, 3, 255]),
    ),
    min_size=1,
    max_size=5,
)


def test_a_pass_over_the_masks_of_files_reads_no_picture(tmp_path):
    pairs = [(tmp_path / f"{i}.png", tmp_path / f"{i}m.png") for i in range(4)]
    for number, (image, mask) in enumerate(pairs):
        Image.new("RGB", (8, 6)).save(image)
        Image.new("L", (8, 6), number % 2).save(mask)
    ds = from_pairs(pairs, TWO)
    for image, _ in pairs:
        image.write_bytes(b"")
    for view in (ds, ds.subset([3, 2, 1, 0]), ds.concat(ds), ds.map_classes({"cell": "x"})):
        assert view.class_frequencies().shares.tolist() == [0.5, 0.5]
    assert [len(part) for part in ds.split((0.5, 0.5))] == [2, 2]


def of_masks(masks, class_map=FOUR):
    return Dataset(
        lambda i: (np.zeros((*masks[i].shape, 1), np.uint8), masks[i]),
        [f"s{i}" for i in range(len(masks))],
        class_map,
    )


def of_images(images):
    masks = [np.zeros(image.shape[:2], np.uint8) for image in images]
    return from_arrays(images, masks, TWO)


def row(**pixels):
    """A mask of so many pixels of each class, by name; "void" is ignored."""
    ids = {**{name: i for i, name in enumerate(FOUR.names)}, "void": 255}
    return np.array([[ids[name] for name, count in pixels.items() for _ in range(count)]], np.uint8)


# -- frequencies ---------------------------------------------------------------------------------


@given(masks=MASKS)
def test_the_counts_are_those_of_a_slow_loop(masks):
    pixels, samples, where_present, ignored = [0] * 4, [0] * 4, [0] * 4, 0
    for mask in masks:
        for label in range(4):
            found = sum(int(value) == label for value in mask.ravel())
            pixels[label] += found
            samples[label] += found > 0
            where_present[label] += mask.size * (found > 0)
        ignored += sum(int(value) == 255 for value in mask.ravel())
    found = class_frequencies(of_masks(masks))
    assert list(found.pixels) == pixels
    assert list(found.samples) == samples
    assert list(found.pixels_where_present) == where_present
    assert found.ignored == ignored
    assert sum(found.pixels) + found.ignored == sum(mask.size for mask in masks)
    np.testing.assert_allclose(found.shares, np.array(pixels) / max(1, sum(pixels)))


@given(masks=MASKS, seed=st.integers(0, 9))
def test_the_order_of_samples_and_pixels_plays_no_part(masks, seed):
    rng = np.random.default_rng(seed)
    mixed = [rng.permuted(mask).T for mask in masks][::-1]
    assert class_frequencies(of_masks(mixed)) == class_frequencies(of_masks(masks))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.uint64, np.float32])
def test_masks_of_any_dtype_are_counted(dtype):
    found = class_frequencies(of_masks([np.eye(4).astype(dtype)], TWO))
    assert found.pixels == (12, 4)


def test_frequencies_print_as_a_table():
    found = of_masks([row(a=3, b=1, void=2), row(a=4)]).class_frequencies()
    lines = repr(found).splitlines()
    assert lines[0].split() == ["class", "pixels", "share", "samples"]
    assert lines[1].split() == ["a", "7", "87.500%", "2"]
    assert lines[4].split() == ["d", "0", "0.000%", "0"]
    assert lines[5].split() == ["ignored", "2"]


def test_an_error_in_a_sample_comes_out_of_the_pass():
    with pytest.raises(ValueError, match=r"sample 's1' of 'dataset': mask has ids \[9\]"):
        class_frequencies(of_masks([row(a=1), np.full((1, 1), 9), row(b=1)]))


# -- weights -------------------------------------------------------------------------------------


def test_median_frequency_by_hand():
    """n / M is 2/8, 2/4, 4/8 (M counts the ignored pixels); the median 1/2."""
    ds = of_masks([row(a=2, c=2), row(b=2, c=2)], ClassMap(["a", "b", "c"]))
    np.testing.assert_allclose(ds.class_weights(), [1, 1, 1])
    ds = of_masks([row(a=1, c=1, void=2), row(b=3, c=1)], ClassMap(["a", "b", "c"], None, 255))
    np.testing.assert_allclose(ds.class_weights(), [1, 1 / 3, 1])


@pytest.mark.parametrize(
    ("method", "by_hand"),
    [
        ("median_frequency", [0.5 / 0.6, 0.5 / 0.4]),
        ("inverse", [10 / (2 * 6), 10 / (2 * 4)]),
        ("enet", [1 / np.log(1.62), 1 / np.log(1.42)]),
        ("effective_number", [1 / (1 - 0.9**6), 1 / (1 - 0.9**4)]),
    ],
)
def test_formulas_by_hand(method, by_hand):
    """6 and 4 of 10 labelled pixels, each class in a sample of its own beside ignored ones."""
    found = of_masks([row(a=6, void=4), row(b=4, void=6)], ClassMap(["a", "b"], None, 255))
    expected = np.array(by_hand)
    if method == "effective_number":
        expected = expected / expected.mean()
    np.testing.assert_allclose(class_weights(found, method), expected, rtol=1e-12)


@given(masks=MASKS)
def test_inverse_weights_are_scikit_learns_balanced_ones_and_average_to_1(masks):
    labels = np.concatenate([mask.ravel() for mask in masks])
    labels = labels[labels < 255]
    present = np.unique(labels)
    if not labels.size:
        return
    weights = class_weights(of_masks(masks), "inverse", absent=0.0)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    np.testing.assert_allclose(weights[present], expected)
    assert weights[labels].mean() == pytest.approx(1)


@given(pixels=st.lists(st.integers(1, 10**12), min_size=2, max_size=6))
def test_effective_number_keeps_its_digits_at_any_size(pixels):
    """Against 1 - b^n with 60 decimal digits."""
    class_map = ClassMap([f"c{i}" for i in range(len(pixels))])
    found = ClassFrequencies(class_map, tuple(pixels), tuple(pixels), tuple(pixels), 0)
    with localcontext() as context:
        context.prec = 60
        b = 1 - 1 / Decimal(max(2, sum(pixels)))
        expected = np.array([float(1 / (1 - b**n)) for n in pixels])
    np.testing.assert_allclose(found.weights("effective_number"), expected / expected.mean())


@pytest.mark.parametrize("method", ["median_frequency", "inverse", "enet", "effective_number"])
@given(masks=MASKS)
def test_rarer_classes_weigh_more_and_absent_ones_what_was_asked_for(method, masks):
    found = class_frequencies(of_masks(masks))
    weights = found.weights(method, absent=7.0)
    pixels = np.array(found.pixels)
    assert (weights[pixels == 0] == 7.0).all()
    assert (weights[pixels > 0] > 0).all()
    if method != "median_frequency":
        order = np.argsort(pixels[pixels > 0])
        assert (np.diff(weights[pixels > 0][order]) <= 1e-12).all()


def test_an_absent_class_is_an_error_that_names_it_and_the_way_out():
    ds = of_masks([row(a=1, c=1)])
    message = r"no pixel of \['b', 'd'\]; leave them out with map_classes, or .*absent=1.0"
    with pytest.raises(ValueError, match=message):
        ds.class_weights()
    assert ds.class_weights(absent=0.5)[[1, 3]].tolist() == [0.5, 0.5]


def test_an_unknown_method_is_refused_before_anything_is_read():
    def read(index):
        raise AssertionError("read")

    ds = Dataset(read, ["a"], TWO)
    with pytest.raises(ValueError, match=r"method must be one of \['median_freq.*received 'sqrt'"):
        class_weights(ds, "sqrt")


@pytest.mark.data
def test_camvids_median_frequencies_are_those_of_segnet(data_root):
    weights = camvid(data_root / "camvid").class_weights()
    expected = "0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587"
    np.testing.assert_allclose(weights, [float(w) for w in expected.split(",")], atol=5e-5)


# -- channels ------------------------------------------------------------------------------------


def random_images(dtype, channels, offset, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.arange(1, channels + 1) * 7
    shapes = [(5, 7), (1, 1), (8, 3)]
    values = [rng.integers(0, 8, (*shape, channels)) * spread + offset for shape in shapes]
    return [v.astype(dtype) for v in values]


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize(
    ("dtype", "offset"),
    [(np.uint8, 0), (np.uint16, 0), (np.uint16, 65_000), (np.float32, 1e6), (np.int16, -9000)],
)
def test_mean_and_deviation_are_numpys_over_all_pixels(dtype, offset, channels):
    images = random_images(dtype, channels, offset)
    found = channel_statistics(of_images(images))
    pixels = np.concatenate([image.reshape(-1, channels) for image in images]).astype(np.float64)
    np.testing.assert_allclose(found.mean, pixels.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.std, pixels.std(0), rtol=1e-9)


@given(
    image=arrays(
        np.float32,
        st.tuples(st.integers(2, 6), st.integers(1, 4), st.integers(1, 3)),
        elements=st.floats(-1000, 1000, width=32),
    ),
    cut=st.integers(1, 5),
)
def test_how_pixels_are_cut_into_pictures_plays_no_part(image, cut):
    cut = min(cut, len(image) - 1)
    whole = channel_statistics(of_images([image]))
    parts = channel_statistics(of_images([image[:cut], image[cut:]]))
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.std, whole.std, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.uint8, 201), (np.uint16, 60001), (np.float32, 0.1)]
)
def test_equal_pixels_have_a_deviation_of_exactly_0(dtype, value):
    image = np.full((333, 77, 1), value, dtype)
    found = channel_statistics(of_images([image, image[:9], image[:, :5]]))
    assert found.std == (0.0,)
    assert found.mean == (float(dtype(value)),)


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_normalization_brings_mean_0_and_deviation_1(dtype, channels):
    images = [
        np.random.default_rng(i).normal(100, 20, (8, 9, channels)).astype(dtype) for i in (1, 2)
    ]
    layer = channel_statistics(of_images(images)).normalization()
    normalised = np.array(layer(np.stack(images).astype("float32")))
    np.testing.assert_allclose(normalised.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalised.std((0, 1, 2)), 1, atol=1e-5)


def test_a_constant_channel_is_shifted_and_not_scaled():
    image = np.dstack([np.full((33, 7), 201), np.arange(33 * 7).reshape(33, 7)]).astype(np.uint16)
    layer = of_images([image]).channel_statistics().normalization()
    normalised = np.array(layer(image[None].astype("float32") + [2, 0]))
    np.testing.assert_allclose(normalised[..., 0], 2)
    assert normalised[..., 1].std() == pytest.approx(1, abs=1e-5)


def test_other_numbers_of_channels_name_the_sample():
    images = [np.zeros((2, 3, channels), np.uint8) for channels in (3, 3, 1)]
    with pytest.raises(ValueError, match="sample '2' has 1, the ones before 3"):
        channel_statistics(of_images(images))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_name_the_sample(value):
    images = [np.zeros((2, 3, 1), np.float32), np.full((2, 3, 1), value, np.float32)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="sample '1' holds NaN or infinity"):
            channel_statistics(of_images(images))
