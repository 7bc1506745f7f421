"""A picture larger than the memory: predicted in tiles from a file into a file, equal to the whole.

    python examples/large_image.py                                 # makes picture and model first
    python examples/large_image.py --picture scan.npy --model model.keras

Interrupted at any time, even by `kill -9`, the same command goes on with the first tile that is
missing. The folder of the run then holds mask.npy (and mask.tif, if `pip install tifffile` was
run), reduced.png, the first pixel of many, and detail.png, the upper left at full size.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
import keras
import numpy as np

import semseg
from semseg.training import Recipe, train

try:
    import resource
except ImportError:  # Windows
    resource = None
try:
    import tifffile
except ImportError:
    tifffile = None

NETWORK = {"depth": 3, "filters": 8}


def assemble(path: Path, size: tuple[int, int]) -> None:
    """A picture (height, width, 3) in a file, of scenes with figures; one scene is in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    picture = np.lib.format.open_memmap(half, "w+", np.uint8, (*size, 3))
    scenes = semseg.data.shapes("test", size=(256, 256))
    for number, (row, column) in enumerate(np.ndindex(-(-size[0] // 256), -(-size[1] // 256))):
        place = picture[256 * row : 256 * (row + 1), 256 * column : 256 * (column + 1)]
        place[:] = scenes[number % len(scenes)][0][: place.shape[0], : place.shape[1]]
    half.replace(path)


def trained(out: Path, steps: int) -> keras.Model:
    """A small U-Net for the figures."""
    changes = {"steps": steps, "steps_per_epoch": steps, "warmup": steps // 10}
    recipe = Recipe(model_arguments=NETWORK, learning_rate=6e-3, **changes)
    return train(semseg.data.shapes(count=4 * steps), recipe, out).model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help=".npy file; default: one is made")
    parser.add_argument("--model", type=Path, help=".keras file; default: one is trained")
    parser.add_argument("--out", type=Path, default=Path("outputs/large"))
    parser.add_argument("--size", type=int, nargs=2, default=(3072, 4096), metavar="PIXELS")
    parser.add_argument("--tile", type=int, default=512, help="side of the windows")
    parser.add_argument("--steps", type=int, default=400, help="of the training")
    args = parser.parse_args()
    model = semseg.models.load(args.model) if args.model else trained(args.out, args.steps)
    file = args.picture or args.out / "picture_{}x{}.npy".format(*args.size)
    if not args.picture and not file.exists():
        assemble(file, args.size)
    picture = np.load(file, mmap_mode="r")  # a TIFF, zarr, ...: docs/predict.md
    size, start = picture.shape[:2], time.perf_counter()
    plan = semseg.inference.plan_tiles(model, size, tile=args.tile)
    print(f"{size[0]} x {size[1]} pixels, {picture.nbytes / 1e6:.0f} MB on disk; {plan}")
    mask = semseg.inference.predict_tiled(model, picture, tile=args.tile, out=args.out / "mask.npy")
    tile, whole = (semseg.analysis.cost(model, s).peak_bytes / 1e6 for s in (plan.tile, size))
    print(
        f"{time.perf_counter() - start:.0f} s. The model holds {tile:,.0f} MB of activations for a "
        f"tile, {whole:,.0f} MB for the picture in one piece"
    )
    if resource:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"This process held {peak:,.0f} MB at most, with all that TensorFlow takes")
    # The upper left part in one piece. Below and to the right of it there is more in the picture.
    side, field = 2 * args.tile, semseg.analysis.receptive_field(model)
    part = np.asarray(picture[:side, :side])
    ids = semseg.inference.predict(model, part)[: side - field.after[0], : side - field.after[1]]
    equal = ids == mask[: ids.shape[0], : ids.shape[1]]
    print(f"{equal.sum():,} of {equal.size:,} pixels are those of a part predicted in one piece")

    classes = semseg.models.class_map(model)
    step = -(-max(size) // 1200)
    for name, shown in (("reduced", np.s_[::step, ::step]), ("detail", np.s_[:500, :800])):
        overlay = semseg.viz.draw_overlay(np.asarray(picture[shown]), mask[shown], classes)
        print(f"saved {semseg.viz.save(args.out / f'{name}.png', overlay)}")
    if tifffile:
        tifffile.imwrite(args.out / "mask.tif", mask, tile=(256, 256), compression="zlib")


if __name__ == "__main__":
    main()
