"""Chooses the recipes of `semseg.training.recipe` on validation data.

    python benchmarks/recipes.py --only digits/unet
    python benchmarks/recipes.py --data DIR            # the nuclei and CamVid too

Each recipe has a few candidates that differ in one thing from the first. All are trained with the
first seed; the best by mean IoU on validation data, on the small sets, with two seeds more. Test
data decide nothing: they score the winner. Trainings go on where they were stopped, and a finished
one is not repeated: `results/recipes.json` has a row for each.
"""

import argparse
import dataclasses
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import harness

import semseg
from semseg.data import Dataset
from semseg.training import Recipe, train

RESULTS = harness.RESULTS / "recipes.json"
SEEDS = (0, 1, 2)


class Task(NamedTuple):
    """One recipe to choose: its data, and candidates of which the first is the starting point."""

    sets: Callable[[Path | None], tuple[Dataset, Dataset, Dataset]]
    candidates: dict[str, Recipe]


def varied(first: Recipe, **others: dict[str, Any]) -> dict[str, Recipe]:
    """The first recipe as it is, and with each of the others' changes."""
    changed = {name: dataclasses.replace(first, **change) for name, change in others.items()}
    return {"first": first, **changed}


def digits(_: Path | None) -> tuple[Dataset, Dataset, Dataset]:
    """As many scenes as 900 steps of 4 see once."""
    made = semseg.data.digits
    return made("train", count=3600), made("val", count=100), made("test", count=100)


def nuclei(root: Path | None) -> tuple[Dataset, Dataset, Dataset]:
    """A fifth of the training pictures is held out."""
    assert root is not None
    train, val = semseg.data.nuclei(root / "nuclei").split((0.8, 0.2), seed=0)
    return train, val, semseg.data.nuclei(root / "nuclei", "test")


def camvid(root: Path | None) -> tuple[Dataset, Dataset, Dataset]:
    """The split of the SegNet paper."""
    assert root is not None
    train, val, test = (semseg.data.camvid(root / "camvid", s) for s in ("train", "val", "test"))
    return train, val, test


SUMMED = {"Crossentropy": 1.0, "Dice": 0.5}
SMALL_UNET = {"depth": 3, "filters": 16}
DIGITS = Recipe(model_arguments=SMALL_UNET, learning_rate=6e-3, warmup=60)
DIGITS_SEGNET = Recipe(
    model="segnet_basic", model_arguments={"filters": 32}, learning_rate=6e-3, warmup=60
)
DIGITS_FCN = Recipe(
    model="fcn8s",
    model_arguments={"encoder": "mobilenetv2", "fc_units": 128},
    learning_rate=3e-3,
    warmup=60,
)
NUCLEI = Recipe(
    model_arguments={**SMALL_UNET, "norm": "group"}, crop=(192, 192), augmentation="medical",
    batch=2, steps=400, learning_rate=3e-3, warmup=40, loss=SUMMED,
)  # fmt: skip
CAMVID = Recipe(
    model_arguments={"depth": 4, "filters": 12}, size=(180, 240), augmentation="light",
    steps=920, steps_per_epoch=92, class_weights="root_inverse", warmup=60,
)  # fmt: skip

TASKS = {
    "digits/unet": Task(
        digits,
        varied(DIGITS, slower={"learning_rate": 3e-3}, summed={"loss": SUMMED}, ema={"ema": 0.99}),
    ),
    "digits/segnet_basic": Task(
        digits,
        varied(
            DIGITS_SEGNET,
            summed={"loss": SUMMED},
            faster={"loss": SUMMED, "learning_rate": 1.2e-2},
            weighted={"loss": SUMMED, "class_weights": "root_inverse"},
        ),
    ),
    "digits/fcn8s": Task(
        digits,
        varied(
            DIGITS_FCN,
            slower={"learning_rate": 1e-3},
            faster={"learning_rate": 6e-3},
        ),
    ),
    "nuclei/unet": Task(
        nuclei,
        varied(
            NUCLEI,
            light={"augmentation": "light"},
            batch_norm={"model_arguments": SMALL_UNET},
        ),
    ),
    "camvid/unet": Task(
        camvid,
        varied(CAMVID, none={"augmentation": None}, street={"augmentation": "street"}),
    ),
    "camvid/segnet_basic": Task(
        camvid,
        varied(
            dataclasses.replace(CAMVID, model="segnet_basic", model_arguments={"filters": 16}),
            none={"augmentation": None},
        ),
    ),
}


def measured(name: str, recipe: Recipe, data: Path | None, folder: Path) -> dict[str, Any]:
    """Trains and scores; what was trained in an earlier run is not timed again."""
    sets = TASKS[name].sets(data)
    begun = time.perf_counter()
    run = train(sets[0], recipe, folder, validation=sets[1], verbose=2)
    seconds = time.perf_counter() - begun
    test = semseg.inference.score(run.model, sets[2], size=recipe.size, batch_size=recipe.batch)
    assert run.scores is not None
    return {
        "val_mean_iou": run.scores["mean_iou"],
        "test_mean_iou": test["mean_iou"],
        "test_pixel_accuracy": test["pixel_accuracy"],
        "minutes": seconds / 60,
        "peak_mb": harness.peak_memory(),
    }


def best(rows: list[dict[str, Any]], name: str) -> str:
    """The candidate with the best mean IoU on validation data, with the first seed."""
    own = [row for row in rows if row["recipe"] == name and row["seed"] == SEEDS[0]]
    return max(own, key=lambda row: row["val_mean_iou"])["candidate"]


def choose(name: str, rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Adds the rows of one recipe that are missing, writing each as it comes."""
    task = TASKS[name]

    def add(candidate: str, seed: int) -> None:
        key = {"recipe": name, "candidate": candidate, "seed": seed}
        if harness.has_row(rows, key):
            return
        recipe = dataclasses.replace(task.candidates[candidate], seed=seed)
        if args.steps:
            short = {"steps": args.steps, "steps_per_epoch": args.steps, "warmup": 1}
            recipe = dataclasses.replace(recipe, **short)
        folder = args.out / name.replace("/", "-") / f"{candidate}-{seed}"
        print(f"{name}, {candidate}, seed {seed}", flush=True)
        found = harness.in_own_process(measured, name, recipe, args.data, folder)
        row = {**key, **found, "fields": recipe.to_dict(), **harness.circumstances()}
        harness.add_row(args.results, rows, row)
        shutil.rmtree(folder)

    for candidate in task.candidates:
        add(candidate, SEEDS[0])
    for seed in SEEDS[1 : 1 if name.startswith("camvid/") else args.seeds]:
        add(best(rows, name), seed)


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the seeds, a line a candidate."""
    lines = []
    for name in dict.fromkeys(row["recipe"] for row in rows):
        for candidate in TASKS[name].candidates:
            own = [r for r in rows if (r["recipe"], r["candidate"]) == (name, candidate)]
            if not own:
                continue
            values = [row["val_mean_iou"] for row in own]
            lines.append(
                {
                    "recipe": name,
                    "candidate": candidate,
                    "seeds": len(own),
                    "val mIoU": statistics.mean(values),
                    "spread": max(values) - min(values),
                    "test mIoU": statistics.mean(row["test_mean_iou"] for row in own),
                    "minutes": statistics.mean(row["minutes"] for row in own),
                    "peak MB": max(row["peak_mb"] for row in own),
                }
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=TASKS, nargs="+", default=None)
    parser.add_argument("--data", type=Path, help="folder with nuclei/ and camvid/")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="fewer, to try the script")
    parser.add_argument("--out", type=Path, default=Path("outputs/recipes"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.steps and args.results == RESULTS:
        parser.error("--steps makes rows that are no results: give --results another file")
    rows = harness.stored_rows(args.results)
    for name in args.only or TASKS:
        if args.data is None and not name.startswith("digits/"):
            continue
        choose(name, rows, args)
    harness.show(table(rows))


if __name__ == "__main__":
    main()
