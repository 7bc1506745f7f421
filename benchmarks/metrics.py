"""Counting a confusion matrix against Keras, torchmetrics and scikit-learn, and in a training step.

    python benchmarks/metrics.py [--rounds N]

Keras and semseg update inside a compiled function, as an evaluation does; semseg checks every
label there. torchmetrics runs with its checks of labels and without. "from logits" holds the
argmax. Times: all in one process, in turn. Memory: each in a process of its own, which has done
the same on a few pixels before; "added_mb" is what three updates take beside their input.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import harness
import numpy as np

IGNORE = 255
SIZES = {
    "8x360x480, 11 classes": ((8, 360, 480), 11),
    "1x1024x2048, 19 classes": ((1, 1024, 2048), 19),  # as Cityscapes
    "2x512x512, 150 classes": ((2, 512, 512), 150),  # as ADE20K
}
PICTURE = "1x360x480, 11 classes"
STEP = "4x360x480, 11 classes"


class Batch:
    """Truth with 5 % ignored pixels, a prediction that is right for two thirds, logits of it."""

    def __init__(self, size: tuple[int, int, int], classes: int) -> None:
        rng = np.random.default_rng(0)
        truth = rng.integers(0, classes, size, np.int32)
        wrong = rng.integers(0, classes, size, np.int32)
        self.pred = np.where(rng.random(size) < 0.67, truth, wrong)
        self.truth = np.where(rng.random(size) < 0.05, IGNORE, truth).astype(np.int32)
        self.weights = rng.random(size, np.float32)
        self.classes = classes

    @cached_property
    def logits(self) -> np.ndarray:
        logits = np.random.default_rng(1).random((*self.pred.shape, self.classes), np.float32)
        np.put_along_axis(logits, self.pred[..., None], 2, -1)
        return logits

    @cached_property
    def channels_first(self) -> np.ndarray:
        return np.ascontiguousarray(np.moveaxis(self.logits, -1, 1))

    @cached_property
    def tensors(self) -> dict[str, Any]:
        """TensorFlow's copies, made when they are asked for."""
        return {}

    def tensor(self, name: str) -> Any:
        import tensorflow as tf

        if name not in self.tensors:
            self.tensors[name] = tf.constant(getattr(self, name))
        return self.tensors[name]


def compiled(metric, batch, *names, jit_compile=False):
    import tensorflow as tf

    given = [batch.tensor(name) for name in names]
    update = tf.function(lambda *given: metric.update_state(*given), jit_compile=jit_compile)
    return lambda: update(*given)


def ours(batch, *names, jit_compile=False):
    from semseg.metrics import MeanIoU

    metric = MeanIoU(batch.classes, IGNORE)
    return compiled(metric, batch, *names, jit_compile=jit_compile)


def our_scores(batch, *names):
    from semseg.metrics import SegmentationScores

    metric = SegmentationScores(num_classes=batch.classes, ignore_class=IGNORE)
    return compiled(metric, batch, *names)


def keras_mean_iou(batch, truth, pred):
    import keras

    ids = pred == "pred"
    metric = keras.metrics.MeanIoU(batch.classes, ignore_class=IGNORE, sparse_y_pred=ids)
    return compiled(metric, batch, truth, pred)


def torchmetrics_update(batch, pred, validate, ignored=IGNORE):
    import torch
    from torchmetrics.classification import MulticlassConfusionMatrix

    torch.set_num_threads(harness.THREADS)
    metric = MulticlassConfusionMatrix(batch.classes, ignore_index=ignored, validate_args=validate)
    truth = batch.truth if ignored else np.where(batch.truth == IGNORE, 0, batch.truth)
    given = torch.from_numpy(getattr(batch, pred)), torch.from_numpy(truth)
    return lambda: metric.update(*given)


def sklearn_matrix(batch):
    from sklearn.metrics import confusion_matrix

    truth, pred = batch.truth.ravel(), batch.pred.ravel()
    return lambda: confusion_matrix(truth, pred, labels=range(batch.classes))


def on_arrays(batch, from_logits):
    from semseg.metrics.functional import confusion_matrix

    def count():
        pred = batch.logits.argmax(-1) if from_logits else batch.pred
        return confusion_matrix(batch.truth, pred, batch.classes, IGNORE)

    return count


# Those with one thread come last: PyTorch's go on spinning and would slow down who comes next.
Routes = dict[str, Callable[[Batch], Callable[[], Any]]]
ROUTES: dict[str, Routes] = {
    "ids": {
        "semseg MeanIoU": lambda b: ours(b, "truth", "pred"),
        "semseg SegmentationScores": lambda b: our_scores(b, "truth", "pred"),
        "semseg MeanIoU, weighted": lambda b: ours(b, "truth", "pred", "weights"),
        "semseg MeanIoU, XLA": lambda b: ours(b, "truth", "pred", jit_compile=True),
        "keras MeanIoU": lambda b: keras_mean_iou(b, "truth", "pred"),
        "torchmetrics, checked": lambda b: torchmetrics_update(b, "pred", True),
        "torchmetrics, unchecked": lambda b: torchmetrics_update(b, "pred", False),
        # At its fastest it selects nothing.
        "torchmetrics, unchecked, nothing ignored": lambda b: torchmetrics_update(
            b, "pred", False, None
        ),
        "scikit-learn": sklearn_matrix,
        "semseg on arrays": lambda b: on_arrays(b, False),
    },
    "logits": {
        "semseg MeanIoU": lambda b: ours(b, "truth", "logits"),
        "semseg MeanIoU, XLA": lambda b: ours(b, "truth", "logits", jit_compile=True),
        "keras MeanIoU": lambda b: keras_mean_iou(b, "truth", "logits"),
        "torchmetrics, checked": lambda b: torchmetrics_update(b, "channels_first", True),
        "torchmetrics, unchecked": lambda b: torchmetrics_update(b, "channels_first", False),
        "semseg on arrays": lambda b: on_arrays(b, True),
    },
}


def picture_scores(matching, height=360, width=480):
    """boundary_f1 of one scene of eleven classes whose prediction is two pixels off."""
    import semseg
    from semseg.metrics.functional import boundary_f1

    ds = semseg.data.digits("test", count=1, size=(height, width))
    # Rims without a label would leave no boundary to score.
    mask = np.where(ds[0][1] == ds.class_map.ignore_class, 0, ds[0][1])
    pred = np.roll(mask, 2, axis=1)
    return lambda: boundary_f1(mask, pred, 11, matching=matching)


def training_step(with_metric, height=360, width=480):
    """A step of the quickstart's U-Net on four pictures, with and without the metric."""
    import keras

    import semseg

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, height, width, 3), np.uint8)
    masks = rng.integers(0, 11, (4, height, width)).astype(np.uint8)
    metric = semseg.metrics.SegmentationScores(num_classes=11, ignore_class=IGNORE)
    keras.utils.set_random_seed(0)
    model = semseg.models.UNet(num_classes=11, depth=3, filters=16)
    loss = semseg.losses.Crossentropy(ignore_class=IGNORE)
    model.compile("adam", loss, metrics=[metric] if with_metric else [])
    return lambda: model.train_on_batch(images, masks)


SINGLE = {
    (PICTURE, "ids"): {
        "semseg boundary_f1": partial(picture_scores, "nearest"),
        "semseg boundary_f1, one_to_one": partial(picture_scores, "one_to_one"),
    },
    (STEP, "U-Net step"): {
        "semseg SegmentationScores": partial(training_step, True),
        "no metric": partial(training_step, False),
    },
}


def timed(size: str, what: str, rounds: int) -> list[dict[str, Any]]:
    """The rows of one table of routes; the first is what the others are compared with."""
    if size in SIZES:
        batch = Batch(*SIZES[size])
        contestants = {name: make(batch) for name, make in ROUTES[what].items()}
    else:
        contestants = {name: make() for name, make in SINGLE[size, what].items()}
    seconds = harness.interleaved(contestants, rounds)
    first = next(iter(seconds.values()))
    pixels = np.prod([int(side) for side in size.split(",")[0].split("x")])
    return [
        {
            "size": size,
            "from": what,
            "route": name,
            "median_ms": 1000 * statistics.median(times),
            "mpx_a_second": pixels / statistics.median(times) / 1e6,
            "times_semseg": harness.median_ratio(times, first),
        }
        for name, times in seconds.items()
    ]


def measure_memory(size: str, what: str, route: str) -> None:
    """Prints peak memory and what was added to it, after a small one of the kind."""
    if size in SIZES:
        make = ROUTES[what][route]
        make(Batch((1, 8, 8), SIZES[size][1]))()
        run = make(Batch(*SIZES[size]))
    else:
        SINGLE[size, what][route](height=64, width=64)()
        run = SINGLE[size, what][route]()
    print(*harness.added_memory(lambda: [run() for _ in range(3)]))


def memory(size: str, what: str, route: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", size, what, route],
        check=True,
        capture_output=True,
        text=True,
    )
    peak, added = map(float, done.stdout.split()[-2:])
    return {"peak_mb": peak, "added_mb": added}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs=3, metavar=("SIZE", "FROM", "ROUTE"), help="for its memory")
    args = parser.parse_args()
    if args.only:
        return measure_memory(*args.only)
    tables = [*((size, what) for size in SIZES for what in ROUTES), *SINGLE]
    rows = [row for table in tables for row in timed(*table, args.rounds)]
    rows = [{**row, **memory(row["size"], row["from"], row["route"])} for row in rows]
    print(f"\nwritten to {harness.write('metrics', rows)}")


if __name__ == "__main__":
    main()
