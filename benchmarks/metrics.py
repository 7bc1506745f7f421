"""Counting a confusion matrix against Keras, torchmetrics and scikit-learn, and in a training step.

    python benchmarks/metrics.py [--rounds N]

Keras and semseg update inside a compiled function, as an evaluation does; semseg checks every
label there. torchmetrics runs with its checks of labels and without. "from logits" holds the
argmax. All in one process, in turn.
"""

import argparse
import os
import statistics

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


def labels(size, classes):
    """Truth with 5 % ignored pixels, a prediction that is right for two thirds, logits of it."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, size, np.int32)
    pred = np.where(rng.random(size) < 0.67, truth, rng.integers(0, classes, size, np.int32))
    logits = rng.random((*size, classes), np.float32)
    np.put_along_axis(logits, pred[..., None], 2, -1)
    return np.where(rng.random(size) < 0.05, IGNORE, truth).astype(np.int32), pred, logits


def compiled(metric, truth, pred, weights=None, jit_compile=False):
    import tensorflow as tf

    batch = [x for x in (truth, pred, weights) if x is not None]
    update = tf.function(lambda *batch: metric.update_state(*batch), jit_compile=jit_compile)
    return lambda: update(*batch)


def torchmetrics_update(truth, pred, classes, validate, ignored=IGNORE):
    import torch
    from torchmetrics.classification import MulticlassConfusionMatrix

    torch.set_num_threads(harness.THREADS)
    metric = MulticlassConfusionMatrix(classes, ignore_index=ignored, validate_args=validate)
    batch = torch.from_numpy(pred), torch.from_numpy(truth)
    return lambda: metric.update(*batch)


def sklearn_matrix(truth, pred, classes):
    from sklearn.metrics import confusion_matrix

    return lambda: confusion_matrix(truth.ravel(), pred.ravel(), labels=range(classes))


def contestants(truth, pred, logits, classes):
    import keras
    import tensorflow as tf

    from semseg.metrics import MeanIoU, SegmentationScores
    from semseg.metrics.functional import confusion_matrix

    def keras_metric(from_ids):
        return keras.metrics.MeanIoU(classes, ignore_class=IGNORE, sparse_y_pred=from_ids)

    def ours():
        return MeanIoU(classes, IGNORE)

    all_scores = SegmentationScores(num_classes=classes, ignore_class=IGNORE)
    weights = tf.constant(np.random.default_rng(1).random(truth.shape, np.float32))
    ids, scores, guess = tf.constant(truth), tf.constant(logits), tf.constant(pred)
    found = {
        "ids": {
            "semseg MeanIoU": compiled(ours(), ids, guess),
            "semseg SegmentationScores": compiled(all_scores, ids, guess),
            "semseg MeanIoU, weighted": compiled(ours(), ids, guess, weights),
            "semseg MeanIoU, XLA": compiled(ours(), ids, guess, jit_compile=True),
            "keras MeanIoU": compiled(keras_metric(True), ids, guess),
        },
        "logits": {
            "semseg MeanIoU": compiled(ours(), ids, scores),
            "semseg MeanIoU, XLA": compiled(ours(), ids, scores, jit_compile=True),
            "keras MeanIoU": compiled(keras_metric(False), ids, scores),
        },
    }
    channels_first = np.ascontiguousarray(np.moveaxis(logits, -1, 1))
    for checks in ("checked", "unchecked"):
        for what, given in (("ids", pred), ("logits", channels_first)):
            update = torchmetrics_update(truth, given, classes, checks == "checked")
            found[what][f"torchmetrics, {checks}"] = update
    # At its fastest it selects nothing.
    kept = np.where(truth == IGNORE, 0, truth)
    update = torchmetrics_update(kept, pred, classes, False, None)
    found["ids"]["torchmetrics, unchecked, nothing ignored"] = update
    # Last, with one thread: those of PyTorch go on spinning and would slow down who comes next.
    found["ids"]["scikit-learn"] = sklearn_matrix(truth, pred, classes)
    found["ids"]["semseg on arrays"] = lambda: confusion_matrix(truth, pred, classes, IGNORE)
    found["logits"]["semseg on arrays"] = lambda: confusion_matrix(
        truth, logits.argmax(-1), classes, IGNORE
    )
    return found


def training_steps():
    """A step of the quickstart's U-Net on four pictures, with and without the metric."""
    import keras

    import semseg

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 360, 480, 3), np.uint8)
    masks = rng.integers(0, 11, (4, 360, 480)).astype(np.uint8)
    metric = semseg.metrics.SegmentationScores(num_classes=11, ignore_class=IGNORE)
    steps = {}
    for name, metrics in (("no metric", []), ("semseg SegmentationScores", [metric])):
        keras.utils.set_random_seed(0)
        model = semseg.models.UNet(num_classes=11, depth=3, filters=16)
        loss = semseg.losses.Crossentropy(ignore_class=IGNORE)
        model.compile("adam", loss, metrics=metrics)
        steps[name] = lambda model=model: model.train_on_batch(images, masks)
    return steps


def rows_of(size, what, seconds, pixels, fastest):
    return [
        {
            "size": size,
            "from": what,
            "route": name,
            "median_ms": 1000 * statistics.median(times),
            "mpx_a_second": pixels / statistics.median(times) / 1e6,
            "times_semseg": harness.median_ratio(times, seconds[fastest]),
        }
        for name, times in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    rows = []
    for name, (size, classes) in SIZES.items():
        truth, pred, logits = labels(size, classes)
        for what, routes in contestants(truth, pred, logits, classes).items():
            seconds = harness.interleaved(routes, args.rounds)
            rows += rows_of(name, what, seconds, truth.size, "semseg MeanIoU")
    seconds = harness.interleaved(training_steps(), args.rounds)
    rows += rows_of("4x360x480", "U-Net step", seconds, 4 * 360 * 480, "semseg SegmentationScores")
    print(f"\nwritten to {harness.write('metrics', rows)}")


if __name__ == "__main__":
    main()
