"""`semseg.training.plan` beside the recipes that were made by hand, with the same minutes.

    python benchmarks/plans.py --data DIR

The budget is the mean time that the winning candidate of `results/recipes.json` took. Each seed
plans anew, so that the machine's moods count. A finished training is not repeated:
`results/plans.json` has a row for each. Run it alone on the machine.
"""

import argparse
import dataclasses
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import harness
import recipes

import semseg
from semseg.training import plan, train

RESULTS = harness.RESULTS / "plans.json"
NAMES = ("digits/unet", "nuclei/unet")


def by_hand(name: str) -> list[dict[str, Any]]:
    """The rows of the recipe that won: the best mean of the candidates with every seed."""
    rows = [r for r in harness.stored_rows(recipes.RESULTS) if r["recipe"] == name]
    whole = [
        [row for row in rows if row["candidate"] == candidate]
        for candidate in {row["candidate"] for row in rows}
    ]
    return max(
        (own for own in whole if len(own) == len(recipes.SEEDS)),
        key=lambda own: statistics.mean(row["val_mean_iou"] for row in own),
    )


def planned(
    name: str, seed: int, minutes: float, data: Path | None, folder: Path
) -> dict[str, Any]:
    """Plans and trains in `minutes`, then scores on the validation data of the recipes."""
    train_set, val, _ = recipes.TASKS[name].sets(data)
    begun = time.perf_counter()
    chosen = dataclasses.replace(plan(train_set, name.split("/")[1], minutes=minutes), seed=seed)
    planning = time.perf_counter() - begun
    print(chosen, flush=True)
    promised = harness.peak_memory()
    begun = time.perf_counter()
    run = train(train_set, chosen, folder, verbose=2)
    seconds = time.perf_counter() - begun
    peak = harness.peak_memory()
    scores = semseg.inference.score(run.model, val, size=chosen.size, batch_size=chosen.batch)
    return {
        "val_mean_iou": scores["mean_iou"],
        "minutes_promised": minutes,
        "minutes": seconds / 60,
        "minutes_of_the_plan": planning / 60,
        "peak_mb_promised": promised,
        "peak_mb": peak,
        "fields": chosen.to_dict(),
    }


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line a data set."""
    lines = []
    for name in dict.fromkeys(row["recipe"] for row in rows):
        own = [row for row in rows if row["recipe"] == name]
        hand = [row["val_mean_iou"] for row in by_hand(name)]
        lines.append(
            {
                "data and model": name,
                "by hand": " ".join(f"{value:.3f}" for value in hand),
                "plan": " ".join(f"{row['val_mean_iou']:.3f}" for row in own),
                "minutes promised": own[0]["minutes_promised"],
                "minutes": " ".join(f"{row['minutes']:.1f}" for row in own),
                "memory promised": max(row["peak_mb_promised"] for row in own),
                "peak MB": max(row["peak_mb"] for row in own),
            }
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=NAMES, nargs="+", default=NAMES)
    parser.add_argument("--data", type=Path, help="folder with nuclei/")
    parser.add_argument("--minutes", type=float, help="another budget, to try the script")
    parser.add_argument("--out", type=Path, default=Path("outputs/plans"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    rows = harness.stored_rows(args.results)
    for name in args.only:
        minutes = args.minutes or statistics.mean(row["minutes"] for row in by_hand(name))
        for seed in recipes.SEEDS:
            key = {"recipe": name, "seed": seed}
            if harness.has_row(rows, key):
                continue
            folder = args.out / name.replace("/", "-") / str(seed)
            shutil.rmtree(folder, ignore_errors=True)
            found = harness.in_own_process(planned, name, seed, minutes, args.data, folder)
            row = {**key, **found, **harness.circumstances()}
            harness.add_row(args.results, rows, row)
            shutil.rmtree(folder)
    harness.show(table(rows))


if __name__ == "__main__":
    main()
