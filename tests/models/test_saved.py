"""Reading a model back, and what travels inside it."""

import keras
import pytest

from semseg.classes import ClassMap
from semseg.models import UNet, class_map, load
from semseg.models.saved import output_layer

CELLS = ClassMap(["background", "cell"])


@pytest.fixture(scope="module")
def model():
    return UNet(class_map=CELLS, depth=1, filters=4)


def test_a_missing_file_is_named_with_those_beside_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be a .keras file, found none at .*gone"):
        load(tmp_path / "gone.keras")
    for name in ("b.keras", "a.keras", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match="that folder has a.keras, b.keras$"):
        load(tmp_path / "gone.keras")
    with pytest.raises(FileNotFoundError, match="found none at"):
        load(tmp_path / "no_folder" / "gone.keras")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be a .keras file, found none at"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["broken.keras", "broken.txt"])
def test_a_file_that_is_no_model_is_refused(tmp_path, name):
    (tmp_path / name).write_text("not a model")
    with pytest.raises(ValueError, match=name):
        load(tmp_path / name)


def test_a_path_may_be_a_string(model, tmp_path):
    model.save(tmp_path / "model.keras")
    assert class_map(load(str(tmp_path / "model.keras"))) == CELLS


def test_the_classes_are_found_in_nested_models(model):
    image = keras.Input((None, None, 3))
    outer = keras.Model(image, keras.layers.Identity()(model(image)))
    assert class_map(outer) == CELLS
    assert output_layer(outer) is model.get_layer("logits")


def test_a_part_without_the_end_has_no_classes(model):
    part = keras.Model(model.input, model.get_layer("bottleneck_relu_2").output)
    assert class_map(part) is None
    assert output_layer(part) is None


def test_a_model_with_another_end_has_no_classes():
    assert class_map(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])) is None
