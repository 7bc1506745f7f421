"""What the notebook's answers rest on: trainings that differ in one thing, with three seeds.

    python benchmarks/scenarios.py                   # what needs no files
    python benchmarks/scenarios.py --data DIR        # the nuclei too
    python benchmarks/scenarios.py --data DIR --vgg16 FILE    # and pretrained weights, on CamVid
    python benchmarks/scenarios.py --only augmentation --steps 20 --results /tmp/try.json

Each scenario is a question, its variants the possible answers. All variants of one have the same
test pictures. A row is written as soon as it is there, and is not trained again; a training that
was stopped goes on.
"""

import argparse
import dataclasses
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
import cv2
import harness
import keras
import numpy as np

import semseg
from semseg.data import Dataset
from semseg.data.transforms import Blur, Brightness, Compose, Contrast, Flip
from semseg.metrics.functional import object_scores, scores, trimap_confusion
from semseg.training import Recipe, compiled_model, train

RESULTS = harness.RESULTS / "scenarios.json"
SEEDS = (0, 1, 2)
SIZE, TEST = (64, 64), 200  # of the scenes, and how many judge
BORDER = 3  # pixels on each side of a border; F1 of borders has none where a rim is ignored
BASE = Recipe(
    model_arguments={"depth": 3, "filters": 8}, learning_rate=6e-3, steps=500, steps_per_epoch=100,
    warmup=40, loss={"Crossentropy": 1.0, "Dice": 0.5}, class_weights="root_inverse",
)  # fmt: skip
MANY = BASE.steps * BASE.batch  # scenes: each is seen once


class Variant(NamedTuple):
    """One answer: what it is trained on, how, and what is done instead of the recipe's `train`.

    Attributes:
        ds: the training set.
        recipe: how.
        augment: transforms in the place of the recipe's preset.
        sample_weight: of `ds.pipeline`.
    """

    ds: Dataset
    recipe: Recipe
    augment: Compose | None = None
    sample_weight: Any = None


class Scenario(NamedTuple):
    """A question: its variants and the pictures that decide."""

    variants: Callable[[], dict[str, Variant]]
    test: Callable[[], Dataset]


def scenes(count: int, split: str = "train") -> Dataset:
    """Figures, lines 1 to 3 pixels wide, and rare stars, on a background.

    What kind of figure it is takes longer to learn than this script has; the rest does not.
    """
    kinds = ("disc", "ring", "rectangle", "triangle")
    found = semseg.data.shapes(split, count=count, size=SIZE)
    return found.map_classes(dict.fromkeys(kinds, "figure"))


def test_scenes() -> Dataset:
    """Scenes that no training scene shows."""
    return scenes(TEST, "test")


def architectures() -> dict[str, Variant]:
    """The three networks, made small, for as many steps."""
    ds = scenes(MANY)

    def of(model: str, **arguments: Any) -> Variant:
        return Variant(ds, dataclasses.replace(BASE, model=model, model_arguments=arguments))

    return {
        "U-Net": Variant(ds, BASE),
        "SegNet-Basic": of("segnet_basic", filters=16),
        "FCN-8s": of("fcn8s", encoder="mobilenetv2", fc_units=128),
    }


def few_pictures() -> dict[str, Variant]:
    """Twenty pictures, with and without augmentation, against as many as one likes."""
    few, many = scenes(20), scenes(MANY)
    return {
        "20 pictures": Variant(few, BASE),
        "20 pictures, augmented": Variant(few, dataclasses.replace(BASE, augmentation="light")),
        f"{MANY:,} pictures": Variant(many, BASE),
    }


def augmentation() -> dict[str, Variant]:
    """Of a hundred pictures; what blurs or shrinks makes the lines go, which mirroring leaves."""
    ds = scenes(100)
    return {
        "none": Variant(ds, BASE),
        "brightness and contrast": Variant(ds, BASE, Compose([Brightness(0.1), Contrast(0.1)])),
        "mirror images": Variant(ds, BASE, Compose([Flip()])),
        "blur": Variant(ds, BASE, Compose([Blur((1, 3))])),
    }


def size_or_width() -> dict[str, Variant]:
    """About the same time a step: half the size with twice the filters, or the other way round."""
    ds = scenes(MANY)

    def of(size: tuple[int, int] | None, filters: int) -> Variant:
        arguments = {"depth": 3, "filters": filters}
        return Variant(ds, dataclasses.replace(BASE, size=size, model_arguments=arguments))

    return {
        "64 x 64, 8 filters": of(None, 8),
        "64 x 64, 4 filters": of(None, 4),
        "32 x 32, 16 filters": of((32, 32), 16),
    }


def changed(ds: Dataset, change: Callable[[np.ndarray], np.ndarray]) -> Dataset:
    """The same pictures with changed masks."""
    return Dataset(
        lambda i: (ds[i][0], change(ds[i][1])), ds.ids, ds.class_map,
        f"{ds.name}, {change.__name__}",
    )  # fmt: skip


def wrong_masks() -> dict[str, Variant]:
    """Masks as people get them wrong."""
    ds = scenes(MANY)

    def resized(mask: np.ndarray) -> np.ndarray:
        """Reduced and enlarged bilinearly: ids between two ids along every border."""
        height, width = mask.shape
        known = np.where(mask == 255, 0, mask).astype(np.float32)
        small = cv2.resize(known, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
        back = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return back.round().astype(np.uint8)

    def shifted(mask: np.ndarray) -> np.ndarray:
        """Ids one too high, the last one of them taken for the first."""
        return np.where(mask == 255, 255, (mask + 1) % 4).astype(np.uint8)

    def without_ignored(mask: np.ndarray) -> np.ndarray:
        """The rims, which nobody should learn, are background."""
        return np.where(mask == 255, 0, mask).astype(np.uint8)

    return {
        "right": Variant(ds, BASE),
        "resized bilinearly": Variant(changed(ds, resized), BASE),
        "ids one too high": Variant(changed(ds, shifted), BASE),
        "rims learnt as background": Variant(changed(ds, without_ignored), BASE),
    }


def cells(root: Path, split: str = "train") -> Dataset:
    """Nuclei with a gap of background where they touch, so that each is a part of its own."""
    found = semseg.data.nuclei(root / "nuclei", split, border=True)
    return found.map_classes({"border": "background"})


def touching_cells(root: Path) -> dict[str, Variant]:
    """U-Net's weights for the gaps between cells (Ronneberger et al. 2015, equation 2)."""
    ds = cells(root)
    recipe = dataclasses.replace(
        BASE, model_arguments={**BASE.model_arguments, "norm": "group"}, crop=(128, 128),
        augmentation="light", steps=300, steps_per_epoch=100, loss={"Crossentropy": 1.0},
        class_weights=None,
    )  # fmt: skip
    return {
        "without weights": Variant(ds, recipe),
        "with border weights": Variant(ds, recipe, sample_weight=semseg.regions.border_weights),
    }


def streets(root: Path, split: str, count: int) -> Dataset:
    """Pictures of CamVid spread over its drives."""
    ds = semseg.data.camvid(root / "camvid", split)
    return ds.subset(np.linspace(0, len(ds) - 1, count).round().astype(int))


def pretrained(root: Path, weights: Path) -> dict[str, Variant]:
    """Convolutions that have seen photographs, for few photographs of streets."""
    ds = streets(root, "train", 60)
    recipe = dataclasses.replace(
        BASE, size=(120, 160), augmentation="light", learning_rate=1e-3, steps=100,
        model_arguments={"encoder": "vgg16", "filters": 16},
    )  # fmt: skip
    small = dataclasses.replace(
        recipe, model_arguments={"depth": 4, "filters": 16}, learning_rate=BASE.learning_rate
    )
    with_weights = {**recipe.model_arguments, "encoder_weights": str(weights)}
    return {
        "VGG16, pretrained": Variant(ds, dataclasses.replace(recipe, model_arguments=with_weights)),
        "VGG16 from scratch": Variant(ds, recipe),
        "small U-Net from scratch": Variant(ds, small),
    }


def seen_often(root: Path) -> dict[str, Variant]:
    """Twenty photographs of streets, each shown two hundred times: what augmentation is for."""
    ds = streets(root, "train", 20)
    recipe = dataclasses.replace(
        BASE, size=(120, 160), model_arguments={"depth": 4, "filters": 12}, steps=1000
    )
    return {
        name: Variant(ds, dataclasses.replace(recipe, augmentation=preset))
        for name, preset in (("none", None), ("light", "light"), ("street", "street"))
    }


def scenarios(data: Path | None, weights: Path | None) -> dict[str, Scenario]:
    """All questions that can be asked of the data at hand."""
    found = {
        name.__name__: Scenario(name, test_scenes)
        for name in (architectures, few_pictures, augmentation, size_or_width, wrong_masks)
    }
    if data is not None:
        found["touching_cells"] = Scenario(
            lambda: touching_cells(data), lambda: cells(data, "test")
        )
        found["seen_often"] = Scenario(lambda: seen_often(data), lambda: streets(data, "test", 60))
    if data is not None and weights is not None:
        found["pretrained"] = Scenario(
            lambda: pretrained(data, weights), lambda: streets(data, "test", 60)
        )
    return found


def trained(variant: Variant, folder: Path) -> keras.Model:
    """By `train`, or, where transforms stand in the place of the preset, by its two pieces."""
    ds, recipe, weights = variant.ds, variant.recipe, variant.sample_weight
    if variant.augment is None:
        return train(ds, recipe, folder, sample_weight=weights, verbose=0).model
    keras.utils.set_random_seed(recipe.seed)
    model = compiled_model(ds, recipe)
    model.fit(
        ds.pipeline(recipe.batch, recipe.size, variant.augment, seed=recipe.seed, repeat=True),
        steps_per_epoch=recipe.steps_per_epoch, epochs=recipe.epochs, shuffle=False, verbose=0,
    )  # fmt: skip
    return model


def scored(model: keras.Model, ds: Dataset, recipe: Recipe) -> dict[str, float]:
    """Region, border and object scores on the test pictures."""
    regions = semseg.inference.score(model, ds, size=recipe.size, batch_size=recipe.batch)
    classes, ignored = ds.class_map.num_classes, ds.class_map.ignore_class
    pairs = [ds[i] for i in range(min(len(ds), 50))]
    predicted = semseg.inference.predict(
        model, [image for image, _ in pairs], size=recipe.size, batch_size=recipe.batch
    )
    bands = [
        trimap_confusion(mask, ids, classes, ignored, width=BORDER)
        for (_, mask), ids in zip(pairs, predicted, strict=True)
    ]
    found = {
        "mean_iou": regions["mean_iou"],
        "pixel_accuracy": regions["pixel_accuracy"],
        "border_mean_iou": scores(np.sum(bands, axis=0)).mean_iou,
    }
    if classes == 2:
        counts = [
            object_scores(mask, ids, 2, ignored)
            for (_, mask), ids in zip(pairs, predicted, strict=True)
        ]
        kinds = zip(*((c.found, c.missed, c.invented) for c in counts), strict=True)
        right, missed, invented = (int(np.sum(kind)) for kind in kinds)
        found["object_f1"] = 2 * right / max(1, 2 * right + missed + invented)
    return found


def described(variant: Variant) -> dict[str, Any]:
    """What a training depends on: variants of several scenarios that are one are trained once."""
    weights = getattr(variant.sample_weight, "__name__", None)
    return {
        "data": f"{variant.ds.name}, {len(variant.ds)}",
        "recipe": variant.recipe.to_dict(),
        "augment": None if variant.augment is None else repr(variant.augment),
        "sample_weight": weights,
    }


def measured(variant: Variant, test: Dataset, folder: Path) -> dict[str, Any]:
    """A training's scores, time and circumstances."""
    begun = time.perf_counter()
    model = trained(variant, folder)
    minutes = (time.perf_counter() - begun) / 60
    return {
        **scored(model, test, variant.recipe),
        "minutes": minutes,
        "parameters": model.count_params(),
        "trained": described(variant),
        **harness.circumstances(),
    }


def measure(name: str, scenario: Scenario, rows: list[dict[str, Any]], args: Any) -> None:
    """Adds the rows of a scenario that are missing."""
    test = scenario.test()
    for label, variant in scenario.variants().items():
        for seed in SEEDS[: args.seeds]:
            key = {"scenario": name, "variant": label, "seed": seed}
            if harness.has_row(rows, key):
                continue
            changes: dict[str, Any] = {"seed": seed}
            if args.steps:
                changes |= {"steps": args.steps, "steps_per_epoch": args.steps, "warmup": 1}
            variant = variant._replace(recipe=dataclasses.replace(variant.recipe, **changes))
            print(f"{name}: {label}, seed {seed}", flush=True)
            folder = args.out / f"{name}-{label}-{seed}".replace(" ", "_")
            same = [row for row in rows if row["trained"] == described(variant)]
            row = {**same[0], **key} if same else {**key, **measured(variant, test, folder)}
            harness.add_row(args.results, rows, row)
            shutil.rmtree(folder, ignore_errors=True)


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the seeds and the spread of the first score."""
    lines = []
    for name, label in dict.fromkeys((row["scenario"], row["variant"]) for row in rows):
        own = [r for r in rows if (r["scenario"], r["variant"]) == (name, label)]
        line = {"scenario": name, "variant": label, "seeds": len(own)}
        for score in ("mean_iou", "border_mean_iou", "object_f1", "minutes"):
            values = [row[score] for row in own if score in row]
            line[score] = statistics.mean(values) if values else float("nan")
        ious = [row["mean_iou"] for row in own]
        lines.append({**line, "spread": max(ious) - min(ious)})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--data", type=Path, help="folder with nuclei/ and camvid/")
    parser.add_argument("--vgg16", type=Path, help="weights of keras.applications.VGG16")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--steps", type=int, help="fewer, to try the script")
    parser.add_argument("--out", type=Path, default=Path("outputs/scenarios"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.steps and args.results == RESULTS:
        parser.error("--steps makes rows that are no results: give --results another file")
    rows = harness.stored_rows(args.results)
    for name, scenario in scenarios(args.data, args.vgg16).items():
        if not args.only or name in args.only:
            measure(name, scenario, rows, args)
    harness.show(table(rows))


if __name__ == "__main__":
    main()
