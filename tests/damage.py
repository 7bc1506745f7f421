"""Damaged files of every kind, and the one promise that reading makes about them.

Of a damaged file comes the array of the whole one, or an error that names it: never a crash, a
hang, or another array. Where a format has no checksum, flipped bits are another picture, which
nobody can tell; of those it must only be an error that names the file, or a valid array.

    python tests/damage.py FOLDER COUNT SEED      writes what came of them, as JSON
"""

import collections
import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from image_files import encoded, saved_palette
from PIL import Image

from semseg.data.reading import read_image, read_mask

SIZE = (24, 32)
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
IDS = RNG.integers(0, 9, SIZE, dtype=np.uint8)


def bytes_of(write, *arguments, **options):
    file = io.BytesIO()
    write(file, *arguments, **options)
    return file.getvalue()


WHOLE = {
    "noise.png": encoded(NOISE, "png"),
    "palette.png": bytes_of(saved_palette, IDS, format="png"),
    "ids.png": encoded(IDS, "png"),
    "noise.jpg": encoded(NOISE, "jpeg"),
    "progressive.jpg": encoded(NOISE, "jpeg", progressive=True),
    "noise.webp": encoded(NOISE, "webp"),
    "noise.bmp": encoded(NOISE, "bmp"),
    "noise.tif": encoded(NOISE, "tiff"),
    "pages.tif": encoded(NOISE, "tiff", save_all=True, append_images=[Image.fromarray(NOISE)]),
    "packed.tif": encoded(NOISE, "tiff", compression="tiff_lzw"),
    "ids.npy": bytes_of(np.save, IDS),
    "noise.npy": bytes_of(np.save, NOISE.astype(np.uint16)),
}
try:
    import tifffile
except ImportError:
    pass
else:
    CHANNELS = np.dstack([NOISE, NOISE[..., :2]])
    LAYOUTS = {
        "channels.tif": {},
        "packed_channels.tif": {"compression": "zlib"},
        "tiled_channels.tif": {"compression": "zlib", "tile": (16, 16)},
        "planes_of_channels.tif": {"planarconfig": "separate"},
    }
    for name, layout in LAYOUTS.items():
        stored = np.moveaxis(CHANNELS, -1, 0) if "planes" in name else CHANNELS
        layout = {"planarconfig": "contig", "photometric": "minisblack", **layout}
        WHOLE[name] = bytes_of(tifffile.imwrite, stored, **layout)
    # A file of pages is an error, and none of it is a picture.
    WHOLE["pages_of_channels.tif"] = bytes_of(
        tifffile.imwrite, np.stack([CHANNELS] * 3), photometric="minisblack", planarconfig="contig"
    )

# The limit of pixels refuses the first two; decoders must find out the others.
HUGE, LARGE = [(60_000, 60_000), (65_535, 40_000)], [(2_000, 3_000), (3_000, 32)]
# One row or column more. libtiff fills it up, and of a JPEG the decoder fills up all that lacks.
SLIGHT = [(25, 32), (24, 33)]
SIZES = {".jpg": HUGE, ".tif": HUGE + LARGE}


def is_detected_in(name):
    """Formats whose every bit is under a checksum."""
    return name.endswith(".png")


def truncated(name, rng):
    whole = WHOLE[name]
    return whole[: int(rng.integers(len(whole)))]


def with_flipped_bits(name, rng):
    data = bytearray(WHOLE[name])
    for at in rng.integers(0, len(data), int(rng.integers(1, 4))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data)


def with_a_hole(name, rng):
    data = bytearray(WHOLE[name])
    at = int(rng.integers(len(data)))
    data[at : at + 20] = bytes(len(data[at : at + 20]))
    return bytes(data)


def of_zeros(name, rng):
    return bytes(int(rng.integers(3)) * len(WHOLE[name]))


def of_random_bytes(name, rng):
    return rng.bytes(int(rng.integers(1, 3000)))


def with_a_random_end(name, rng):
    start = WHOLE[name][: int(rng.integers(len(WHOLE[name])))]
    return start + rng.bytes(int(rng.integers(1, 3000)))


def of_another_format(name, rng):
    return WHOLE[str(rng.choice(list(WHOLE)))]


def declaring(name, height, width):
    """The file with another size in its header, checksum and all."""
    data = bytearray(WHOLE[name])
    if name.endswith(".png"):
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif name.endswith(".bmp"):
        data[18:26] = struct.pack("<ii", width, height)
    elif name.endswith(".jpg"):
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    elif name.endswith(".tif"):
        _declare_in_tiff(data, height, width)
    elif name.endswith(".npy"):
        data = data.replace(b"(24, 32", f"({height}, {width}".encode())
        length = data.index(b"\n", 10) + 1 - 10
        data[8:10] = struct.pack("<H", length)
    return bytes(data)


def _declare_in_tiff(data, height, width):
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", data, entry)
        if tag in (256, 257):
            struct.pack_into("<HHI", data, entry, tag, 4, 1)
            struct.pack_into("<I", data, entry + 8, width if tag == 256 else height)


def of_a_huge_size(name, rng):
    sizes = SIZES.get(name[-4:], HUGE + LARGE + SLIGHT)
    return declaring(name, *sizes[int(rng.integers(len(sizes)))])


#: damage -> whether every format shows it
KINDS = {
    truncated: True,
    of_zeros: True,
    of_random_bytes: True,
    of_another_format: True,
    of_a_huge_size: True,
    with_a_random_end: False,
    with_flipped_bits: False,
    with_a_hole: False,
}


def readers_of(name):
    return (read_image, read_mask) if "channels" not in name else (read_image,)


def result(read, path):
    """The array, or the error, which names the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about metadata
        try:
            return read(path)
        except ValueError as error:
            if path.name not in str(error):
                raise AssertionError(f"the error does not name {path}: {error}") from error
            return error


def expectations(folder):
    """What the whole files give; by their bytes, as an extension may be wrong."""
    found = {}
    for name, data in WHOLE.items():
        (folder / name).write_bytes(data)
        for read in (read_image, read_mask):
            found[data, read] = result(read, folder / name)
    return found


def check(folder, name, data, shows, expected):
    """Reads a damaged file; "error", "identical", or "other array" where nothing shows it."""
    path = folder / name
    path.write_bytes(data)
    verdict = "error"
    for read in readers_of(name):
        found = result(read, path)
        if isinstance(found, Exception):
            continue
        whole = expected[data if (data, read) in expected else WHOLE[name], read]
        if np.array_equal(found, whole) and found.dtype == whole.dtype:
            verdict = "identical"
        elif shows or is_detected_in(name):
            raise AssertionError(f"{path} gives another array in silence ({read.__name__})")
        else:
            assert found.ndim in (2, 3) and found.size and found.dtype.kind in "buif"
            verdict = "other array"
    return verdict


def run(folder, count, seed=0):
    """Reads `count` damaged files; what came of them."""
    expected = expectations(folder)
    rng = np.random.default_rng(seed)
    names, kinds = list(WHOLE), list(KINDS)
    tally = collections.Counter()
    for number in range(count):
        name, kind = names[number % len(names)], kinds[number // len(names) % len(kinds)]
        data = kind(name, rng)
        sys.stderr.write(f"{number} {name} {kind.__name__}\n")  # the last line before a crash
        tally[kind.__name__, check(folder, name, data, KINDS[kind], expected)] += 1
    return {f"{kind}: {verdict}": n for (kind, verdict), n in sorted(tally.items())}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
