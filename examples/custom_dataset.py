"""Your own folder of images and masks: read, checked, looked at, split, trained on, predicted.

    python examples/custom_dataset.py                                  # makes a small folder first
    python examples/custom_dataset.py --images DIR --masks DIR    # CLASSES and SIZE below changed

An image and its mask have the same name: images/17.jpg and masks/17.png. Where yours differ,
docs/your_data.md has the call. The folder of the run then holds samples.png, predictions.png,
overlay.png, model.keras, run.json and scores.json; started again, it goes on where it was (after
a change of the program it wants another --out).
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
import cv2
import numpy as np

import semseg

# What the pixels of your masks mean: here 0 and 255. Change this; docs/start.md has more forms.
CLASSES = semseg.ClassMap(["background", "coin"], remap={255: 1})
SIZE = (96, 128)  # (height, width) that the model sees; photographs: (384, 512)
NETWORK = {"depth": 3, "filters": 16}


def make_folder(root: Path, count: int = 40) -> tuple[Path, Path]:
    """Pictures of coins on a table, as a stand-in for yours."""
    for folder in (images := root / "images", masks := root / "masks"):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        image = np.full((120, 160, 3), rng.integers(60, 140, 3), np.uint8)
        mask = np.zeros((120, 160), np.uint8)
        for _ in range(rng.integers(3, 8)):
            place = tuple(int(n) for n in rng.integers(0, (160, 120)))
            radius, metal = int(rng.integers(9, 20)), int(rng.integers(130, 230))
            cv2.circle(image, place, radius, (metal // 2, metal - 20, metal), -1, cv2.LINE_AA)
            cv2.circle(mask, place, radius, 255, -1)
        noisy = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(images / f"{number:02d}.jpg"), noisy)
        cv2.imwrite(str(masks / f"{number:02d}.png"), mask)
    return images, masks


def save(path: Path, picture: np.ndarray) -> None:
    print(f"saved {semseg.viz.save(path, picture)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="your pictures; default: some are made")
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--out", type=Path, default=Path("outputs/custom"))
    parser.add_argument("--epochs", type=int, default=25)
    args = parser.parse_args()
    if (args.images is None) != (args.masks is None):
        parser.error("--images and --masks go together")
    images, masks = (args.images, args.masks) if args.images else make_folder(args.out / "data")

    # 1. Read. 2. Check: the report names what is wrong and what mends it. 3. Look.
    ds = semseg.data.from_folders(images, masks, CLASSES)
    report = ds.check()
    print(f"{ds}\n\n{report}\n")
    save(args.out / "samples.png", semseg.viz.draw_grid(ds, report=report))
    if report.worst == "certain":
        sys.exit("mend this first: what is trained on it would be wrong")

    # 4. Split: a quarter is kept aside. Pictures of one film or patient belong together: groups=.
    train, val = ds.split((0.75, 0.25))

    # 5. Train. semseg.training.plan(train, minutes=30, out=args.out) chooses this for your data.
    per_epoch = -(-len(train) // 4)
    recipe = semseg.training.Recipe(
        model="unet",
        model_arguments=NETWORK,
        size=SIZE,
        augmentation="light",
        batch=4,
        steps=args.epochs * per_epoch,
        steps_per_epoch=per_epoch,
        warmup=args.epochs * per_epoch // 10,
    )
    run = semseg.training.train(train, recipe, args.out, validation=val)
    print(f"\n{len(val)} pictures that were kept aside:\n{run.scores}\n")

    model = semseg.models.load(args.out / "model.keras")  # 6. Predict, as another program would.
    shown, truths = zip(*(val[i] for i in range(min(4, len(val)))), strict=True)
    predicted = semseg.inference.predict(model, list(shown), size=recipe.size)
    panel = semseg.viz.draw_comparison(shown, truths, predicted, CLASSES)
    save(args.out / "predictions.png", panel)
    ids = semseg.inference.predict(model, val.paths(0)[0], size=recipe.size)  # any file
    save(args.out / "overlay.png", semseg.viz.draw_overlay(shown[0], ids, CLASSES))


if __name__ == "__main__":
    main()
