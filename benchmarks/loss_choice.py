"""One small U-Net, one imbalanced set, one budget: what each loss makes of it.

    python benchmarks/loss_choice.py            # all trainings, then the seconds of a step
    python benchmarks/loss_choice.py --steps 50 --seeds 0 --out /tmp/try.json

Every loss trains at three peak learning rates on the first seed. The one with the best mean IoU on
validation scenes is its own, and the other seeds are trained at that. The scores are of test
scenes, which decide nothing. A result is written as soon as it is there, and what the file holds
is not trained again. `docs/which_loss_drawing.py` makes the page's picture and table from it.
"""

import argparse
import json
import os
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import harness
import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import distance_transform_edt

import semseg
from semseg.losses import (
    MCC,
    Boundary,
    CenterlineDice,
    Crossentropy,
    Dice,
    Focal,
    FocalTversky,
    GeneralizedDice,
    HardPixels,
    Jaccard,
    Lovasz,
    Tversky,
)
from semseg.metrics.functional import boundary_f1, confusion_matrix, scores

SIZE, BATCH, DEPTH, FILTERS = (64, 64), 4, 2, 8
RATES = (6e-3, 2e-3, 1.8e-2)
VALIDATION, TEST = 200, 400  # scenes
TOLERANCE = 2  # pixels, of boundary F1
OWN = ("settings", "step_ms", "step_ratio", "runs")  # parts of the file that are no circumstances


def candidates(class_map: semseg.ClassMap, weights: np.ndarray) -> dict[str, keras.losses.Loss]:
    """The losses to compare, all with the set's ignored label and else as they come."""
    dice, crossentropy = Dice(class_map=class_map), Crossentropy(class_map=class_map)
    boundary, lovasz = Boundary(class_map=class_map), Lovasz(class_map=class_map)
    return {
        "Crossentropy": crossentropy,
        "Crossentropy, weighted": Crossentropy(class_map=class_map, class_weights=weights),
        "Crossentropy, root weights": Crossentropy(
            class_map=class_map, class_weights=np.sqrt(weights)
        ),
        "Focal": Focal(class_map=class_map),
        "HardPixels": HardPixels(class_map=class_map),
        "Dice": dice,
        "Jaccard": Jaccard(class_map=class_map),
        "GeneralizedDice": GeneralizedDice(class_map=class_map),
        "Tversky": Tversky(class_map=class_map),
        "FocalTversky": FocalTversky(class_map=class_map),
        "Lovasz": lovasz,
        "MCC": MCC(class_map=class_map),
        "Dice + Crossentropy": dice + crossentropy,
        "Dice + Crossentropy + 0.01 Boundary": dice + crossentropy + 0.01 * boundary,
        "Lovasz + Crossentropy": lovasz + crossentropy,
        "Dice + CenterlineDice": dice + CenterlineDice(class_map=class_map),
    }


class Chosen(keras.losses.Loss):
    """One of several losses, so that the training step is compiled once for all of them."""

    def __init__(self, losses: list[keras.losses.Loss]) -> None:
        super().__init__()
        self.losses, self.index = losses, tf.Variable(0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        branches = [partial(loss, y_true, y_pred) for loss in self.losses]
        return tf.reshape(tf.switch_case(tf.identity(self.index), branches), (1,))


class Peak(keras.optimizers.schedules.LearningRateSchedule):
    """Warm-up and cosine decay, as in `examples/quickstart.py`, to a peak that can be set."""

    def __init__(self, steps: int) -> None:
        self.peak, warmup = tf.Variable(0.0), max(1, steps // 15)
        self.shape = keras.optimizers.schedules.CosineDecay(
            0.0, steps - warmup, warmup_target=1.0, warmup_steps=warmup
        )

    def __call__(self, step: Any) -> Any:
        return self.peak * self.shape(step)


class Laboratory:
    """The compiled model, and everything that the trainings have in common."""

    def __init__(self, steps: int) -> None:
        counted = scenes("train", 1000, 0)
        self.class_map, self.steps = counted.class_map, steps
        self.losses = candidates(self.class_map, counted.class_weights())
        self.chosen, self.rate = Chosen(list(self.losses.values())), Peak(steps)
        self.model = self.network(0)
        self.model.compile(
            keras.optimizers.AdamW(self.rate, weight_decay=1e-4), self.chosen, jit_compile=False
        )
        self.sets = {"val": arrays("val", VALIDATION, 0), "test": arrays("test", TEST, 0)}
        self.outlines = {
            split: with_outlines(split, len(part[0])) for split, part in self.sets.items()
        }
        self.training: tuple[int | None, Any] = (None, None)

    def network(self, seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        return semseg.models.UNet(class_map=self.class_map, depth=DEPTH, filters=FILTERS)

    def train(self, loss: str, seed: int, rate: float) -> dict[str, Any]:
        """A training from the seed's own weights and scenes, and its scores."""
        if self.training[0] != seed:
            self.training = seed, arrays("train", self.steps * BATCH, seed)
        self.model.set_weights(self.network(seed).get_weights())
        for variable in self.model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        self.choose(loss, rate)
        start = time.perf_counter()
        self.model.fit(*self.training[1], batch_size=BATCH, shuffle=False, verbose=0)
        seconds = time.perf_counter() - start
        validation = self.scores("val")["mean_iou"]
        run = {"loss": loss, "seed": seed, "rate": rate, "validation_mean_iou": validation}
        return {**run, **self.scores("test"), "seconds": round(seconds, 1)}

    def choose(self, loss: str, rate: float) -> None:
        self.chosen.index.assign(list(self.losses).index(loss))
        self.rate.peak.assign(rate)

    def scores(self, split: str) -> dict[str, Any]:
        images, masks = self.sets[split]
        ignored, count = self.class_map.ignore_class, self.class_map.num_classes
        preds = np.concatenate(
            [
                self.model.predict_on_batch(images[i : i + 100]).argmax(axis=-1)
                for i in range(0, len(images), 100)
            ]
        )
        found = scores(confusion_matrix(masks, preds, count, ignored))
        tolerance = TOLERANCE / float(np.hypot(*SIZE))
        borders = boundary_f1(self.outlines[split], preds, count, ignored, tolerance=tolerance)
        return {
            "mean_iou": found.mean_iou,
            "pixel_accuracy": found.pixel_accuracy,
            "boundary_f1": borders.mean,
            "iou": dict(zip(self.class_map.names, found.iou.tolist(), strict=True)),
        }

    def step_times(self, rounds: int) -> dict[str, Any]:
        """Medians over rounds of one step of each loss: milliseconds, and times crossentropy's."""
        images, masks = (part[:BATCH] for part in self.sets["val"])

        def step(loss: str) -> None:
            self.choose(loss, RATES[0])
            self.model.train_on_batch(images, masks)

        seconds = harness.interleaved({name: partial(step, name) for name in self.losses}, rounds)
        first = next(iter(seconds.values()))
        return {
            "step_ms": {name: 1000 * statistics.median(own) for name, own in seconds.items()},
            "step_ratio": {name: harness.median_ratio(own, first) for name, own in seconds.items()},
        }


def shapes(split: str, count: int, seed: int) -> semseg.data.Dataset:
    return semseg.data.shapes(split, count=count, size=SIZE, seed=seed)


def joined(ds: semseg.data.Dataset) -> semseg.data.Dataset:
    """Ground, thin lines and rare stars; the large figures, which take far longer, are ignored."""
    return ds.map_classes(dict.fromkeys(("disc", "ring", "rectangle", "triangle")))


def scenes(split: str, count: int, seed: int) -> semseg.data.Dataset:
    return joined(shapes(split, count, seed))


def arrays(split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    ds = scenes(split, count, seed)
    images, masks = zip(*(ds[i] for i in range(count)), strict=True)
    return np.stack(images), np.stack(masks)


def with_outlines(split: str, count: int) -> np.ndarray:
    """Masks to measure outlines on: where all have an ignored rim, there would be none.

    A pixel of a rim gets the nearest label.
    """
    ds = shapes(split, count, 0)
    ignored = ds.class_map.ignore_class
    masks = []
    for _, mask in ds:
        rim = mask == ignored
        nearest = distance_transform_edt(rim, return_distances=False, return_indices=True)
        masks.append(mask[tuple(nearest)])
    own = semseg.data.from_arrays(
        np.stack([image for image, _ in ds]), np.stack(masks), ds.class_map
    )
    return np.stack([mask for _, mask in joined(own)])


def best_rate(runs: list[dict[str, Any]], loss: str, seed: int) -> float:
    """The learning rate of the loss with the best validation scenes."""
    own = [run for run in runs if (run["loss"], run["seed"]) == (loss, seed)]
    return max(own, key=lambda run: run["validation_mean_iou"])["rate"]


class Results:
    """The file of results, whole after every training."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.content: dict[str, Any] = {"settings": settings, "runs": []}
        if path.is_file():
            held = json.loads(path.read_text())
            self.content = {key: held[key] for key in OWN if key in held}
            if self.content["settings"] != settings:
                raise SystemExit(f"{path} holds results of {self.content['settings']}")

    def has(self, **key: Any) -> bool:
        return any(key.items() <= run.items() for run in self.content["runs"])

    def add(self, run: dict[str, Any]) -> None:
        self.content["runs"].append(run)
        self.write()
        print(*(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in run.items()))

    def write(self) -> None:
        about = {**harness.circumstances(), **self.content, "threads": 1}
        about["machine"] = about["machine"].removesuffix(f", {harness.THREADS} threads")
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(about, indent=1) + "\n")
        part.replace(self.path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--losses", nargs="+", help="only these, by name")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--rounds", type=int, default=50, help="steps to time")
    parser.add_argument("--out", type=Path, default=harness.RESULTS / "loss_choice.json")
    args = parser.parse_args()
    # Steps this small gain little from a second thread, and with one a run repeats to the digit.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    settings = {"steps": args.steps, "batch": BATCH, "size": SIZE, "filters": FILTERS}
    results = Results(args.out, json.loads(json.dumps({**settings, "depth": DEPTH})))
    laboratory = Laboratory(args.steps)
    first, *others = args.seeds
    names = args.losses or list(laboratory.losses)

    def train(loss: str, seed: int, rate: float) -> None:
        if not results.has(loss=loss, seed=seed, rate=rate):
            results.add(laboratory.train(loss, seed, rate))

    for rate in args.rates:
        for loss in names:
            train(loss, first, rate)
    for seed in others:
        for loss in names:
            train(loss, seed, best_rate(results.content["runs"], loss, first))
    if args.rounds:
        results.content |= laboratory.step_times(args.rounds)
        results.write()
    print(f"\nwritten to {args.out}")


if __name__ == "__main__":
    main()
