"""A model trained and scored by two replicas: the numbers that one gives.

The number of devices is fixed when TensorFlow starts, so this file is both the test and, run as a
script, the process with two.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

IGNORE = 255


def dataset(count):
    """Images, and masks with the same number of ignored pixels in each."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 6, 5, 3), np.uint8)
    masks = rng.integers(0, 3, (count, 6, 5)).astype(np.int32)
    masks[:, :2] = IGNORE
    return images, masks


def unet():
    from semseg.models import UNet

    # Batch normalisation would see the part of the batch that its replica has.
    return UNet(num_classes=3, depth=1, filters=2, norm=None)


def unpooling_net():
    import keras

    from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D, PixelRescaling

    image = keras.Input((None, None, 3))
    x = PixelRescaling()(image)
    x = before = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x, indices = MaxPooling2DWithIndices()(x)
    x = keras.layers.Conv2D(4, 3, padding="same")(x)
    x = MaxUnpooling2D()([x, indices, before])
    return keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(x))


def trained_weights(loss, scope, build=unet):
    """Weights after three steps, with a batch of four over all replicas."""
    import keras

    images, masks = dataset(12)
    keras.utils.set_random_seed(0)
    with scope:
        model = build()
        model.compile(keras.optimizers.SGD(0.1), loss)
        history = model.fit(images, masks, batch_size=4, epochs=1, shuffle=False, verbose=0)
    flat = np.concatenate([weight.ravel() for weight in model.get_weights()])
    return {"weights": flat.tolist(), "loss": history.history["loss"]}


def counted(scope):
    """The matrices of 7 and of 5 images in batches of 4: the last replica gets 1, then none.

    The first batch is even because Keras builds the metrics from the sum of its parts.
    """
    import keras

    from semseg.losses import Crossentropy
    from semseg.metrics import MeanIoU, PixelAccuracy, SegmentationScores
    from semseg.models import UNet

    images, masks = dataset(7)
    weights = np.random.default_rng(1).random(masks.shape, np.float32)
    masks[0, 5, :3] = 77  # no class: counted as invalid
    keras.utils.set_random_seed(0)
    with scope:
        model = UNet(num_classes=3, depth=1, filters=2)
        metrics = [PixelAccuracy(3, IGNORE), SegmentationScores(None, 3, IGNORE)]
        weighted = [MeanIoU(3, IGNORE, name="weighted_iou")]
        # The loss is NaN for the invalid pixels.
        model.compile(loss=Crossentropy(IGNORE), metrics=metrics, weighted_metrics=weighted)
        found = []
        for count in (7, 5):
            batch = {"x": images[:count], "y": masks[:count], "batch_size": 4}
            batch["sample_weight"] = weights[:count]
            scores = model.evaluate(**batch, verbose=0, return_dict=True)
            confusion = metrics[0].confusion().tolist()
            scores.pop("loss")
            found.append({"confusion": confusion, "scores": scores})
            found[-1]["weights"] = weighted[0].confusion().tolist()
            assert metrics[0].invalid_pixels == 3
            assert np.sum(confusion) == count * 4 * 5 - 3
    return found


def part_of_a_sum(scope):
    """A loss as a metric: Keras has divided its mean by the replicas, a loss without one not."""
    from semseg.losses import Crossentropy, Dice, LossPart

    images, masks = dataset(4)
    logits = images.astype(np.float32) / 255
    found = []
    with scope:
        for loss in (Crossentropy(IGNORE), Dice(IGNORE, reduction=None)):
            part = LossPart(loss)
            part.update_state(masks, logits)
            found.append(float(part.result()))
    return found


def report():
    """All numbers, once without strategy and once with two replicas."""
    from contextlib import nullcontext

    import keras
    import tensorflow as tf

    from semseg.losses import Crossentropy, Dice

    class Scalar(Crossentropy):
        """A twin whose `call` returns a scalar, which Keras does not divide by the replicas."""

        def call(self, y_true, y_pred):
            return keras.ops.mean(super().call(y_true, y_pred))

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    one, two = nullcontext, strategy.scope
    # Of single images: a ratio over the batch is another one in each replica.
    summed = 0.5 * Dice(IGNORE, pooling="image") + Crossentropy(IGNORE)
    return {
        "trained by one": trained_weights(Crossentropy(IGNORE), one()),
        "trained by two": trained_weights(Crossentropy(IGNORE), two()),
        "unpooling, summed loss by one": trained_weights(summed, one(), unpooling_net),
        "unpooling, summed loss by two": trained_weights(summed, two(), unpooling_net),
        "scalar twin": trained_weights(Scalar(IGNORE), two()),
        "part by one": part_of_a_sum(one()),
        "part by two": part_of_a_sum(two()),
        "counted by one": counted(one()),
        "counted by two": counted(two()),
    }


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """What the process with two devices found."""
    file = tmp_path_factory.mktemp("replicas") / "numbers.json"
    root = str(Path(__file__).resolve().parents[2])
    # A ragged batch leaves a replica without pictures, to which oneDNN gives a wrong shape.
    off = {"CUDA_VISIBLE_DEVICES": "-1", "TF_ENABLE_ONEDNN_OPTS": "0"}
    child = subprocess.run(
        [sys.executable, __file__, file],
        env={**os.environ, "PYTHONPATH": root, **off},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return json.loads(file.read_text())


@pytest.mark.parametrize("what", ["trained", "unpooling, summed loss"])
def test_training_with_two_replicas_gives_the_weights_that_one_gives(numbers, what):
    one, two = numbers[f"{what} by one"], numbers[f"{what} by two"]
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-6)


def test_a_loss_that_keras_does_not_divide_is_noticed(numbers):
    one, twin = numbers["trained by one"], numbers["scalar twin"]
    assert not np.allclose(twin["weights"], one["weights"], rtol=0, atol=1e-4)


def test_two_replicas_count_what_one_counts_with_ragged_batches(numbers):
    assert len(numbers["counted by one"]) == 2
    assert numbers["counted by two"] == numbers["counted by one"]


def test_a_part_of_a_sum_is_shown_as_one_process_shows_it(numbers):
    assert numbers["part by two"] == pytest.approx(numbers["part by one"])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(report()))
