"""A folder of records, damaged in every way, and the one promise that reading makes about it.

Every sample is the one that was written, or an error that names the damaged file; and `verify`
finds whatever was damaged. Never a crash, a hang, or another sample.

    python tests/record_damage.py FOLDER COUNT SEED      writes what came of them, as JSON
"""

import collections
import json
import sys
from pathlib import Path

import numpy as np
from image_files import encoded, saved_palette, smooth

from semseg.classes import ClassMap
from semseg.data import Dataset, from_pairs, read_records, write_records

CELLS = ClassMap(["background", "cell"], ignore_class=255, remap={7: 255})


def exif(orientation):
    from PIL import Image

    header = Image.Exif()
    header[274] = orientation
    return header


def files_of_all_kinds(folder, channels=None) -> Dataset:
    """A data set of files in all formats that are read, some turned, with masks of all kinds."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    contents = {
        "colour.jpg": encoded(smooth(), "jpeg"),
        "turned.jpg": encoded(smooth(32, 24), "jpeg", exif=exif(6)),
        "grey.jpg": encoded(noise[..., 0], "jpeg"),
        "colour.png": encoded(noise, "png"),
        "opaque.png": encoded(np.dstack([noise, np.full((24, 32), 255, np.uint8)]), "png"),
        "deep.png": encoded(noise[..., 0].astype(np.uint16) * 257, "png"),
        "colour.webp": encoded(noise, "webp"),
        "colour.bmp": encoded(noise, "bmp"),
        "colour.tif": encoded(noise, "tiff"),
        "float.tif": encoded(noise[..., 0].astype(np.float32) / 7, "tiff"),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    saved_palette(folder / "palette.png", noise[..., 0])
    if channels is None:
        np.save(folder / "many.npy", np.dstack([noise, noise]).astype(np.float32))
    images = sorted(folder.glob("*.*"))
    (folder / "masks").mkdir()
    ids = np.array([0, 1, 7], np.uint8)[rng.integers(0, 3, (24, 32))]
    masks = []
    for number, image in enumerate(images):
        masks.append(folder / "masks" / f"{image.name}.png")
        mask = np.roll(ids, number)
        if number % 2:
            saved_palette(masks[-1], mask)
        else:
            masks[-1].write_bytes(encoded(mask, "png"))
    pairs = list(zip(images, masks, strict=True))
    return from_pairs(pairs, CELLS, encoding="ids", channels=channels, name="cells")


# -- damage --------------------------------------------------------------------------------------


def truncated(data, rng):
    return data[: int(rng.integers(len(data)))]


def with_flipped_bits(data, rng):
    data = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 4))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data)


def with_a_hole(data, rng):
    at = int(rng.integers(len(data)))
    return data[:at] + bytes(len(data[at : at + 20])) + data[at + 20 :]


def with_bytes_cut_out(data, rng):
    at = int(rng.integers(len(data)))
    return data[:at] + data[at + int(rng.integers(1, 50)) :]


def with_bytes_put_in(data, rng):
    at = int(rng.integers(len(data)))
    return data[:at] + rng.bytes(int(rng.integers(1, 50))) + data[at:]


def with_two_parts_exchanged(data, rng):
    a, b, c = sorted(int(i) for i in rng.integers(0, len(data), 3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def with_a_random_end(data, rng):
    start = data[: int(rng.integers(len(data)))]
    return start + rng.bytes(len(data) - len(start))


def twice(data, rng):
    return data + data


def of_zeros(data, rng):
    return bytes(int(rng.integers(2)) * len(data))


def of_random_bytes(data, rng):
    return rng.bytes(int(rng.integers(1, 3000)))


def missing(data, rng):
    return None


KINDS = (
    truncated, with_flipped_bits, with_a_hole, with_bytes_cut_out, with_bytes_put_in,
    with_two_parts_exchanged, with_a_random_end, twice, of_zeros, of_random_bytes, missing,
)  # fmt: skip


def written(folder, shards=3, images="encoded"):
    """A folder of records, its files' bytes, and its samples."""
    ds = files_of_all_kinds(folder / "files")
    write_records(ds, folder / "records", shards=shards, images=images)
    whole = {path.name: path.read_bytes() for path in (folder / "records").iterdir()}
    return folder / "records", whole, [ds[i] for i in range(len(ds))]


def restore(folder, whole):
    for path in folder.iterdir():
        if path.name not in whole:
            path.unlink()
    for name, data in whole.items():
        (folder / name).write_bytes(data)


def check(folder, file, data, whole, samples, read=read_records):
    """Reads a folder in which one file holds `data`; "identical", "refused" or "named"."""
    restore(folder, whole)
    if data is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(data)
    try:
        ds = read(folder)
    except (ValueError, FileNotFoundError) as error:
        _check_names(error, file)
        return "refused"
    named = 0
    for index, pair in enumerate(samples):
        try:
            found = ds[index]
        except ValueError as error:
            _check_names(error, file)
            named += 1
            continue
        for a, b in zip(found, pair, strict=True):
            if a.dtype != b.dtype or not np.array_equal(a, b):
                raise AssertionError(f"another sample in silence after damage to {file}")
    _check_verify(ds, file, is_damaged=data != whole[file] and file != "index.json")
    return "named" if named else "identical"


def _check_verify(ds, file, is_damaged):
    """That it tells every difference in a shard, also in what only TensorFlow reads."""
    try:
        ds.verify()
    except ValueError as error:
        if not is_damaged:
            raise
        _check_names(error, file)
    else:
        if is_damaged:
            raise AssertionError(f"verify does not find the damage to {file}")


def _check_names(error, file):
    if file not in str(error):
        raise AssertionError(f"the error does not name {file}: {error}") from error


def run(folder, count, seed=0):
    """Reads `count` damaged folders; what came of them."""
    tally = collections.Counter()
    rng = np.random.default_rng(seed)
    for part, images in enumerate(("encoded", "raw", "compressed")):
        records, whole, samples = written(folder / images, images=images)
        files = sorted(whole)
        for number in range(part, count, 3):
            file = files[number // 3 % len(files)]
            kind = KINDS[number // 3 // len(files) % len(KINDS)]
            sys.stderr.write(f"{number} {file} {kind.__name__}\n")  # the last line before a crash
            data = kind(whole[file], rng)
            tally[kind.__name__, check(records, file, data, whole, samples)] += 1
    return {f"{kind}: {verdict}": n for (kind, verdict), n in sorted(tally.items())}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
