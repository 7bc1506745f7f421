"""train: what a run leaves, how it goes on, and that it is the few lines it says it is."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import semseg
from semseg.data.transforms import RandomCrop
from semseg.training import Recipe, compiled_model, stream, train

SMALL = Recipe(
    model_arguments={"depth": 1, "filters": 2},
    batch=2,
    steps=4,
    steps_per_epoch=2,
    warmup=1,
    schedule="poly",
    class_weights="root_inverse",
    loss={"Crossentropy": 1.0, "Dice": 0.5},
)


pytestmark = pytest.mark.usefixtures("step_by_step")


@pytest.fixture(scope="module")
def ds():
    return semseg.data.digits("train", count=4, size=(32, 32))


@pytest.fixture(scope="module")
def run(ds, tmp_path_factory, step_by_step):
    return train(ds, SMALL, tmp_path_factory.mktemp("run"), validation=ds, verbose=0)


def values(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.weights]


def test_a_run_leaves_its_files_and_its_numbers(run, ds):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "run.json", "model.keras", "scores.json", "history.json", "history.png", "state"
    }  # fmt: skip
    assert json.loads((run.folder / "history.json").read_text()) == run.history
    assert {len(curve) for curve in run.history.values()} == {2}
    assert {"loss", "mean_iou", "val_loss", "val_mean_iou"} <= set(run.history)
    record = json.loads((run.folder / "run.json").read_text())
    assert Recipe.from_dict(record["settings"]["recipe"]) == SMALL
    assert set(record["data"]) == {"train", "validation"}
    assert str(run.scores) == str(semseg.inference.score(run.model, ds))
    saved = keras.models.load_model(run.folder / "model.keras", compile=False)
    for a, b in zip(values(saved), values(run.model), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same(again, run):
    assert again.history == run.history
    assert str(again.scores) == str(run.scores)
    for a, b in zip(values(again.model), values(run.model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_called_again_it_trains_no_more(run, ds, monkeypatch):
    monkeypatch.setattr(keras.Model, "train_step", None)
    assert_same(train(ds, SMALL, run.folder, validation=ds, verbose=0), run)


class Gone(Exception):
    pass


class Leaves(keras.callbacks.Callback):
    """Raises at the third step, once."""

    left = 3

    def on_train_batch_end(self, batch, logs=None):
        Leaves.left -= 1
        if not Leaves.left:
            raise Gone


def test_interrupted_it_goes_on_to_the_same_end(run, ds, tmp_path):
    arguments = {"validation": ds, "callbacks": [Leaves()], "verbose": 0}
    with pytest.raises(Gone):
        train(ds, SMALL, tmp_path, **arguments)
    assert not (tmp_path / "model.keras").exists()
    assert_same(train(ds, SMALL, tmp_path, **arguments), run)


def test_another_recipe_or_other_data_in_its_folder_is_an_error(run, ds):
    with pytest.raises(ValueError, match=r"run.json belongs to another run \(settings.recipe"):
        train(ds, dataclasses.replace(SMALL, batch=3), run.folder, validation=ds)
    with pytest.raises(ValueError, match=r"belongs to another run \(data.train"):
        train(ds.subset([0, 1]), SMALL, run.folder, validation=ds)


def test_weights_of_the_pixels_decide_and_belong_to_the_run(ds, tmp_path):
    def weighting(foreground):
        def of_mask(mask):
            return np.where(mask == 0, 0.5, foreground)

        return of_mask

    weights = weighting(2.0)
    once = dataclasses.replace(SMALL, steps=1, steps_per_epoch=1, warmup=0, class_weights=None)
    found = train(ds, once, tmp_path / "run", sample_weight=weights, verbose=0)
    keras.utils.set_random_seed(once.seed)
    model = compiled_model(ds, once)
    images, masks, of_pixels = next(iter(stream(ds, once, sample_weight=weights)))
    logits = model(images, training=True)
    expected, without = model.loss(masks, logits, of_pixels), model.loss(masks, logits)
    assert found.history["loss"][0] == pytest.approx(float(expected), rel=1e-5)
    assert abs(float(expected) - float(without)) > 1e-3

    for others in (None, [0.5] + [2.0] * 10, weighting(3.0)):
        with pytest.raises(ValueError, match=r"another run \(settings.sample_weight"):
            train(ds, once, found.folder, sample_weight=others)
    with pytest.raises(ValueError, match="one finite weight >= 0 a class, 11 of them"):
        train(ds, once, tmp_path / "new", sample_weight=[1.0, 2.0])
    assert not (tmp_path / "new").exists()


def test_a_damaged_picture_is_named_by_the_original_error(ds, tmp_path):
    def read(index):
        if index == 3:
            raise FileNotFoundError("scene 3 is gone")
        return ds[index]

    broken = semseg.data.Dataset(read, ds.ids, ds.class_map, "broken")
    recipe = dataclasses.replace(SMALL, class_weights=None, steps_per_epoch=4)
    hidden = broken.subset([0, 1, 2, 0, 3, 0, 1])  # from the fingerprint, which reads three
    with pytest.raises(FileNotFoundError, match="scene 3 is gone"):
        train(hidden, recipe, tmp_path, verbose=0)


def test_the_model_is_that_of_the_recipe(ds):
    model = compiled_model(ds, dataclasses.replace(SMALL, optimizer="sgd", ema=0.9))
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.optimizer.use_ema
    assert semseg.models.class_map(model) == ds.class_map
    assert isinstance(model.loss, keras.losses.Loss)
    images, masks = np.stack([ds[0][0]]), np.stack([ds[0][1]])
    weights = ds.class_weights("inverse", absent=1.0) ** 0.5
    losses, chosen = semseg.losses, {"class_map": ds.class_map, "class_weights": weights}
    logits = model(images)
    expected = losses.Crossentropy(**chosen)(masks, logits) + 0.5 * losses.Dice(**chosen)(
        masks, logits
    )
    assert float(model.loss(masks, logits)) == pytest.approx(float(expected), rel=1e-5)


def test_its_stream_is_that_of_the_data_set(ds):
    recipe = dataclasses.replace(SMALL, size=(40, 32), crop=(16, 24), seed=3)
    weights = semseg.regions.border_weights
    found = next(iter(stream(ds, recipe, start_step=5, sample_weight=weights)))
    expected = ds.batch_source(
        2, (40, 32), RandomCrop((16, 24)), seed=3, epochs=9, sample_weight=weights
    )[5]
    assert len(expected) == 3
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["light", "street", "medical", "aerial"])
def test_each_augmentation_ends_at_the_crop(name, ds):
    crop = (24, 24) if name == "aerial" else (24, 16)
    images, masks = next(iter(stream(ds, dataclasses.replace(SMALL, augmentation=name, crop=crop))))
    assert tuple(images.shape) == (2, *crop, 3) and tuple(masks.shape) == (2, *crop)


@pytest.mark.parametrize(
    ("size", "crop", "ignored"),
    [((24, 24), None, 0), ((48, 48), (24, 24), 0), ((30, 30), (24, 24), 0), (None, (64, 64), 1)],
)
@pytest.mark.parametrize("name", ["street", "aerial"])
def test_scales_leave_crops_full_of_picture_where_sizes_are_known(name, size, crop, ignored):
    rng = np.random.default_rng(0)
    images, masks = rng.integers(1, 256, (8, 48, 48, 3), np.uint8), rng.integers(0, 2, (8, 48, 48))
    class_map = semseg.ClassMap(["a", "b"], ignore_class=255)
    small = semseg.data.from_arrays(images, masks.astype(np.uint8), class_map)
    recipe = dataclasses.replace(SMALL, size=size, crop=crop, augmentation=name, batch=8)
    seen = [batch[1] for batch, _ in zip(stream(small, recipe), range(4), strict=False)]
    assert any((np.asarray(masks) == 255).any() for masks in seen) == bool(ignored)


def test_pictures_of_several_sizes_are_trained_on_in_crops_and_validated_whole(tmp_path):
    sizes = [(20, 24), (17, 31), (40, 16), (24, 24)]
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    masks = [rng.integers(0, 2, size).astype(np.uint8) for size in sizes]
    mixed = semseg.data.from_arrays(images, masks, semseg.ClassMap(["a", "b"]))
    recipe = dataclasses.replace(SMALL, crop=(16, 16), augmentation=None, class_weights=None)
    run = train(mixed, recipe, tmp_path, validation=mixed, verbose=0)
    assert run.scores["pixel_accuracy"] > 0
    assert len(run.history["val_loss"]) == recipe.epochs
