"""When augmentation pays: U-Net on CamVid for as long as it takes to learn its pictures by heart.

    python benchmarks/augmentation.py --data DIR --precision mixed_bfloat16

All 367 training pictures at 120x160, sixty times each or, with `--steps 5400`, twice that, without
augmentation and with presets. The score of the pictures that are learnt from, beside that of
validation pictures, says why. A training goes on where it was stopped, and a finished one is not
repeated: `results/augmentation.json` has a row for each.
"""

import argparse
import dataclasses
import os
import shutil
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import harness
import keras

import semseg
from semseg.training import Recipe, train

RESULTS = harness.RESULTS / "augmentation.json"
BASE = Recipe(
    model_arguments={"depth": 4, "filters": 32}, size=(120, 160), batch=8, steps=2700,
    steps_per_epoch=270, class_weights="root_inverse", warmup=60,
)  # fmt: skip
VARIANTS = {name or "none": {"augmentation": name} for name in (None, "street", "light")}


def measured(recipe: Recipe, data: Path, precision: str, folder: Path) -> dict[str, Any]:
    """Trains and scores; the test pictures decide nothing."""
    keras.mixed_precision.set_global_policy(precision)
    sets = [semseg.data.camvid(data / "camvid", split) for split in ("train", "val", "test")]
    begun = time.perf_counter()
    run = train(sets[0], recipe, folder, validation=sets[1], verbose=2)
    minutes = (time.perf_counter() - begun) / 60
    of_train, of_val, of_test = (
        semseg.inference.score(run.model, ds, size=recipe.size, batch_size=recipe.batch)
        for ds in sets
    )
    return {
        "train_mean_iou": of_train["mean_iou"],
        "val_mean_iou": of_val["mean_iou"],
        "test_mean_iou": of_test["mean_iou"],
        "test_pixel_accuracy": of_test["pixel_accuracy"],
        "val_loss": run.history["val_loss"][-1],
        "curve": [round(value, 4) for value in run.history["val_mean_iou"]],
        "minutes": minutes,
        "peak_mb": harness.peak_memory(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with camvid/")
    parser.add_argument("--only", choices=VARIANTS, nargs="+", default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--precision", default="float32", help="mixed_bfloat16 where it is faster")
    parser.add_argument("--steps", type=int, default=BASE.steps, help="of a training")
    parser.add_argument("--out", type=Path, default=Path("outputs/augmentation"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    rows = harness.stored_rows(args.results)
    for seed in range(args.seeds):
        for name in args.only:
            key = {"variant": name, "seed": seed, "steps": args.steps, "precision": args.precision}
            if harness.has_row(rows, key):
                continue
            recipe = dataclasses.replace(
                BASE, **VARIANTS[name], seed=seed, steps=args.steps,
                steps_per_epoch=min(BASE.steps_per_epoch, args.steps),
            )  # fmt: skip
            folder = args.out / f"{name}-{seed}-{args.steps}"
            print(f"{name}, seed {seed}", flush=True)
            found = harness.in_own_process(measured, recipe, args.data, args.precision, folder)
            row = {**key, **found, "fields": recipe.to_dict(), **harness.circumstances()}
            harness.add_row(args.results, rows, row)
            shutil.rmtree(folder)
    shown = ("variant", "steps", "seed", "train_mean_iou", "val_mean_iou", "test_mean_iou")
    harness.show([{column: row[column] for column in shown} for row in rows])


if __name__ == "__main__":
    main()
