"""Losses, value and gradient, against segmentation_models.pytorch, MONAI, PyTorch and Keras.

    python benchmarks/losses.py [--rounds N] [--losses NAME ...]

semseg and Keras run in a compiled function, as `fit` has them on a processor; the peers eagerly,
channels first, as their authors do. 5 % of the pixels are ignored, by whoever can. Times: all in
one process, in turn. Memory: each in a process of its own, which has done the same on a few
pixels before; "added_mb" is what a step takes beside its input. The larger size runs a fifth of
the rounds, at least two: some peers take a minute for one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import types
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import harness
import numpy as np

IGNORE = 255
SIZES = {
    "4x256x256, 11 classes": ((4, 256, 256), 11),  # as CamVid
    "2x512x512, 150 classes": ((2, 512, 512), 150),  # as ADE20K
}
SHARE = 0.25  # of the pixels, that HardPixels keeps

Run = Callable[[], Any]


def batch(size: tuple[int, int, int], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids in squares of 8 pixels with 5 % ignored, and logits that are right more often."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, classes, (size[0], size[1] // 8 + 1, size[2] // 8 + 1))
    ids = np.kron(coarse, np.ones((1, 8, 8), int))[:, : size[1], : size[2]].astype(np.int32)
    logits = rng.normal(size=(*size, classes)).astype(np.float32)
    right = np.take_along_axis(logits, ids[..., None], -1) + 2
    np.put_along_axis(logits, ids[..., None], right, -1)
    return np.where(rng.random(size) < 0.05, IGNORE, ids).astype(np.int32), logits


def in_tensorflow(loss: Any, ids: np.ndarray, logits: np.ndarray) -> Run:
    import tensorflow as tf

    ids, logits = tf.constant(ids), tf.constant(logits)

    @tf.function
    def step(ids: Any, logits: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(ids, logits)
        return value, tape.gradient(value, logits)

    return lambda: step(ids, logits)[0].numpy()


def in_torch(loss: Any, ids: np.ndarray, logits: np.ndarray) -> Run:
    import torch

    torch.set_num_threads(harness.THREADS)
    ids = torch.from_numpy(ids.astype(np.int64))
    scores = torch.from_numpy(np.ascontiguousarray(np.moveaxis(logits, -1, 1))).requires_grad_()

    def step() -> float:
        scores.grad = None
        value = loss(scores, ids)
        value.backward()
        return value.item()

    return step


def ours(name: str, ids: np.ndarray, logits: np.ndarray, **arguments: Any) -> Run:
    import semseg

    make = getattr(semseg.losses, name)
    return in_tensorflow(make(ignore_class=IGNORE, **arguments), ids, logits)


def of_keras(ids: np.ndarray, logits: np.ndarray) -> Run:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORE)
    return in_tensorflow(loss, ids, logits)


def smp(name: str, ids: np.ndarray, logits: np.ndarray, **arguments: Any) -> Run:
    package = "segmentation_models_pytorch"
    if package not in sys.modules:
        # Its losses alone: the encoders need a torchvision that fits PyTorch.
        bare = types.ModuleType(package)
        bare.__path__ = list(find_spec(package).submodule_search_locations)
        sys.modules[package] = bare
    from segmentation_models_pytorch import losses

    return in_torch(getattr(losses, name)(ignore_index=IGNORE, **arguments), ids, logits)


def monai_generalized_dice(ids: np.ndarray, logits: np.ndarray) -> Run:
    from monai.losses import GeneralizedDiceLoss

    loss = GeneralizedDiceLoss(to_onehot_y=True, softmax=True, batch=True)
    # It can't ignore: those pixels are class 0.
    return in_torch(lambda scores, ids: loss(scores, (ids * (ids != IGNORE))[:, None]), ids, logits)


def torch_crossentropy(ids: np.ndarray, logits: np.ndarray) -> Run:
    from torch.nn.functional import cross_entropy

    return in_torch(partial(cross_entropy, ignore_index=IGNORE), ids, logits)


def torch_top_k(ids: np.ndarray, logits: np.ndarray) -> Run:
    from torch.nn.functional import cross_entropy

    def loss(scores: Any, ids: Any) -> Any:
        each = cross_entropy(scores, ids, ignore_index=IGNORE, reduction="none").flatten()
        return each.topk(int(SHARE * int((ids != IGNORE).sum())), sorted=False).values.mean()

    return in_torch(loss, ids, logits)


def torch_boundary(ids: np.ndarray, logits: np.ndarray) -> Run:
    """As the authors of the boundary loss write it: SciPy's distances, then one product."""
    import torch
    from scipy.ndimage import distance_transform_edt as distance

    def loss(scores: Any, ids: Any) -> Any:
        maps = np.zeros(scores.shape, np.float32)
        for picture, own in zip(ids.numpy(), maps, strict=True):
            for k in np.unique(picture[picture != IGNORE]):
                inside = picture == k
                own[k] = distance(~inside) * ~inside - (distance(inside) - 1) * inside
        return (scores.softmax(1) * torch.from_numpy(maps)).mean()

    return in_torch(loss, ids, logits)


many = {"mode": "multiclass"}
# A table each: semseg first, whom the others are compared with. PyTorch's threads go on spinning
# and would slow down who comes next, so it comes last.
LOSSES: dict[str, dict[str, Callable[[np.ndarray, np.ndarray], Run]]] = {
    "Crossentropy": {
        "semseg": partial(ours, "Crossentropy"),
        "keras": of_keras,
        "smp": partial(smp, "SoftCrossEntropyLoss", smooth_factor=0.0),
        "torch": torch_crossentropy,
    },
    "Crossentropy, smoothed": {
        "semseg": partial(ours, "Crossentropy", label_smoothing=0.1),
        "smp": partial(smp, "SoftCrossEntropyLoss", smooth_factor=0.1),
    },
    "Focal": {"semseg": partial(ours, "Focal"), "smp": partial(smp, "FocalLoss", **many)},
    "HardPixels": {"semseg": partial(ours, "HardPixels", share=SHARE), "torch": torch_top_k},
    "Dice": {"semseg": partial(ours, "Dice"), "smp": partial(smp, "DiceLoss", **many)},
    "Jaccard": {"semseg": partial(ours, "Jaccard"), "smp": partial(smp, "JaccardLoss", **many)},
    "Tversky": {
        "semseg": partial(ours, "Tversky"),
        "smp": partial(smp, "TverskyLoss", alpha=0.3, beta=0.7, **many),
    },
    "FocalTversky": {
        "semseg": partial(ours, "FocalTversky"),
        "smp": partial(smp, "TverskyLoss", alpha=0.3, beta=0.7, gamma=0.75, **many),
    },
    "GeneralizedDice": {
        "semseg": partial(ours, "GeneralizedDice"),
        "monai": monai_generalized_dice,
    },
    "Lovasz": {"semseg": partial(ours, "Lovasz"), "smp": partial(smp, "LovaszLoss", **many)},
    "Boundary": {"semseg": partial(ours, "Boundary"), "torch": torch_boundary},
}


def timed(size: str, loss: str, rounds: int) -> list[dict[str, Any]]:
    given = batch(*SIZES[size])
    contestants = {route: make(*given) for route, make in LOSSES[loss].items()}
    large = SIZES[size][1] > 100
    seconds = harness.interleaved(
        contestants, max(2, rounds // 5) if large else rounds, warm_ups=1 if large else 2
    )
    return [
        {
            "size": size,
            "loss": loss,
            "route": route,
            "median_ms": 1000 * statistics.median(times),
            "least_ms": 1000 * min(times),
            "times_semseg": harness.median_ratio(times, seconds["semseg"]),
        }
        for route, times in seconds.items()
    ]


def measure_memory(size: str, loss: str, route: str) -> None:
    """Prints peak memory and what was added to it, after a small one of the kind."""
    shape, classes = SIZES[size]
    LOSSES[loss][route](*batch((1, 16, 16), classes))()
    run = LOSSES[loss][route](*batch(shape, classes))
    print(*harness.added_memory(run))


def memory(size: str, loss: str, route: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", size, loss, route],
        check=True,
        capture_output=True,
        text=True,
    )
    peak, added = map(float, done.stdout.split()[-2:])
    return {"peak_mb": peak, "added_mb": added}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--losses", nargs="+", choices=LOSSES, help="these alone, nothing written")
    parser.add_argument("--only", nargs=3, metavar=("SIZE", "LOSS", "ROUTE"), help="for its memory")
    args = parser.parse_args()
    if args.only:
        return measure_memory(*args.only)
    tables = [(size, loss) for size in SIZES for loss in args.losses or LOSSES]
    rows = [row for table in tables for row in timed(*table, args.rounds)]
    if args.losses:
        return harness.show(rows)
    rows = [{**row, **memory(row["size"], row["loss"], row["route"])} for row in rows]
    print(f"\nwritten to {harness.write('losses', rows)}")


if __name__ == "__main__":
    main()
