"""U-Net on the membranes of nerve cells: trained on crops, predicted in tiles, scored as ISBI 2012.

    python examples/train_em.py --data DIR

DIR is what `semseg.data.isbi_em` reads: image/ and label/ with 30 slices, the last six of which are
held out. Started again after an interruption, it goes on after the last whole epoch. The folder of
the run then holds model.keras, run.json, history.png, predictions.png and isbi_scores.json.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
import keras
import numpy as np

import semseg
from semseg.metrics.functional import confusion_matrix, isbi_scores

NETWORK = {"depth": 3, "filters": 16}  # minutes on two cores; the paper's has depth 4, 64 filters
CROP = (192, 192)
THRESHOLDS = np.linspace(0.05, 0.95, 19)


def recipe(args: argparse.Namespace) -> semseg.training.Recipe:
    per_epoch = min(args.steps, 50)
    return semseg.training.Recipe(
        model="unet",
        model_arguments=NETWORK,
        crop=CROP,
        augmentation="medical",  # turns and the paper's elastic deformation, borders mirrored
        batch=2,
        steps=args.steps - args.steps % per_epoch,
        steps_per_epoch=per_epoch,
        learning_rate=3e-3,
        warmup=args.steps // 20,
        seed=args.seed,
    )


def cell_probabilities(model: keras.Model, image: np.ndarray, tile: int) -> np.ndarray:
    """(height, width): how sure the model is of "cell"; tiles give what the whole slice would."""
    shares = semseg.inference.predict_tiled(
        model, image, tile=tile, output="probabilities", verbose=False
    )
    return shares[..., 1]


def challenge_scores(masks: list[np.ndarray], shares: list[np.ndarray]) -> dict[str, float]:
    """Means over the slices at the best threshold, as the challenge takes them."""
    found = []
    for threshold in THRESHOLDS:
        of_slices = [isbi_scores(m, s > threshold) for m, s in zip(masks, shares, strict=True)]
        rand, info = np.mean([[each.rand, each.info] for each in of_slices], axis=0)
        found.append({"threshold": float(threshold), "rand": float(rand), "info": float(info)})
    return max(found, key=lambda each: each["rand"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with image/ and label/")
    parser.add_argument("--out", type=Path, default=Path("outputs/em"), help="folder of this run")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--tile", type=int, default=256, help="side of the windows predicted")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    train, held_out = (semseg.data.isbi_em(args.data, split) for split in ("train", "val"))
    run = semseg.training.train(train, recipe(args), args.out, validation=held_out)

    images, masks = map(list, zip(*held_out, strict=True))
    plan = semseg.inference.plan_tiles(run.model, images[0].shape[:2], tile=args.tile)
    print(f"\neach of {len(images)} held-out slices: {plan}")
    shares = [cell_probabilities(run.model, image, args.tile) for image in images]
    predicted = [(share > 0.5).astype(np.uint8) for share in shares]
    classes = held_out.class_map
    confusion = confusion_matrix(np.stack(masks), np.stack(predicted), classes.num_classes)
    print(semseg.metrics.Scores(confusion, classes.names))
    best = challenge_scores(masks, shares)
    (args.out / "isbi_scores.json").write_text(json.dumps(best, indent=2))
    print(
        f"\nISBI 2012, cells told apart, 1 is best: Rand {best['rand']:.4f}, information "
        f"{best['info']:.4f}, where the probability of a cell is above {best['threshold']:.2f}"
    )
    panel = semseg.viz.draw_comparison(images[::2], masks[::2], predicted[::2], classes)
    semseg.viz.save(args.out / "predictions.png", panel)
    print(f"saved {args.out / 'model.keras'} and {args.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
