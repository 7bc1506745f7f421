"""Recipe: there and back through JSON, how it prints, and every value it refuses."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.training import Recipe
from semseg.training import training_recipe as choices

sizes = st.tuples(st.integers(1, 2000), st.integers(1, 2000))
plain = st.one_of(st.integers(), st.booleans(), st.text(), st.none())
recipes = st.builds(
    Recipe,
    model=st.sampled_from(["unet", "segnet", "fcn8s"]),
    model_arguments=st.dictionaries(st.text(), plain, max_size=3),
    size=st.none() | sizes,
    crop=sizes,
    augmentation=st.sampled_from(choices.AUGMENTATIONS),
    batch=st.integers(1, 64),
    steps=st.integers(1, 10**4).map(lambda n: 200 * n),
    steps_per_epoch=st.sampled_from([1, 50, 100, 200]),
    loss=st.dictionaries(st.sampled_from(list(choices.LOSSES)), st.floats(0.1, 3), min_size=1),
    class_weights=st.sampled_from(choices.CLASS_WEIGHTS),
    optimizer=st.sampled_from(choices.OPTIMIZERS),
    learning_rate=st.floats(1e-6, 10),
    schedule=st.sampled_from(choices.SCHEDULES),
    warmup=st.integers(0, 199),
    weight_decay=st.floats(0, 0.5),
    ema=st.none() | st.floats(0.5, 0.999),
    seed=st.integers(0, 2**31),
    reasons=st.just({"batch": "fits the memory"}),
)


@given(recipes)
def test_json_gives_the_same_recipe_back(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@given(recipes)
def test_every_field_prints_on_a_line_and_a_reason_beside_it(recipe):
    lines = str(recipe).split("\n")
    if not any("\n" in str(part) for part in recipe.model_arguments.items()):
        names = [field.name for field in dataclasses.fields(Recipe) if field.name != "reasons"]
        first = [line.split(" ")[0] for line in lines]
        assert [name for name in first if name in names] == names
    (line,) = [line for line in lines if line.startswith("batch ")]
    assert line.endswith("fits the memory")


def test_it_prints_as_a_table():
    recipe = Recipe(size=(48, 64), loss={"Crossentropy": 1.0, "Dice": 0.5}, reasons={"batch": "ok"})
    lines = str(recipe).split("\n")
    assert "size             48 x 64" in lines
    assert "crop             -" in lines
    assert "loss             Crossentropy=1, Dice=0.5" in lines
    assert "learning_rate    0.003" in lines


def test_reasons_are_no_part_of_what_it_is():
    recipe = Recipe(reasons={"batch": "fits"})
    assert recipe == Recipe()
    assert "reasons" not in recipe.to_dict()


def test_changing_one_goes_through_the_same_checks():
    with pytest.raises(ValueError, match="batch must be an int >= 1, received 0"):
        dataclasses.replace(Recipe(), batch=0)


def test_steps_are_whole_epochs():
    assert Recipe(steps=900, steps_per_epoch=300).epochs == 3


REFUSED = {
    "size must be (height, width)": {"size": 64},
    "crop must be (height, width), whole numbers >= 1": {"crop": (0, 4)},
    "augmentation must be one of [None, 'light'": {"augmentation": "heavy"},
    "class_weights must be one of [None, 'median": {"class_weights": "balanced"},
    "optimizer must be one of ['adamw', 'sgd'], received 'adam'": {"optimizer": "adam"},
    "schedule must be one of ['cosine', 'poly'": {"schedule": "step"},
    "batch must be an int >= 1, received 0": {"batch": 0},
    "steps must be an int >= 1, received 1.5": {"steps": 1.5},
    "steps_per_epoch must be an int >= 1, received True": {"steps_per_epoch": True},
    "warmup must be an int >= 0, received -1": {"warmup": -1},
    "warmup must be < steps = 10, received 10": {
        "steps": 10,
        "steps_per_epoch": 5,
        "warmup": 10,
    },
    "steps must be a multiple of steps_per_epoch = 100, received 70; 100 is": {"steps": 70},
    "steps must be a multiple of steps_per_epoch = 100, received 270; 300 is": {"steps": 270},
    "seed must be an int >= 0, received -1": {"seed": -1},
    "learning_rate must be > 0, received nan": {"learning_rate": float("nan")},
    "learning_rate must be > 0, received inf": {"learning_rate": float("inf")},
    "weight_decay must lie in [0, 1), received 1": {"weight_decay": 1},
    "ema must be None or lie in (0, 1), received 1": {"ema": 1},
    "augmentation='street' ends in a crop: give crop=": {"augmentation": "street"},
    "loss must give weights to some of ['Boundary'": {"loss": {"crossentropy": 1.0}},
    "loss must give weights to some of ": {"loss": {}},
    "loss['Dice'] must be a finite number >= 0, received nan": {"loss": {"Dice": float("nan")}},
    "loss['Dice'] must be a finite number >= 0, received -1": {"loss": {"Dice": -1}},
    "loss must hold a weight > 0, received {'Dice': 0}": {"loss": {"Dice": 0}},
    "model must be one of ['unet'": {"model": "unett"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message):
    with pytest.raises((TypeError, ValueError)) as refused:
        Recipe(**REFUSED[message])
    assert message in str(refused.value)


def test_a_warmup_that_a_schedule_does_not_have_is_not_looked_at():
    assert Recipe(schedule="one_cycle", steps=10, steps_per_epoch=10).warmup == 50


def test_fields_that_it_does_not_have_are_named():
    with pytest.raises(ValueError, match=r"a recipe has no \['depth', 'lr'\]; it has \['aug"):
        Recipe.from_dict({"lr": 1, "depth": 2, "batch": 3})
