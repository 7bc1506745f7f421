"""Which loss is best for your data: three of them, the same network, the same steps.

    python examples/loss_choice.py                                # generated scenes, a rare class
    python examples/loss_choice.py --images data/images --masks data/masks --classes sky road sign

trains a small U-Net with each loss from the same weights on the same batches, and prints the
scores on pictures that were kept back. One seed says little: run it again with `--seed 1` before
you believe a difference.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
import keras

import semseg
from semseg.data.transforms import Flip, RandomCrop
from semseg.losses import Crossentropy, Tversky

BATCH, CROP = 4, (64, 64)
NETWORK = {"depth": 3, "filters": 16}


def losses(ds: semseg.data.Dataset) -> dict[str, keras.losses.Loss]:
    """What to compare: change this list. A ClassMap gives a loss the ignored label."""
    names = {"class_map": ds.class_map}
    return {
        "crossentropy": Crossentropy(**names),
        # Where they cost the other classes too much, take their root: ** 0.5.
        "weighted": Crossentropy(**names, class_weights=ds.class_weights(absent=1.0)),
        "tversky": Tversky(**names),
    }


def train(
    ds: semseg.data.Dataset, loss: keras.losses.Loss, steps: int, rate: float, seed: int
) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = semseg.models.UNet(class_map=ds.class_map, **NETWORK)
    warmup = steps // 15
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=rate, warmup_steps=warmup
    )
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=1e-4), loss)
    augment = [Flip(), RandomCrop(CROP, balanced=True)]
    batches = ds.pipeline(BATCH, augment=augment, repeat=True, seed=seed)
    model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=2)
    return model


def data(args: argparse.Namespace) -> tuple[semseg.data.Dataset, semseg.data.Dataset]:
    """What is trained on, and what is kept back."""
    if args.images is None:
        return semseg.data.shapes("train", args.scenes), semseg.data.shapes("val", args.scenes // 5)
    class_map = semseg.ClassMap(args.classes, ignore_class=args.ignore_class)
    own = semseg.data.from_folders(args.images, args.masks, class_map)
    train_part, kept_back = own.split((0.8, 0.2))
    return train_part, kept_back


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="folder of pictures; default: data.shapes")
    parser.add_argument("--masks", type=Path, help="folder of masks of the same names")
    parser.add_argument("--classes", nargs="+", default=["background", "object"])
    parser.add_argument("--ignore-class", type=int)
    parser.add_argument("--scenes", type=int, default=1000, help="generated ones (default 1000)")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--rate", type=float, default=6e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    ds, kept_back = data(args)
    for name, loss in losses(ds).items():
        start = time.perf_counter()
        model = train(ds, loss, args.steps, args.rate, args.seed)
        seconds = time.perf_counter() - start
        scores = semseg.inference.score(model, kept_back)
        print(f"\n{name}, {seconds:.0f} s: {loss}\n{scores}\n", flush=True)


if __name__ == "__main__":
    main()
