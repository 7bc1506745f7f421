"""A saved model in a process that has seen nothing: same predictions, classes and scores.

This file is both the test and, run as a script, the fresh process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMPILED = ("unet with classes", "unet sigmoid")
# One of each architecture, and what Keras reads back in a way of its own; all others nightly.
SOME = (*COMPILED, "unet group norm", "fcn16s learnt", "segnet", "segnet_basic")


def report(folder):
    """What a fresh process finds: it knows the folder, and imports semseg.models alone."""
    import keras

    import semseg.models

    found = {}
    for file in sorted(Path(folder).glob("*.keras")):
        # Both ways to load: ours, and Keras's own after the import.
        load = keras.saving.load_model if file.stem in COMPILED else semseg.models.load
        with np.load(file.with_suffix(".npz")) as data:
            found[file.stem] = described(load(file), data["images"], data["masks"])
    return found


def described(model, images, masks):
    """Predictions, classes and, where the model is compiled, its scores."""
    from semseg.models import class_map

    classes = class_map(model)
    found = {
        "prediction": np.asarray(model(images)).tolist(),
        "class_map": None if classes is None else classes.to_dict(),
    }
    if model.compiled:
        found["scores"] = model.evaluate(images, masks, 2, verbose=0, return_dict=True)
        metrics = model.metrics[1].metrics  # after the loss tracker, those of `compile`
        found["confusion"] = [metric.confusion().tolist() for metric in metrics]
    return found


def save(name, folder):
    """Saves one variant with its pictures, some compiled, and describes it."""
    from architectures import built, pictures

    from semseg.losses import Crossentropy
    from semseg.metrics import MeanIoU, PixelAccuracy
    from semseg.training import AdamW, WarmupPoly

    model = built.__wrapped__(name) if name in COMPILED else built(name)  # compiling changes it
    images = pictures(model, (9, 7), batch=3)
    channels = model.output.shape[-1]
    masks = np.random.default_rng(0).choice([*range(max(2, channels)), 255], (3, 9, 7))
    np.savez(folder / f"{name}.npz", images=images, masks=masks)
    if name in COMPILED:
        threshold = 0.5 if name == "unet sigmoid" else 0.0
        model.compile(
            AdamW(WarmupPoly(1e-3, steps=10, warmup=2)),
            Crossentropy(255, label_smoothing=0.1, from_logits=name != "unet sigmoid"),
            metrics=[metric(channels, 255, threshold) for metric in (MeanIoU, PixelAccuracy)],
        )
        # Keras warns on loading where an optimizer was saved before its first step.
        model.optimizer.build(model.trainable_variables)
    model.save(folder / f"{name}.keras")
    return described(model, images, masks)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What this process and a fresh one say about some variants."""
    return in_both(SOME, tmp_path_factory.mktemp("saved"))


def in_both(names, folder):
    """What this process and a fresh one say about variants."""
    here = {name: save(name, folder) for name in names}
    root = str(Path(__file__).resolve().parents[2])
    fresh = subprocess.run(
        [sys.executable, __file__, folder],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fresh.returncode == 0, fresh.stderr
    return here, json.loads((folder / "fresh.json").read_text())


def test_a_saved_model_predicts_the_same_and_keeps_its_classes(both):
    check_same(*both)


@pytest.mark.slow
def test_every_other_variant_does_so_too(tmp_path):
    from architectures import MODELS

    check_same(*in_both(sorted(set(MODELS) - set(SOME)), tmp_path))


def check_same(here, fresh):
    """Equal predictions, and the classes that the variant was built with."""
    from architectures import MODELS

    assert set(here) == set(fresh)
    for name in here:
        # The order in which threads add up float32 differs from process to process.
        np.testing.assert_allclose(
            fresh[name]["prediction"], here[name]["prediction"], rtol=1e-5, atol=1e-5, err_msg=name
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
