"""recipe(name): what was measured, as it was measured."""

import json
import statistics
from pathlib import Path

import pytest

from semseg.training import Recipe, recipe
from semseg.training.measured_recipes import RECIPES

ROWS = json.loads(
    (Path(__file__).parents[2] / "benchmarks/results/recipes.json").read_text("utf-8")
)["rows"]


def best(name):
    """The fields of the candidate with the best mean over the seeds, of those with all seeds."""
    seeds = 1 if name.startswith("camvid/") else 3
    by_candidate = {}
    for row in (row for row in ROWS if row["recipe"] == name):
        by_candidate.setdefault(row["candidate"], []).append(row)
    whole = [rows for rows in by_candidate.values() if len({r["seed"] for r in rows}) >= seeds]
    won = max(whole, key=lambda rows: statistics.mean(r["val_mean_iou"] for r in rows))
    return won[0]["fields"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_the_candidate_that_won_on_validation_data(name):
    assert recipe(name) == Recipe.from_dict({**best(name), "seed": 0})


def test_fields_can_be_set_otherwise():
    changed = recipe("digits/unet", steps=300, seed=4)
    assert (changed.steps, changed.seed) == (300, 4)
    assert recipe("digits/unet").seed == 0


def test_unknown_names_and_fields_are_refused():
    with pytest.raises(ValueError, match=r"name must be one of .*'digits/unet'.* 'moon/unet'"):
        recipe("moon/unet")
    with pytest.raises(TypeError, match="lr"):
        recipe("digits/unet", lr=1)
    with pytest.raises(ValueError, match="steps must be a multiple of steps_per_epoch"):
        recipe("digits/unet", steps=150)
