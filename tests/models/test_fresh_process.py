"""A saved model in a process that has seen nothing: same predictions, classes and scores.

This file is both the test and, run as a script, the fresh process.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMPILED = ("unet", "unet binary with classes", "unet sigmoid")


def report(folder):
    """What a fresh process finds: it knows the folder, and imports semseg.models alone."""
    import keras

    import semseg.models

    found = {}
    for file in sorted(Path(folder).glob("*.keras")):
        model = semseg.models.load(file)
        data = np.load(file.with_suffix(".npz"))
        classes = semseg.models.class_map(model)
        found[file.stem] = {
            "prediction": np.asarray(model(data["images"])).tolist(),
            "class_map": None if classes is None else classes.to_dict(),
        }
        if model.compiled:
            model = keras.saving.load_model(file)  # by Keras's own words too
            batch = {"x": data["images"], "y": data["masks"], "batch_size": 2}
            scores = model.evaluate(**batch, verbose=0, return_dict=True)
            counts = [m for m in model.metrics[1].metrics if hasattr(m, "confusion")]
            found[file.stem] |= {
                "scores": scores,
                "confusion": [metric.confusion().tolist() for metric in counts],
            }
    return found


def save(name, folder):
    """One variant with its pictures, some compiled and scored, in this process."""
    from architectures import built, pictures

    from semseg.losses import Crossentropy
    from semseg.metrics import MeanIoU, PixelAccuracy

    model = built(name)
    images = pictures(model, (9, 7), batch=3)
    channels = model.output.shape[-1]
    masks = np.random.default_rng(0).choice([*range(max(2, channels)), 255], (3, 9, 7))
    np.savez(folder / f"{name}.npz", images=images, masks=masks)
    if name in COMPILED:
        sigmoid = name == "unet sigmoid"
        classes, threshold = (channels, 255), 0.5 if sigmoid else 0.0
        model.compile(
            "adam",
            Crossentropy(255, label_smoothing=0.1, from_logits=not sigmoid),
            metrics=[MeanIoU(*classes, threshold), PixelAccuracy(*classes, threshold)],
        )
        model.evaluate(images, masks, verbose=0)
    model.save(folder / f"{name}.keras")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What this process and a fresh one say about every variant."""
    from architectures import MODELS

    folder = tmp_path_factory.mktemp("saved")
    for name in MODELS:
        save(name, folder)
    root = Path(__file__).resolve().parents[2]
    fresh = subprocess.run(
        [sys.executable, __file__, folder],
        cwd=folder,
        env=environment(root),
        capture_output=True,
        text=True,
        check=False,
    )
    assert fresh.returncode == 0, fresh.stderr
    return report(folder), json.loads((folder / "fresh.json").read_text())


def environment(root):
    """This process's, with the checkout importable from anywhere."""
    import os

    return {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}


def test_every_variant_predicts_the_same_and_keeps_its_classes(both):
    from architectures import MODELS

    here, fresh = both
    assert set(here) == set(fresh) == set(MODELS)
    for name in MODELS:
        np.testing.assert_allclose(
            fresh[name]["prediction"], here[name]["prediction"], rtol=1e-6, atol=1e-6, err_msg=name
        )
        expected = MODELS[name].keywords.get("class_map")
        assert fresh[name]["class_map"] == (None if expected is None else expected.to_dict())


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_losses_and_metrics_score_the_same_without_custom_objects(both, name):
    here, fresh = (found[name] for found in both)
    assert set(fresh["scores"]) == {"loss", "mean_iou", "pixel_accuracy"}
    assert fresh["scores"] == pytest.approx(here["scores"], rel=1e-6)
    assert fresh["confusion"] == here["confusion"]
    assert len(fresh["confusion"]) == 2 and np.sum(fresh["confusion"][0]) > 0


if __name__ == "__main__":
    Path(sys.argv[1], "fresh.json").write_text(json.dumps(report(sys.argv[1])))
