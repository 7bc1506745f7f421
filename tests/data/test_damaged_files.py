"""reading: of a damaged file, the whole picture or an error that names it, never half a picture."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import damage
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import encoded, saved_palette, smooth
from PIL import Image

from semseg.classes import ClassMap
from semseg.data import from_folders, write_records
from semseg.data.reading import UnreadableFileError, read_image, read_mask
from semseg.data.transforms import Flip

RNG = np.random.default_rng(0)


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


@pytest.mark.parametrize(
    "ask",
    [
        lambda ds, folder: ds[1],
        lambda ds, folder: ds.pipeline(2, shuffle=False),
        lambda ds, folder: list(ds.batches(1)),
        lambda ds, folder: list(ds.batch_source(1)),
        lambda ds, folder: ds.pipeline(2, cache="ram", shuffle=False, augment=Flip()),
        lambda ds, folder: write_records(ds, folder / "records"),
    ],
)
def test_a_damaged_file_keeps_its_type_and_its_fault_on_every_way(tmp_path, ask):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("0", "1"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(WHOLE["noise.jpg"])
        (tmp_path / "masks" / f"{name}.png").write_bytes(WHOLE["ids.png"])
    ds = from_folders(tmp_path / "images", tmp_path / "masks", ClassMap(list("abcdefghi")))
    for name in ("0", "1"):
        (tmp_path / "images" / f"{name}.jpg").write_bytes(WHOLE["noise.jpg"][:-100])
    with pytest.raises(
        UnreadableFileError, match=r"^sample '[01]' of 'images' \(files .*\): the f"
    ) as e:
        ask(ds, tmp_path)
    assert e.value.fault == "truncated"


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


# -- every kind of damage ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(scratch):
    return damage.expectations(scratch)


@pytest.mark.parametrize("kind", damage.KINDS, ids=lambda kind: kind.__name__)
@given(name=st.sampled_from(list(damage.WHOLE)), seed=st.integers(0, 2**32 - 1))
def test_a_damaged_file_is_identical_or_named_whatever_happened_to_it(
    scratch, expected, kind, name, seed
):
    data = kind(name, np.random.default_rng(seed))
    damage.check(scratch, name, data, damage.KINDS[kind], expected)


@pytest.mark.slow
def test_of_2000_damaged_files_none_crashes_hangs_or_deceives(tmp_path):
    """In a process of its own, which a crash would end and a hang would keep."""
    done = subprocess.run(
        [sys.executable, damage.__file__, str(tmp_path), "2000", "7"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    tally = json.loads(done.stdout)
    assert sum(tally.values()) == 2000
    for kind in ("truncated", "of_zeros", "of_random_bytes"):
        assert {came for came in tally if came.startswith(kind)} == {f"{kind}: error"}


def test_the_check_of_damage_notices_another_array_and_an_error_without_a_name(
    tmp_path, monkeypatch
):
    expected = damage.expectations(tmp_path)
    cut = damage.WHOLE["noise.jpg"][:-200]
    careless = lambda path: cv2.imread(str(path))  # noqa: E731
    monkeypatch.setattr(damage, "readers_of", lambda name: (careless,))
    expected[damage.WHOLE["noise.jpg"], careless] = damage.NOISE
    with pytest.raises(AssertionError, match=r"noise\.jpg gives another array in silence"):
        damage.check(tmp_path, "noise.jpg", cut, True, expected)

    def nameless(path):
        raise ValueError("damaged")

    monkeypatch.setattr(damage, "readers_of", lambda name: (nameless,))
    with pytest.raises(AssertionError, match="does not name"):
        damage.check(tmp_path, "noise.jpg", cut, True, expected)
