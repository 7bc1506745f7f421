"""PredictionGrid: the same samples every epoch, as files and for loggers."""

import keras
import numpy as np
import pytest
from PIL import Image
from streams_in_fit import cells

import semseg
from semseg.training import PredictionGrid
from semseg.viz import draw_comparison


def model(outputs=1):
    image = keras.Input((None, None, 3))
    x = keras.layers.Dropout(0.5, seed=3)(keras.layers.Conv2D(4, 1)(image))
    logits = {f"logits{n}": keras.layers.Conv2D(2, 1, name=f"logits{n}")(x) for n in ("", "_2")}
    made = keras.Model(image, logits["logits"] if outputs == 1 else logits)
    made.compile("sgd", "mse" if outputs == 1 else dict.fromkeys(logits, "mse"), run_eagerly=True)
    return made


def fit(made, callbacks, epochs=2, outputs=1):
    images, masks = np.stack([cells()[0][0]]), np.zeros((1, 6, 8, 2))
    targets = masks if outputs == 1 else dict.fromkeys(made.output, masks)
    made.fit(images, targets, epochs=epochs, callbacks=callbacks, verbose=0)
    return [np.array(keras.ops.convert_to_numpy(v)) for v in made.variables]


@pytest.mark.parametrize("outputs", [1, 2])
def test_each_epoch_has_a_picture_of_its_predictions(outputs, tmp_path):
    ds, seen = cells(5), {}
    made = model(outputs)
    grid = PredictionGrid(ds, tmp_path / "new", count=3, on_grid=seen.__setitem__)
    fit(made, [grid], outputs=outputs)
    files = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert files == ["epoch_001.png", "epoch_002.png"]
    assert sorted(seen) == [1, 2]
    samples = [ds[i] for i in (0, 2, 4)]  # evenly over the five
    images, masks = map(list, zip(*samples, strict=True))
    ids = semseg.inference.predict(made, images)
    np.testing.assert_array_equal(seen[2], draw_comparison(images, masks, ids, ds.class_map))
    np.testing.assert_array_equal(seen[2], Image.open(tmp_path / "new" / "epoch_002.png"))


def test_every_second_epoch_and_fewer_samples_than_asked_for():
    seen = []
    grid = PredictionGrid(
        cells(2), None, count=9, every=2, on_grid=lambda epoch, _: seen.append(epoch), size=(3, 4)
    )
    fit(model(), [grid], epochs=5)
    assert seen == [2, 4]
    assert len(grid._images) == 2


def test_training_goes_on_bit_for_bit_as_without():
    weights = []
    for callbacks in ([], [PredictionGrid(cells(2), None, on_grid=lambda *_: None)]):
        keras.utils.set_random_seed(0)
        weights.append(fit(model(), callbacks))
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder must be given where on_grid= is not"):
        PredictionGrid(cells(), None)
    with pytest.raises(ValueError, match="count must be an int >= 1, received 0"):
        PredictionGrid(cells(), tmp_path, count=0)
    with pytest.raises(ValueError, match="every must be an int >= 1, received 0"):
        PredictionGrid(cells(), tmp_path, every=0)
    with pytest.raises(OSError, match="folder must be a folder that can be written"):
        PredictionGrid(cells(), tmp_path / "file" / "below")
