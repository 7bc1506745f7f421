"""From nothing to a trained, scored, saved and drawn model, on data that needs no download.

    python examples/quickstart.py

trains a small U-Net on scenes of handwritten digits, prints the scores on held-out scenes, saves
the model, loads it in a fresh process, scores it again, and draws its predictions.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

# Faster convolutions for narrow networks, which TensorFlow leaves off without AVX-512.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import keras

import semseg

RECIPE = "digits/unet"


def shortened(steps: int, seed: int) -> semseg.training.Recipe:
    """The measured recipe for about so many steps."""
    per_epoch = min(steps, 100)
    steps -= steps % per_epoch
    changes = {"steps": steps, "steps_per_epoch": per_epoch, "warmup": steps // 15, "seed": seed}
    return semseg.training.recipe(RECIPE, **changes)


def held_out(scenes: int, seed: int) -> semseg.data.Dataset:
    """Scenes of digits and photographs that no training scene shows."""
    return semseg.data.digits("test", count=scenes, seed=seed)


def score_in_fresh_process(out: Path, scenes: int, seed: int) -> dict[str, float]:
    """What a process that knows nothing but the file says."""
    command = [sys.executable, __file__, "--score", str(out / "model.keras")]
    command += ["--scenes", str(scenes), "--seed", str(seed)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def score_file(path: Path, scenes: int, seed: int) -> None:
    """Loads a saved model and prints its scores as JSON."""
    scores = semseg.inference.score(semseg.models.load(path), held_out(scenes, seed))
    print(json.dumps({key: scores[key] for key in ("mean_iou", "pixel_accuracy")}))


def draw(model: keras.Model, ds: semseg.data.Dataset, path: Path) -> None:
    """Rows of image | truth | prediction | error, with a legend."""
    pairs = [ds[i] for i in range(min(4, len(ds)))]
    images = [image for image, _ in pairs]
    masks = [mask for _, mask in pairs]
    predicted = semseg.inference.predict(model, images)
    semseg.viz.save(path, semseg.viz.draw_comparison(images, masks, predicted, ds.class_map))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=900, help="training batches (default 900)")
    parser.add_argument("--scenes", type=int, default=100, help="held-out scenes (default 100)")
    parser.add_argument("--out", type=Path, default=Path("outputs/quickstart"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--score", type=Path, metavar="FILE", help="only score a saved model")
    args = parser.parse_args()
    if args.score:
        return score_file(args.score, args.scenes, args.seed)

    ds = held_out(args.scenes, args.seed)
    recipe = shortened(args.steps, args.seed)
    scenes = semseg.data.digits("train", count=recipe.steps * recipe.batch, seed=args.seed)
    start = time.perf_counter()
    model, _, _, out = semseg.training.train(scenes, recipe, args.out)
    print(
        f"\ntrained in {time.perf_counter() - start:.0f} s; scores on {len(ds)} held-out scenes:\n"
    )
    scores = semseg.inference.score(model, ds)
    print(scores)

    again = score_in_fresh_process(out, args.scenes, args.seed)
    same = all(again[key] == scores[key] for key in again)
    print(
        f"\nloaded in a fresh process: mean IoU {again['mean_iou']!r}, here "
        f"{scores['mean_iou']!r}: {'the same to the last digit' if same else 'NOT THE SAME'}"
    )
    draw(model, ds, out / "predictions.png")
    print(f"saved {out / 'model.keras'} and {out / 'predictions.png'}")
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    main()
