"""One way from data to a picture on Keras's other backends, with TensorFlow out of reach."""

import keras
import numpy as np
import pytest
from keras import ops

import semseg
from semseg.data.feeding.batches import BatchSource
from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D, windows


@pytest.fixture(scope="module")
def ds():
    return semseg.data.digits("train", count=16, size=(48, 64))


@pytest.fixture(scope="module")
def trained(ds):
    keras.utils.set_random_seed(0)
    model = semseg.models.UNet(class_map=ds.class_map, depth=2, filters=4)
    model.compile(
        keras.optimizers.Adam(1e-2),
        semseg.losses.Crossentropy(ignore_class=255),
        metrics=[semseg.metrics.MeanIoU(11, 255), semseg.metrics.PixelAccuracy(11, 255)],
    )
    images, masks = BatchSource(ds, batch_size=16, shuffle=False)[0]
    history = model.fit(images, masks, batch_size=8, epochs=3, verbose=0)
    return model, history.history


def test_tensorflow_is_out_of_reach():
    with pytest.raises(ImportError):
        import tensorflow  # noqa: F401


def test_a_model_learns_and_is_scored(trained, ds):
    model, history = trained
    assert history["loss"][-1] < history["loss"][0]
    scores = semseg.inference.score(model, ds)
    images, masks = BatchSource(ds, batch_size=16, shuffle=False)[0]
    evaluated = model.evaluate(images, masks, verbose=0, return_dict=True)
    assert evaluated["mean_iou"] == pytest.approx(scores["mean_iou"], rel=1e-5)
    assert evaluated["pixel_accuracy"] == pytest.approx(scores["pixel_accuracy"], rel=1e-5)


def test_a_saved_model_comes_back_with_its_classes(trained, ds, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    again = semseg.models.load(tmp_path / "model.keras")
    assert semseg.models.class_map(again) == ds.class_map
    image = ds[0][0]
    np.testing.assert_array_equal(
        semseg.inference.predict(again, image), semseg.inference.predict(model, image)
    )


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (37, 51)])
def test_any_size_gives_logits_of_that_size(trained, size):
    model, _ = trained
    logits = model(np.zeros((1, *size, 3), "uint8"))
    assert tuple(logits.shape) == (1, *size, 11)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


def test_predictions_are_drawn(trained, ds):
    model, _ = trained
    image, mask = ds[0]
    ids = semseg.inference.predict(model, image)
    panel = semseg.viz.draw_comparison([image], [mask], [ids], ds.class_map)
    assert panel.dtype == np.uint8


@pytest.mark.parametrize("p", [2, 3])
@pytest.mark.parametrize("size", [(1, 1), (6, 6), (7, 5)])
def test_pooling_and_unpooling_put_each_maximum_back(p, size):
    x = np.random.default_rng(0).integers(-3, 4, (2, *size, 3)).astype("float32")
    pooled, indices = MaxPooling2DWithIndices(p)(x)
    back = ops.convert_to_numpy(MaxUnpooling2D(p)([pooled, indices, x]))
    kept = back != 0
    np.testing.assert_array_equal(back[kept], x[kept])
    assert back.sum() == pytest.approx(float(ops.sum(pooled)))
    assert keras.backend.standardize_dtype(indices.dtype) == "uint8"


def test_the_gradient_goes_back_to_the_maxima():
    x = np.random.default_rng(1).normal(size=(1, 5, 7, 2)).astype("float32")

    def loss(x):
        pooled, indices = MaxPooling2DWithIndices(2)(x)
        return ops.sum(MaxUnpooling2D(2)([pooled * 2.0, indices, x]) * x)

    # d/dx of 2 * x * x at the maxima, 0 elsewhere.
    _, indices = windows.pool(ops.convert_to_tensor(x), 2)
    at_maxima = windows.unpool(windows.take(ops.convert_to_tensor(x), indices, 2), indices, 2, 5, 7)
    np.testing.assert_allclose(_gradient(loss, x), 4 * ops.convert_to_numpy(at_maxima), atol=1e-6)


def _gradient(loss, x):
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.jit(jax.grad(loss))(x))
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    loss(tensor).backward()
    return tensor.grad.numpy()
