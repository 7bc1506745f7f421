"""Trains on CamVid at a reduced size and scores against the full-size test masks.

    python examples/train_camvid.py --data DIR --model unet --size 180x240 --epochs 12 --out DIR

Started again with the same --out after an interruption, it goes on after the last whole epoch.
`--out` then holds model.keras, run.json, history.png, predictions.png, and the scores on validation
and test data: scores.json, test_scores.json.
"""

import argparse
import json
import os
import sys
from pathlib import Path

# Faster convolutions for narrow networks, which TensorFlow leaves off without AVX-512. The 7x7
# kernels of segnet_basic hang with them, the wide fcn8s and segnet may: docs/benchmarks.md.
if "--model" not in sys.argv or "unet" in sys.argv:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import semseg

# Of --model: the builder's name in semseg.models.build, and what differs from its defaults.
MODELS = {
    "unet": {"depth": 4, "filters": 12},  # ten minutes on a CPU; the paper's has 64 filters
    "fcn8s": {"fc_units": 512},  # 4096 in the paper, which has 1000 classes to prepare for
    "segnet": {},
    "segnet_basic": {},
}


def recipe(args: argparse.Namespace, samples: int) -> semseg.training.Recipe:
    """Random crops of rescaled pictures, and class weights that help poles and bicycles."""
    arguments = MODELS[args.model]
    if args.encoder_weights:
        arguments = {**arguments, "encoder_weights": args.encoder_weights}
    per_epoch = -(-samples // args.batch)
    return semseg.training.Recipe(
        model=args.model,
        model_arguments=arguments,
        size=args.size,
        augmentation="light",
        batch=args.batch,
        steps=args.epochs * per_epoch,
        steps_per_epoch=per_epoch,
        # Square roots: the whole inverse makes a pixel of a bicycle worth a hundred of road.
        class_weights="root_inverse",
        learning_rate=args.learning_rate,
        warmup=args.epochs * per_epoch // 20,
        seed=args.seed,
    )


def report(args: argparse.Namespace, model, test: semseg.data.Dataset) -> None:
    """Scores at full size, and a panel."""
    print(f"scoring {len(test)} test pictures at full size ...")
    scores = semseg.inference.score(model, test, size=args.size, batch_size=args.batch)
    print(scores)
    (args.out / "test_scores.json").write_text(json.dumps(scores.to_dict(), indent=2))
    images, masks = zip(*(test[i] for i in range(0, len(test), -(-len(test) // 4))), strict=True)
    predicted = semseg.inference.predict(model, list(images), size=args.size)
    panel = semseg.viz.draw_comparison(images, masks, predicted, test.class_map)
    semseg.viz.save(args.out / "predictions.png", panel)


def parse() -> argparse.Namespace:
    def size(text: str) -> tuple[int, int]:
        height, width = text.split("x")
        return int(height), int(width)

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="CamVid's folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--model", choices=MODELS, default="unet")
    parser.add_argument("--size", type=size, default=(180, 240), metavar="HEIGHTxWIDTH")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--encoder-weights", help="VGG16's, for fcn8s, segnet: imagenet or a file")
    parser.add_argument("--samples", type=int, default=None, help="of each split (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse()
    sets = {}
    for split in ("train", "val", "test"):
        ds = semseg.data.camvid(args.data, split)
        sets[split] = ds if args.samples is None else ds.subset(range(min(args.samples, len(ds))))
    run = semseg.training.train(
        sets["train"], recipe(args, len(sets["train"])), args.out, validation=sets["val"]
    )
    report(args, run.model, sets["test"])
    print(f"results are in {run.folder}")


if __name__ == "__main__":
    main()
