"""U-Net on cell nuclei, with its weights for the gaps between them, and every nucleus counted.

    python examples/train_nuclei.py --data DIR
    python examples/train_nuclei.py --data DIR --weights none     # what the weights are worth

DIR is what `semseg.data.nuclei` reads: image/, instances/, train.txt, test.txt. Started again after
an interruption, it goes on after the last whole epoch. The folder of the run then holds
model.keras, run.json, history.png, predictions.png, weights.png, scores.json (validation) and
objects.json (test).
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
import numpy as np

import semseg
from semseg.metrics.functional import object_scores
from semseg.regions import border_weights, components

# The paper's has depth 4, 64 filters and transposed convolutions: a grid in the masks of short
# trainings. Groups are normalised, as batches of dark and bright pictures are unlike the whole set.
NETWORK = {"depth": 3, "filters": 16, "upsampling": "bilinear", "norm": "group"}
CROP = (128, 128)


def nuclei(root: Path, split: str) -> semseg.data.Dataset:
    """Nucleus and background; where nuclei touch, a line of background keeps them apart."""
    return semseg.data.nuclei(root, split, border=True).map_classes({"border": "background"})


def recipe(args: argparse.Namespace, samples: int) -> semseg.training.Recipe:
    per_epoch = -(-samples // args.batch)
    return semseg.training.Recipe(
        model="unet",
        model_arguments=NETWORK,
        crop=CROP,
        augmentation="medical",  # turns, elastic deformation: cells have no "up"
        batch=args.batch,
        steps=args.epochs * per_epoch,
        steps_per_epoch=per_epoch,
        learning_rate=3e-3,
        warmup=args.epochs * per_epoch // 20,
        seed=args.seed,
    )


def merged(mask: np.ndarray, ids: np.ndarray) -> int:
    """True objects that lie, by most of their pixels, in a predicted one that others lie in too."""
    true, found = components(mask), components(ids)
    hosts = [np.bincount(found[true == n]).argmax() for n in range(1, true.max() + 1)]
    return sum(n for host, n in Counter(hosts).items() if host and n > 1)


def count_objects(masks: list[np.ndarray], predicted: list[np.ndarray]) -> dict[str, int]:
    """Objects of all pictures; a pair is found where its intersection over union is 0.5 or more."""
    pairs = list(zip(masks, predicted, strict=True))
    scores = [object_scores(mask, ids, 2) for mask, ids in pairs]
    kinds = ("found", "missed", "invented")
    counts = {kind: sum(int(getattr(s, kind)[0, 1]) for s in scores) for kind in kinds}
    return {**counts, "merged": sum(merged(mask, ids) for mask, ids in pairs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the nuclei")
    parser.add_argument("--out", type=Path, help="of this run; default: outputs/nuclei_WEIGHTS")
    parser.add_argument("--weights", choices=("border", "none"), default="border")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    out = args.out or Path("outputs") / f"nuclei_{args.weights}"
    train, val = nuclei(args.data, "train").split((0.9, 0.1))
    weights = border_weights if args.weights == "border" else None
    how = recipe(args, len(train))
    run = semseg.training.train(train, how, out, validation=val, sample_weight=weights)

    images, masks = map(list, zip(*nuclei(args.data, "test"), strict=True))
    predicted = semseg.inference.predict(run.model, images)
    counts = count_objects(masks, predicted)
    (out / "objects.json").write_text(json.dumps(counts, indent=2))
    print(f"\n{run.scores}\n\n{len(images)} test pictures, weights: {args.weights}")
    print("\n".join(f"{kind:<9}{count:>6,} nuclei" for kind, count in counts.items()))
    crowded = sorted(range(len(masks)), key=lambda i: -components(masks[i]).max())[:4]
    shown = [[each[i] for i in crowded] for each in (images, masks, predicted)]
    panel = semseg.viz.draw_comparison(*shown, val.class_map, background="background")
    semseg.viz.save(out / "predictions.png", panel)
    heat = semseg.viz.draw_weights(border_weights(shown[1][0]), shown[0][0])
    semseg.viz.save(out / "weights.png", heat)
    print(f"saved {out / 'model.keras'} and {out / 'predictions.png'}")


if __name__ == "__main__":
    main()
