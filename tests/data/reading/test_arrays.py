"""Arrays in .npy files, and TIFFs that hold more than OpenCV reads, parity with tifffile."""

import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from image_files import encoded, saved

from semseg.data.reading import UnreadableFileError, read_image, read_mask

DTYPES = ["bool", "u1", "<u2", ">u2", "<i4", ">i4", "u8", "f2", ">f4", "f8"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays")


# -- .npy ----------------------------------------------------------------------------------------


@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=2, max_dims=3, max_side=5))
    ),
    fortran=st.booleans(),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
def test_an_npy_file_gives_its_array_in_native_order(scratch, array, fortran, version):
    stored = np.asfortranarray(array) if fortran else array
    with (scratch / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, stored, version=version)
    image = read_image(scratch / "a.npy")
    np.testing.assert_array_equal(image, array[..., None] if array.ndim == 2 else array)
    assert image.dtype == array.dtype.newbyteorder("=")
    assert image.dtype.isnative and image.flags.c_contiguous and image.flags.writeable
    if array.ndim == 2:
        np.testing.assert_array_equal(read_mask(scratch / "a.npy"), array)


def test_what_is_read_does_not_hold_on_to_the_file(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((2, 3), np.uint8))
    image = read_image(path)
    image[:] = 7
    np.save(path, np.zeros((2, 3), np.uint8))
    assert (image == 7).all()
    assert (read_image(path) == 0).all()


def test_three_bytes_a_pixel_are_colours_and_one_channel_is_ids(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (2, 4, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", colours)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npy"), colours)
    np.save(tmp_path / "a.npy", colours[..., :1].astype(np.int64))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npy"), colours[..., 0])


def test_pickled_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}, None]], object), allow_pickle=True)
    with pytest.raises(UnreadableFileError, match=r"must hold numbers .*dtype object: .*a\.npy"):
        read_image(tmp_path / "a.npy")


# -- TIFF ----------------------------------------------------------------------------------------


def values(dtype, shape, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def write_tiff(path, array, planar, **options):
    """As microscopes and satellites do; `array` is (height, width, channels)."""
    tifffile = pytest.importorskip("tifffile")
    if array.shape[2] == 1:
        tifffile.imwrite(path, array[..., 0], photometric="minisblack", **options)
        return path
    photometric = "rgb" if array.shape[2] == 3 else "minisblack"
    tifffile.imwrite(
        path,
        np.moveaxis(array, -1, 0) if planar else array,
        photometric=options.pop("photometric", photometric),
        planarconfig="separate" if planar else "contig",
        **options,
    )
    return path


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", range(1, 7))
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8"])
def test_a_tiff_gives_all_its_channels_in_every_depth_and_layout(tmp_path, dtype, channels, planar):
    array = values(dtype, (5, 7, channels))
    for byteorder in "<>":
        for compression in (None, "zlib"):
            path = write_tiff(
                tmp_path / "a.tif", array, planar, byteorder=byteorder, compression=compression
            )
            image = read_image(path)
            np.testing.assert_array_equal(image, array)
            assert image.dtype == array.dtype


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_infrared_beside_rgb_is_not_dropped(tmp_path, dtype, bigtiff):
    array = values(dtype, (5, 7, 4))
    path = write_tiff(
        tmp_path / "a.tif",
        array,
        False,
        photometric="rgb",
        extrasamples=["unspecified"],
        bigtiff=bigtiff,
    )
    np.testing.assert_array_equal(read_image(path), array)
    with pytest.raises(UnreadableFileError, match=r"mask must hold .* \(5, 7, 4\) .*a\.tif") as e:
        read_mask(path)
    assert e.value.fault == "channels"


@pytest.mark.parametrize(("dtype", "channels"), [("u1", 5), ("f4", 3), ("u2", 6)])
def test_such_tiffs_are_cut_off_by_the_limit_and_by_their_pages(tmp_path, dtype, channels):
    tifffile = pytest.importorskip("tifffile")
    array = values(dtype, (5, 7, channels))
    for planar in (False, True):
        path = write_tiff(tmp_path / "a.tif", array, planar)
        assert read_image(path, 35).shape == array.shape
        with pytest.raises(
            UnreadableFileError, match="declares 7x5 pixels, more than max_pix"
        ) as e:
            read_image(path, 34)
        assert e.value.fault == "too_large"
    tifffile.imwrite(tmp_path / "b.tif", np.stack([array] * 2), photometric="minisblack")
    with pytest.raises(UnreadableFileError, match=r"holds \d+ pictures .*b\.tif") as e:
        read_image(tmp_path / "b.tif")
    assert e.value.fault == "several_pages"


def test_a_turned_tiff_of_many_channels_is_refused(tmp_path):
    orientation = [(274, "H", 1, 6, True)]
    path = write_tiff(tmp_path / "a.tif", values("u1", (5, 7, 5)), False, extratags=orientation)
    with pytest.raises(UnreadableFileError, match=r"stored turned \(orientation 6\)") as e:
        read_image(path)
    assert e.value.fault == "turned_tiff"


@pytest.mark.parametrize(
    ("dtype", "channels", "planar", "why"),
    [
        ("u1", 5, False, "Pillow can't read the file"),
        ("f4", 3, False, "Pillow can't read the file"),
        ("u2", 3, True, "stores its channels one after the other"),
        # Pillow before version 11 opens no such file.
        ("u1", 2, False, "holds channels besides colours and alpha|Pillow can't read the file"),
    ],
)
def test_without_tifffile_the_extra_is_named(tmp_path, monkeypatch, dtype, channels, planar, why):
    path = write_tiff(tmp_path / "a.tif", values(dtype, (5, 7, channels)), planar)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(
        UnreadableFileError, match=rf"({why}).*: .*a\.tif; .*pip install 'semseg\[tiff\]"
    ) as caught:
        read_image(path)
    assert caught.value.fault == "needs_tifffile"


def test_ordinary_tiffs_need_no_tifffile(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    for number, array in enumerate(
        [values("u1", (5, 7, 3)), values("u1", (5, 7)), values("u2", (5, 7))]
    ):
        path = saved(tmp_path / f"{number}.tif", array)
        np.testing.assert_array_equal(read_image(path).squeeze(), array)
    (tmp_path / "z.tif").write_bytes(
        encoded(values("u1", (5, 7, 3)), "tiff", compression="tiff_lzw")
    )
    np.testing.assert_array_equal(read_image(tmp_path / "z.tif"), values("u1", (5, 7, 3)))


@pytest.mark.parametrize(("dtype", "channels"), [("u1", 5), ("f4", 3), ("f4", 6)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_tiff_of_many_channels_is_an_error(tmp_path, dtype, channels, compression):
    array = values(dtype, (24, 32, channels))
    path = write_tiff(tmp_path / "a.tif", array, False, compression=compression)
    whole = path.read_bytes()
    for cut in range(1, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:cut])
        with pytest.raises(UnreadableFileError, match=r"a\.tif"):
            read_image(path)


def with_its_directory_at_the_end(data):
    """The same TIFF as libtiff writes it: pixels first, then the tags; little-endian, classic."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    directory = data[at : at + 2 + 12 * count + 4]
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


@pytest.mark.parametrize(("dtype", "channels"), [("f4", 5), ("i1", 5), ("f4", 3)])
def test_a_tiff_whose_last_tags_are_cut_off_is_not_read_as_other_numbers(tmp_path, dtype, channels):
    array = values(dtype, (24, 32, channels))
    path = write_tiff(tmp_path / "a.tif", array, False)
    whole = with_its_directory_at_the_end(path.read_bytes())
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_image(path), array)
    for cut in range(1, 140):
        path.write_bytes(whole[:-cut])
        try:
            image = read_image(path)
        except UnreadableFileError:
            continue
        np.testing.assert_array_equal(image, array)
        assert image.dtype == array.dtype
