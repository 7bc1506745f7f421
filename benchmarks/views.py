"""What test-time augmentation gains on CamVid, and what it costs.

    python examples/train_camvid.py --data CAMVID --model fcn8s --size 120x160 --out RUN ...
    python benchmarks/views.py --data CAMVID --model RUN/model.keras --size 120x160

Every set of views scores the same test pictures at their full size. "times_one" is the processor
time over that of one view; "p" is the chance of a difference this large between equals, from
`metrics.functional.compare` over pictures.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import harness
import numpy as np

import semseg
from semseg.metrics.functional import bootstrap, compare, confusion_matrix, scores

VIEWS: dict[str, Any] = {
    "one": None,
    "mirrored": "flip",
    "three scales": [0.75, 1.0, 1.25],
    "mirrored, three scales": ["flip", 0.75, 1.0, 1.25],
    "turns and mirrored turns": "dihedral",
}


def confusions(model: Any, ds: semseg.data.Dataset, size: tuple[int, int], tta: Any) -> np.ndarray:
    """One matrix a picture, (pictures, classes, classes)."""
    images, masks = zip(*(ds[i] for i in range(len(ds))), strict=True)
    found = semseg.inference.predict(model, list(images), size=size, tta=tta)
    classes, ignored = ds.class_map.num_classes, ds.class_map.ignore_class
    return confusion_matrix(np.stack(masks), np.stack(found), classes, ignored, per_image=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="CamVid's folder")
    parser.add_argument("--model", type=Path, required=True, help="a .keras file")
    parser.add_argument("--size", default="120x160", help="at which the model sees the pictures")
    parser.add_argument("--pictures", type=int, help="fewer than all, evenly chosen")
    args = parser.parse_args()
    height, width = map(int, args.size.split("x"))
    ds = semseg.data.camvid(args.data, "test")
    if args.pictures:
        ds = ds.subset(np.linspace(0, len(ds) - 1, args.pictures).round().astype(int).tolist())
    model = semseg.models.load(args.model)
    semseg.inference.predict(model, ds[0][0], size=(height, width))  # compiles
    rows: list[dict[str, Any]] = []
    one: Any = None
    for name, tta in VIEWS.items():
        begun = time.process_time()
        found = confusions(model, ds, (height, width), tta)
        seconds = time.process_time() - begun
        one = (found, seconds) if one is None else one
        interval = bootstrap(found)
        row = {"views": name, "pictures": len(ds), "mean_iou": scores(found.sum(0)).mean_iou}
        row |= {"low": interval.low, "high": interval.high, "times_one": seconds / one[1]}
        row["p"] = 1.0 if found is one[0] else compare(one[0], found).p_value
        rows.append(row)
    harness.write("views", rows)


if __name__ == "__main__":
    main()
