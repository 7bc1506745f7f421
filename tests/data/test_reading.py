"""reading: a file gives exactly what it holds, or an error that names it."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from semseg.data.reading import IMAGE_SUFFIXES, read_image, read_mask

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0]
IDS = RNG.integers(0, 4, (5, 7), dtype=np.uint8)
COLOURS = RNG.integers(0, 256, (256, 3), dtype=np.uint8)

EXACT = [".png", ".bmp", ".tif", ".tiff", ".webp"]
LOSSLESS = {".webp": {"lossless": True}}
OPAQUE, CLEAR = (np.full((5, 7), 255, np.uint8), np.where(IDS == 0, 0, 255).astype(np.uint8))
ORIENTATION = 0x0112


def smooth(height=24, width=32):
    """A picture that JPEG hardly changes."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([4 * rows, 4 * columns, 2 * (rows + columns)], axis=-1).astype(np.uint8)


def saved(path, array, **options):
    """Written by Pillow, which is not what reads it."""
    Image.fromarray(array).save(path, **options)
    return path


def saved_palette(path, ids, colours=COLOURS, **options):
    image = Image.fromarray(ids)
    image.putpalette(colours[: options.pop("size", 256)].tobytes())
    image.save(path, **options)
    return path


def encoded(array, kind, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def grey_png(ids, bits):
    """A grey PNG of few bits a pixel, by hand: no library here writes it."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    height, width = ids.shape
    rows = (np.unpackbits(ids[..., None], axis=-1)[..., -bits:]).reshape(height, width * bits)
    lines = b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# -- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", EXACT)
def test_colours_come_as_rgb_and_unchanged(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", RGB, **LOSSLESS.get(suffix, {}))
    image = read_image(path)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg_comes_as_rgb(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", smooth(), quality=98, subsampling=0)
    np.testing.assert_allclose(read_image(path).astype(int), smooth(), atol=4)
    assert suffix in IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_grey_picture_has_one_channel(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a{suffix}", GREY))
    np.testing.assert_array_equal(image, GREY[..., None])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_kept(tmp_path, suffix, channels):
    values = RNG.integers(0, 65536, (5, 7, channels)).astype(np.uint16)
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), values[..., ::-1])
    image = read_image(path)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, values)


def test_a_float_picture_keeps_its_values(tmp_path):
    values = RNG.normal(size=(5, 7)).astype(np.float32)
    image = read_image(saved(tmp_path / "a.tif", values))
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, values[..., None])


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_palette_picture_gives_its_colours(tmp_path, suffix):
    image = read_image(saved_palette(tmp_path / f"a{suffix}", IDS))
    np.testing.assert_array_equal(image, COLOURS[IDS])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_opaque_alpha_is_dropped(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", np.dstack([RGB, OPAQUE]), **LOSSLESS.get(suffix, {}))
    np.testing.assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_opaque_alpha_of_a_grey_picture_is_dropped(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", np.dstack([GREY, OPAQUE]))
    np.testing.assert_array_equal(read_image(path), GREY[..., None])


def test_opaque_alpha_of_16_bits_is_dropped(tmp_path):
    values = RNG.integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    opaque = np.full((5, 7), 65535, np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([values[..., ::-1], opaque]))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), values)


def transparent_files(folder):
    yield saved(folder / "rgba.png", np.dstack([RGB, CLEAR]))
    yield saved(folder / "rgba.tif", np.dstack([RGB, CLEAR]))
    yield saved(folder / "rgba.webp", np.dstack([RGB, CLEAR]), lossless=True)
    yield saved(folder / "grey.png", np.dstack([GREY, CLEAR]))
    yield saved_palette(folder / "palette.png", IDS, transparency=int(IDS[0, 0]))
    yield saved(folder / "key.png", RGB, transparency=tuple(RGB[0, 0].tolist()))
    yield saved(folder / "greykey.png", GREY, transparency=int(GREY[0, 0]))


def test_transparency_is_an_error_in_whatever_way_it_is_stored(tmp_path):
    for path in transparent_files(tmp_path):
        with pytest.raises(ValueError, match=rf"transparent pixels.*{path.name}; flatten it"):
            read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_exif_rotation_is_applied_to_pictures_and_masks_alike(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / f"a{suffix}", RGB, exif=exif, **LOSSLESS.get(suffix, {}))
    with Image.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    np.testing.assert_array_equal(read_image(path), expected)
    np.testing.assert_array_equal(read_mask(path), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_to_a_jpeg(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / "a.jpg", smooth(), exif=exif, quality=98, subsampling=0)
    with Image.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file)).astype(int)
    np.testing.assert_allclose(read_image(path), expected, atol=4)


def test_exif_behind_the_pixels_of_a_png_counts_too(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + body))
    data = encoded(RGB, "png")
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])  # before IEND
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(RGB, -1))


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_a_turned_tiff_is_refused(tmp_path, read):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = saved(tmp_path / "a.tif", GREY, exif=exif)
    with pytest.raises(ValueError, match=r"TIFF is stored turned \(orientation 6\).*a\.tif; save"):
        read(path)


@pytest.mark.parametrize("form", ["grey", "alpha", "palette"])
def test_exif_rotation_is_applied_in_every_mode(tmp_path, form):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn clockwise
    path = tmp_path / "a.png"
    turned = lambda array: np.rot90(array, -1)  # noqa: E731
    if form == "grey":
        saved(path, GREY, exif=exif)
        np.testing.assert_array_equal(read_image(path)[..., 0], turned(GREY))
        np.testing.assert_array_equal(read_mask(path), turned(GREY))
    elif form == "alpha":
        saved(path, np.dstack([RGB, OPAQUE]), exif=exif)
        np.testing.assert_array_equal(read_image(path), turned(RGB))
    else:
        saved_palette(path, IDS, exif=exif)
        np.testing.assert_array_equal(read_image(path), turned(COLOURS[IDS]))
        np.testing.assert_array_equal(read_mask(path), turned(IDS))


# -- masks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_mask_gives_its_ids_at_every_depth(tmp_path, bits):
    ids = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    path = saved_palette(tmp_path / "a.png", ids, size=2**bits, bits=bits)
    mask = read_mask(path)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, ids)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_grey_mask_gives_its_ids_at_every_depth(tmp_path, bits):
    ids = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(grey_png(ids, bits))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), ids)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_grey_picture_of_few_bits_spans_the_whole_range(tmp_path, bits):
    values = RNG.integers(0, 2**bits, (5, 7), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(grey_png(values, bits))
    expected = values * (255 // (2**bits - 1))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 0], expected)


def test_a_transparent_palette_entry_does_not_cost_a_mask_its_ids(tmp_path):
    path = saved_palette(tmp_path / "a.png", IDS, transparency=0)
    np.testing.assert_array_equal(read_mask(path), IDS)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_grey_mask_gives_its_ids(tmp_path, suffix):
    np.testing.assert_array_equal(read_mask(saved(tmp_path / f"a{suffix}", IDS)), IDS)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_ids_of_16_bits_are_kept(tmp_path, suffix):
    ids = RNG.integers(0, 65536, (5, 7)).astype(np.uint16)
    mask = read_mask(saved(tmp_path / f"a{suffix}", ids))
    assert mask.dtype == np.uint16
    np.testing.assert_array_equal(mask, ids)


def test_fractions_in_a_float_mask_are_not_cut_off(tmp_path):
    values = np.array([[0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "a.tif", values)), values)


@pytest.mark.parametrize("suffix", EXACT)
def test_a_coloured_mask_gives_rgb(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", RGB, **LOSSLESS.get(suffix, {}))
    np.testing.assert_array_equal(read_mask(path), RGB)


@pytest.mark.parametrize("opacity", [OPAQUE, CLEAR])
def test_a_mask_with_alpha_is_refused(tmp_path, opacity):
    path = saved(tmp_path / "a.png", np.dstack([RGB, opacity]))
    with pytest.raises(ValueError, match=r"mask must hold ids or 8-bit RGB.*mode RGBA.*a\.png"):
        read_mask(path)


def test_a_coloured_mask_of_16_bits_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), RGB.astype(np.uint16) * 257)
    with pytest.raises(ValueError, match=r"8-bit RGB.*3 channels of uint16.*a\.png"):
        read_mask(tmp_path / "a.png")


# -- names and damage ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two words.png", "Übergröße.png", "a#1.png", "道路.png"])
@pytest.mark.parametrize("as_text", [True, False])
def test_any_name_will_do(tmp_path, name, as_text):
    path = saved(tmp_path / name, IDS)
    path = str(path) if as_text else path
    np.testing.assert_array_equal(read_image(path)[..., 0], IDS)
    np.testing.assert_array_equal(read_mask(path), IDS)


READERS = pytest.mark.parametrize("read", [read_image, read_mask])


@READERS
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nowhere\.png"):
        read(tmp_path / "nowhere.png")


@READERS
def test_a_folder_is_no_file(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read(tmp_path)


@READERS
def test_an_empty_file_is_named(tmp_path, read):
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match=r"the file is empty \(0 bytes\): .*a\.png"):
        read(tmp_path / "a.png")


@READERS
def test_a_file_that_is_no_picture_is_named(tmp_path, read):
    (tmp_path / "a.png").write_text("ids: 0 1 2")
    with pytest.raises(ValueError, match=r"damaged or no picture: .*a\.png"):
        read(tmp_path / "a.png")


@READERS
def test_a_picture_too_large_to_be_true_is_named(tmp_path, read):
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, 60000, 60000, 1, 24, *[0] * 6
    )
    (tmp_path / "bomb.bmp").write_bytes(header + bytes(100))
    with pytest.raises(ValueError, match=r"bomb\.bmp \(.*3600000000 pixels"):
        read(tmp_path / "bomb.bmp")


def test_a_picture_above_opencvs_limit_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", RGB)

    def refuse(*_):
        raise cv2.error("pixels <= CV_IO_MAX_IMAGE_PIXELS")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    with pytest.raises(ValueError, match=r"can't be decoded: .*a\.png \(.*MAX_IMAGE_PIXELS"):
        read_image(path)


def thumbnail_jpeg():
    """A JPEG whose header holds a whole small JPEG, as cameras write it."""
    exif = Image.Exif()
    exif[0x927C] = encoded(smooth(8, 8), "jpeg")
    data = encoded(smooth(), "jpeg", exif=exif)
    assert data.count(b"\xff\xd9") == 2
    return data


NOISE = RNG.integers(0, 256, (24, 32, 3), dtype=np.uint8)
NOISY_IDS = RNG.integers(0, 9, (24, 32), dtype=np.uint8)


def palette_png():
    file = io.BytesIO()
    saved_palette(file, NOISY_IDS, format="png")
    return file.getvalue()


WHOLE = {
    "noise.png": encoded(NOISE, "png"),
    "palette.png": palette_png(),
    "ids.png": encoded(NOISY_IDS, "png"),
    "noise.jpg": encoded(NOISE, "jpeg"),
    "progressive.jpg": encoded(NOISE, "jpeg", progressive=True),
    "thumbnail.jpg": thumbnail_jpeg(),
    "noise.webp": encoded(NOISE, "webp"),
    "noise.bmp": encoded(NOISE, "bmp"),
    "noise.tif": encoded(NOISE, "tiff"),
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


def identical_or_named(read, path, data, expected):
    """The picture of the whole file, or an error that names the file; which of the two."""
    path.write_bytes(data)
    try:
        array = read(path)
    except ValueError as error:
        if path.name not in str(error):
            raise
        return "error"
    np.testing.assert_array_equal(array, expected)
    return "identical"


@pytest.mark.filterwarnings("ignore:Truncated File Read:UserWarning:PIL")
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning:PIL")
@pytest.mark.parametrize("read", [read_image, read_mask])
@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_a_truncated_file_is_an_error_that_names_it_never_half_a_picture(scratch, name, read, data):
    whole = WHOLE[name]
    (scratch / name).write_bytes(whole)
    expected = read(scratch / name)
    # Around the end, where the picture is all there, and anywhere.
    cut = data.draw(st.integers(1, len(whole) - 1) | st.integers(len(whole) - 40, len(whole) - 1))
    verdict = identical_or_named(read, scratch / name, whole[:cut], expected)
    if cut < len(whole) - 16:  # a PNG's last 12 bytes hold no pixel
        assert verdict == "error"


def test_a_jpeg_cut_behind_its_thumbnail_is_an_error(scratch):
    whole = WHOLE["thumbnail.jpg"]
    pixels = whole.rindex(b"\xff\xda") + 14  # behind the header of the scan
    path = scratch / "cut.jpg"
    for cut in range(pixels, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"truncated \(the JPEG's end is missing\).*cut\.jpg"):
            read_image(path)


def test_data_behind_the_end_of_a_jpeg_and_fill_bytes_before_a_marker_do_no_harm(tmp_path):
    whole = WHOLE["noise.jpg"]
    expected = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    (tmp_path / "tail.jpg").write_bytes(whole + b"camera data" * 10)
    np.testing.assert_array_equal(read_image(tmp_path / "tail.jpg"), expected)
    (tmp_path / "fill.jpg").write_bytes(whole[:2] + b"\xff\xff" + whole[2:])
    np.testing.assert_array_equal(read_image(tmp_path / "fill.jpg"), expected)


def damaged(whole, rng):
    """A few flipped bits, a cut, a hole, or bytes of something else."""
    data = bytearray(whole)
    kind = rng.integers(4)
    at = int(rng.integers(len(data)))
    if kind == 0:
        for i in rng.integers(0, len(data), 3):
            data[i] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at : at + 5]
    else:
        data[at : at + 4] = rng.bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "read"),
    [("noise.png", read_image), ("ids.png", read_mask), ("palette.png", read_mask)],
)
def test_of_100_damaged_pngs_each_is_identical_or_named(scratch, name, read):
    whole = WHOLE[name]
    (scratch / name).write_bytes(whole)
    expected = read(scratch / name)
    rng = np.random.default_rng(3)
    verdicts = [
        identical_or_named(read, scratch / name, damaged(whole, rng), expected) for _ in range(100)
    ]
    assert verdicts.count("error") > 80


def test_the_check_for_half_pictures_can_fail(scratch):
    """OpenCV by itself gives what it has of a JPEG file, the rest grey."""
    whole = encoded(np.tile(NOISE, (8, 8, 1)), "jpeg")
    (scratch / "whole.jpg").write_bytes(whole)
    careless = lambda path: cv2.imread(str(path))  # noqa: E731
    expected = careless(scratch / "whole.jpg")
    with pytest.raises(AssertionError, match="not equal"):
        identical_or_named(careless, scratch / "half.jpg", whole[: len(whole) // 2], expected)
