"""Trains on CamVid at a reduced size and scores against the full-size test masks.

    python examples/train_camvid.py --data DIR --model unet --size 180x240 --epochs 12 --out DIR

Started again with the same --out after an interruption, it goes on after the last whole epoch.
`--out` then holds model.keras, scores.json, run.json, history.png and predictions.png.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# Faster convolutions for narrow networks, which TensorFlow leaves off without AVX-512. The 7x7
# kernels of segnet_basic hang with them, the wide fcn8s and segnet may: docs/benchmarks.md.
if "--model" not in sys.argv or "unet" in sys.argv:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import keras

import semseg
from semseg.data.transforms import Brightness, Contrast, Flip, RandomCrop, RandomScale

# Of --model: the builder's name in semseg.models.build, and what differs from its defaults.
MODELS = {
    # Small enough for ten minutes on two cores; the paper's has 64 filters.
    "unet": {"depth": 4, "filters": 12},
    "fcn8s": {"fc_units": 512},  # 4096 in the paper, which has 1000 classes to prepare for
    "segnet": {},
    "segnet_basic": {},
}


class Checkpoint(keras.callbacks.Callback):
    """Keeps model, optimizer and history at the end of each epoch, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file, self.log = folder / "checkpoint.keras", folder / "history.json"
        self.history: list[dict[str, float]] = []
        self._start = time.perf_counter()

    def restore(self, steps_per_epoch: int) -> keras.Model | None:
        """The model of an interrupted run, and its history up to the epoch it has finished."""
        if not self.file.is_file():
            return None
        model = semseg.models.load(self.file)
        # The file itself says how far it is: a log written ahead of it is cut, not believed.
        epochs = int(model.optimizer.iterations) // steps_per_epoch
        self.history = json.loads(self.log.read_text())[:epochs]
        return model

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        now = time.perf_counter()
        row = {**(logs or {}), "seconds": now - self._start}
        self._start = now
        self.history = [*self.history[:epoch], row]
        half = self.log.with_suffix(".half")
        half.write_text(json.dumps(self.history))
        os.replace(half, self.log)
        half = self.file.with_name("half.keras")
        self.model.save(half)
        os.replace(half, self.file)


def build(args: argparse.Namespace, ds: semseg.data.Dataset, steps: int) -> keras.Model:
    """A compiled model with a schedule that ends after `steps` steps."""
    arguments = MODELS[args.model]
    if args.encoder_weights:
        arguments = {**arguments, "encoder_weights": args.encoder_weights}
    model = semseg.models.build(args.model, class_map=ds.class_map, **arguments)
    ignored = ds.class_map.ignore_class
    # Square roots: the whole inverse makes a pixel of a bicycle worth a hundred of road.
    weights = ds.class_weights("inverse", absent=1.0) ** 0.5
    warmup = max(1, steps // 20)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=args.learning_rate, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=1e-4),
        loss=semseg.losses.Crossentropy(ignored, class_weights=weights),
        metrics=[
            semseg.metrics.MeanIoU(ds.class_map.num_classes, ignore_class=ignored),
            semseg.metrics.PixelAccuracy(ds.class_map.num_classes, ignore_class=ignored),
        ],
    )
    return model


def fit(args: argparse.Namespace, train, val) -> tuple[keras.Model, list[dict[str, float]]]:
    """Trains the epochs that are still missing."""
    steps_per_epoch = -(-len(train) // args.batch)
    checkpoint = Checkpoint(args.out)
    model = checkpoint.restore(steps_per_epoch)
    if model is None:
        model = build(args, train, args.epochs * steps_per_epoch)
    done = len(checkpoint.history)
    if done:
        print(f"going on after epoch {done} of {args.epochs}")
    augment = [
        RandomScale(0.75, 1.5),
        RandomCrop(args.size),
        Flip(),
        Brightness(0.2),
        Contrast(0.2),
    ]
    batches = train.pipeline(
        args.batch,
        args.size,
        augment,
        seed=args.seed,
        cache="ram",
        start_step=done * steps_per_epoch,
    )
    model.fit(
        batches,
        validation_data=val.pipeline(args.batch, args.size, shuffle=False, cache="ram"),
        initial_epoch=done,
        epochs=args.epochs,
        callbacks=[checkpoint],
        shuffle=False,  # the pipeline shuffles; Keras warns otherwise
    )
    return model, checkpoint.history


def report(args: argparse.Namespace, model, history, test) -> None:
    """Scores at full size, curves and a panel."""
    print(f"scoring {len(test)} test pictures at full size ...")
    scores = semseg.inference.score(model, test, size=args.size, batch_size=args.batch)
    print(scores)
    seconds = sum(row.pop("seconds") for row in history)
    result = {**scores.to_dict(), "training_seconds": seconds, "epochs": len(history)}
    (args.out / "scores.json").write_text(json.dumps(result, indent=2))
    curves = {key: [row[key] for row in history] for key in history[0]}
    semseg.viz.save(args.out / "history.png", semseg.viz.plot_history(curves))
    images, masks = zip(*(test[i] for i in range(0, len(test), -(-len(test) // 4))), strict=True)
    predicted = semseg.inference.predict(model, list(images), size=args.size)
    panel = semseg.viz.draw_comparison(images, masks, predicted, test.class_map)
    semseg.viz.save(args.out / "predictions.png", panel)
    print(f"training took {seconds:.0f} s; results are in {args.out}")


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
    parser.add_argument(
        "--encoder-weights", help="of VGG16, for fcn8s and segnet: imagenet or a file"
    )
    parser.add_argument("--samples", type=int, default=None, help="of each split (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse()
    sets = {}
    for split in ("train", "val", "test"):
        ds = semseg.data.camvid(args.data, split)
        sets[split] = ds if args.samples is None else ds.subset(range(min(args.samples, len(ds))))
    settings = {k: v for k, v in vars(args).items() if k not in ("data", "out")}
    args.out = semseg.training.start_run(args.out, settings, sets)
    keras.utils.set_random_seed(args.seed)
    model, history = fit(args, sets["train"], sets["val"])
    model.save(args.out / "model.keras")
    report(args, model, history, sets["test"])


if __name__ == "__main__":
    main()
