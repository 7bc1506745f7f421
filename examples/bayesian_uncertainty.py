"""Where a network doubts, and whether the doubt is worth something: Bayesian SegNet-Basic.

    python examples/bayesian_uncertainty.py

trains with dropout to find ink on photographs, leaves dropout on in prediction (Monte Carlo
dropout), draws the doubt, and rejects the most doubtful pixels: a doubt that knows where the errors
are makes the score of the others rise. Started again after an interruption, the training goes on
where it was. The folder of the run then holds model.keras, run.json, predictions.png,
uncertainty_N.png and reject_curve.png.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import semseg
from semseg.metrics.functional import RejectCurve, confusion_matrix, reject_curve

NETWORK = {"bayesian": True, "filters": 16}  # the paper's has 64


def ink(split: str, count: int) -> semseg.data.Dataset:
    """Scenes of digits, whichever they are; without `map_classes`, training takes far longer."""
    names = {str(digit): "ink" for digit in range(10)}
    return semseg.data.digits(split, count).map_classes(names)


def recipe(steps: int, seed: int) -> semseg.training.Recipe:
    per_epoch = min(steps, 100)
    return semseg.training.Recipe(
        model="segnet_basic",
        model_arguments=NETWORK,
        loss={"Crossentropy": 1.0, "Dice": 0.5},
        batch=4,
        steps=steps - steps % per_epoch,
        steps_per_epoch=per_epoch,
        learning_rate=6e-3,
        warmup=steps // 15,
        seed=seed,
    )


def plot_curves(curves: dict[str, RejectCurve]) -> Figure:
    figure = Figure((6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="share of the pixels kept", ylabel="mean IoU of these pixels")
    for name, curve in curves.items():
        axes.plot(curve.kept, curve.mean_iou, "o-", markersize=3, label=name)
    axes.legend(title="what is rejected first")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="training batches (default 200)")
    parser.add_argument("--scenes", type=int, default=40, help="held-out scenes (default 40)")
    parser.add_argument("--samples", type=int, default=20, help="predictions of each, with dropout")
    parser.add_argument("--out", type=Path, default=Path("outputs/bayesian"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    ds = ink("train", 4 * args.steps)
    model = semseg.training.train(ds, recipe(args.steps, args.seed), args.out).model

    test = ink("test", args.scenes)
    images, masks = map(list, zip(*test, strict=True))
    found = semseg.inference.mc_dropout(model, images, samples=args.samples)
    truth, ids = np.stack(masks), np.stack([each.ids for each in found])
    once = np.stack(semseg.inference.predict(model, images))
    classes, ignored = test.class_map.num_classes, test.class_map.ignore_class
    for name, predicted in (("without dropout", once), (f"mean of {args.samples}", ids)):
        scores = semseg.metrics.Scores(confusion_matrix(truth, predicted, classes, ignored))
        print(f"{name:<16} mean IoU {scores['mean_iou']:.4f}")

    doubts = {
        "entropy": np.stack([each.entropy for each in found]),
        "mutual information": np.stack([each.mutual_information for each in found]),
        "chance": np.random.default_rng(0).random(truth.shape),  # a doubt that knows nothing
    }
    curves = {n: reject_curve(truth, ids, d, classes, ignored) for n, d in doubts.items()}
    print(f"\n{'mean IoU when rejecting by':<28}{'0 %':>8}{'5 %':>8}{'10 %':>8}{'20 %':>8}")
    for name, curve in curves.items():
        at = [curve.mean_iou[np.abs(curve.kept - share).argmin()] for share in (1, 0.95, 0.9, 0.8)]
        print(f"{name:<28}" + "".join(f"{score:>8.4f}" for score in at))
    semseg.viz.save(args.out / "reject_curve.png", plot_curves(curves))

    panel = semseg.viz.draw_comparison(images[:3], masks[:3], list(ids[:3]), test.class_map)
    semseg.viz.save(args.out / "predictions.png", panel)
    limits = (0, np.log(classes))
    for i in range(min(3, len(images))):
        picture = semseg.viz.draw_uncertainty(
            found[i].entropy, images[i], masks[i], test.class_map, limits, "entropy, nats"
        )
        semseg.viz.save(args.out / f"uncertainty_{i}.png", picture)
    print(f"saved the pictures in {args.out}")


if __name__ == "__main__":
    main()
