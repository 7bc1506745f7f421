"""FCN-8s, U-Net and SegNet-Basic on one data set with one budget: what they cost, what they score.

    python examples/compare_architectures.py

Every network sees the same batches. The table has parameters, multiply-accumulates, memory, time
and mean IoU with its interval; then pairs are tested: is the difference more than the choice of
pictures? Started again after an interruption, it goes on where it was. One seed says little: run it
again with `--seed 1 --out outputs/compare_1` before you believe a difference.
"""

import argparse
import itertools
from pathlib import Path

import keras
import numpy as np

import semseg
from semseg.metrics.functional import bootstrap, compare, confusion_matrix

# Names in semseg.models.build, and arguments that make them small. Change this list.
MODELS = {
    "FCN-8s": ("fcn8s", {"encoder": "mobilenetv2", "fc_units": 128}),
    "U-Net": ("unet", {"depth": 3, "filters": 16}),
    "SegNet-Basic": ("segnet_basic", {"filters": 16}),
}


def scenes(split: str, count: int) -> semseg.data.Dataset:
    """Figures, thin lines and rare stars; kinds of figures take longer than these minutes."""
    kinds = ("disc", "ring", "rectangle", "triangle")
    return semseg.data.shapes(split, count, (64, 64)).map_classes(dict.fromkeys(kinds, "figure"))


def trained(name: str, ds: semseg.data.Dataset, args: argparse.Namespace) -> keras.Model:
    per_epoch = min(args.steps, 100)
    recipe = semseg.training.Recipe(
        model=MODELS[name][0],
        model_arguments=MODELS[name][1],
        loss={"Crossentropy": 1.0, "Dice": 0.5},
        class_weights="root_inverse",
        steps=args.steps - args.steps % per_epoch,
        steps_per_epoch=per_epoch,
        learning_rate=6e-3,
        warmup=args.steps // 15,
        seed=args.seed,
    )
    print(f"\n{name}")
    return semseg.training.train(ds, recipe, args.out / name, verbose=2).model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="training batches of each network")
    parser.add_argument("--scenes", type=int, default=200, help="held-out scenes")
    parser.add_argument("--out", type=Path, default=Path("outputs/compare"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    ds = scenes("train", 4 * args.steps)
    models = {name: trained(name, ds, args) for name in MODELS}
    test = scenes("test", args.scenes)
    images, masks = map(list, zip(*test, strict=True))
    classes, size = test.class_map, masks[0].shape
    predicted = {n: semseg.inference.predict(model, images) for n, model in models.items()}
    how = {"num_classes": classes.num_classes, "ignore_class": classes.ignore_class}
    pairs = {name: (np.stack(masks), np.stack(ids)) for name, ids in predicted.items()}
    confusions = {n: confusion_matrix(*pair, **how, per_image=True) for n, pair in pairs.items()}
    print("\n               parameters       MACs    memory  a picture  mean IoU (95 %)")
    for name, model in models.items():
        cost, (iou, low, high) = semseg.analysis.cost(model, size), bootstrap(confusions[name])
        spent = f"{cost.parameters:>12,}{cost.macs / 1e6:>9.0f} M{cost.peak_bytes / 1e6:>7.1f} MB"
        took = 1000 * semseg.analysis.latency(model, size)
        print(f"{name:<13}{spent}{took:>8.1f} ms  {iou:.3f} ({low:.3f} to {high:.3f})")
    for one, other in itertools.combinations(models, 2):
        gain, low, high, p = compare(confusions[one], confusions[other])
        print(f"{one} - {other}: {gain:+.3f} ({low:+.3f} to {high:+.3f}), p = {p:.3f}")
    figure = semseg.viz.plot_architectures(list(models.values()), size=size)
    print(f"saved {semseg.viz.save(args.out / 'architectures.png', figure)}")
    shown = {name: ids[:4] for name, ids in predicted.items()}
    panel = semseg.viz.draw_comparison(images[:4], masks[:4], shown, classes)
    print(f"saved {semseg.viz.save(args.out / 'comparison.png', panel)}")


if __name__ == "__main__":
    main()
