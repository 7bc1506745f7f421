"""Recipes that were chosen on validation data, by `benchmarks/recipes.py`."""

import dataclasses
from typing import Any

from semseg._checks import check_choice
from semseg.training.training_recipe import Recipe

RECIPES = {
    "digits/unet": Recipe(
        model_arguments={"depth": 3, "filters": 16},
        learning_rate=6e-3,
        warmup=60,
        loss={"Crossentropy": 1.0, "Dice": 0.5},
    ),
    "digits/fcn8s": Recipe(
        model="fcn8s",
        model_arguments={"encoder": "mobilenetv2", "fc_units": 128},
        learning_rate=6e-3,
        warmup=60,
    ),
    "digits/segnet_basic": Recipe(
        model="segnet_basic",
        model_arguments={"filters": 32},
        learning_rate=6e-3,
        warmup=60,
        loss={"Crossentropy": 1.0, "Dice": 0.5},
        class_weights="root_inverse",
    ),
    "camvid/unet": Recipe(
        model_arguments={"depth": 4, "filters": 12},
        size=(180, 240),
        steps=920,
        steps_per_epoch=92,
        learning_rate=3e-3,
        warmup=60,
        class_weights="root_inverse",
    ),
    "camvid/segnet_basic": Recipe(
        model="segnet_basic",
        model_arguments={"filters": 16},
        size=(180, 240),
        steps=920,
        steps_per_epoch=92,
        learning_rate=3e-3,
        warmup=60,
        class_weights="root_inverse",
    ),
    "nuclei/unet": Recipe(
        model_arguments={"depth": 3, "filters": 16, "norm": "group"},
        crop=(192, 192),
        augmentation="medical",
        batch=2,
        steps=400,
        learning_rate=3e-3,
        warmup=40,
        loss={"Crossentropy": 1.0, "Dice": 0.5},
    ),
}


def recipe(name: str, **changes: Any) -> Recipe:
    """A recipe whose hyperparameters were measured, for a data set and a model.

    The scores, minutes and memory of each are in docs/train.md, the trainings behind them in
    `benchmarks/results/recipes.json`: candidates were compared by mean IoU on validation data with
    several seeds; test data decided nothing.

    Args:
        name: such as "digits/unet".
        **changes: fields of `Recipe` to set otherwise.

    Raises:
        ValueError: an unknown name, or a value that a field can't have.
        TypeError: a field that a recipe does not have.

    Example:
        >>> semseg.training.recipe("digits/unet", steps=300, warmup=20).epochs
        3
    """
    check_choice("name", name, tuple(RECIPES))
    return dataclasses.replace(RECIPES[name], **changes)
