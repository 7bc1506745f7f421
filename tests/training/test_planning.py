"""`plan` chooses from the data, the machine and the time, and says why."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst

from semseg import ClassMap
from semseg.data import digits, from_arrays
from semseg.training import planning
from semseg.training.data_facts import data_facts, variance_between
from semseg.training.step_cost import StepCost


def scenes(sizes, classes=2, thick=8):
    """Pictures with a square of class 1 in each; more classes are stripes of `thick` pixels."""
    images, masks = [], []
    for height, width in sizes:
        mask = np.zeros((height, width), np.uint8)
        mask[4 : 4 + thick, 4 : 4 + thick] = 1
        for k in range(2, classes):
            mask[-thick:, k * thick : (k + 1) * thick] = k
        images.append(np.full((height, width, 3), 200, np.uint8))
        masks.append(mask)
    return from_arrays(images, masks, ClassMap([f"class {k}" for k in range(classes)]))


@pytest.fixture
def machine(monkeypatch):
    """A machine that takes 1 ms for 1,000 pixels of 8 filters, and as many kB of memory."""
    asked = []

    def cost(ds, recipe, seconds):
        asked.append(recipe)
        height, width = recipe.crop or recipe.size or data_facts(ds).size
        filters = recipe.model_arguments.get("filters", 16)
        work = recipe.batch * height * width * filters / 8
        return StepCost(work * 1e-6, int(work * 1000))

    monkeypatch.setattr(planning, "step_cost", cost)
    return asked


def test_thickness_is_twice_the_area_over_the_outline():
    facts = data_facts(scenes([(40, 40), (40, 40)], thick=8))
    assert facts.thickness[1] == pytest.approx(2 * 64 / 32)
    assert facts.shares.tolist() == [1 - 64 / 1600, 64 / 1600]
    assert (facts.equal_sizes, facts.size, facts.channels) == (True, (40, 40), 3)


@pytest.mark.parametrize(("ignored", "dtype"), [(-1, np.int32), (255, np.uint64)])
def test_ignored_pixels_are_not_counted_whatever_their_id(ignored, dtype):
    mask = np.full((8, 8), 0, dtype)
    mask[:4] = 1
    mask[0] = ignored
    image = np.zeros((8, 8, 3), np.uint8)
    ds = from_arrays([image], [mask], ClassMap(["a", "b"], ignore_class=ignored))
    facts = data_facts(ds)
    np.testing.assert_allclose(facts.shares, [32 / 56, 24 / 56])
    assert facts.thickness[1] == pytest.approx(2 * 24 / 16)


@given(npst.arrays(np.uint8, (5, 6, 7, 3)))
def test_variance_is_that_within_pictures_and_that_between_them(images):
    pixels = images.astype(np.float64)
    whole = pixels.var(axis=(0, 1, 2)).mean()
    between = variance_between(images)
    assert 0 <= between <= 1
    assert between * whole == pytest.approx(pixels.mean(axis=(1, 2)).var(axis=0).mean())


def test_pictures_that_differ_are_not_normalised_by_the_batch(machine):
    alike, unlike = scenes([(64, 64)] * 4), scenes([(64, 64)] * 4)
    pairs = [alike[i] for i in range(4)]
    unlike = from_arrays(
        [image // (1 + 3 * (i % 2)) for i, (image, _) in enumerate(pairs)],
        [mask for _, mask in pairs],
        alike.class_map,
    )
    assert (data_facts(alike).between, data_facts(unlike).between) == (0, 1)
    assert "norm" not in planning.plan(alike).model_arguments
    recipe = planning.plan(unlike)
    assert recipe.model_arguments["norm"] == "group"
    assert "100% of the variance lies between pictures" in recipe.reasons["model_arguments"]
    other = planning.plan(unlike, "segnet_basic")
    assert "norm" not in other.model_arguments
    assert "suits U-Net with norm='group' better" in other.reasons["model_arguments"]


def test_the_steps_fill_the_minutes(machine):
    ds = scenes([(64, 64)] * 3)
    for minutes in (1, 10):
        recipe = planning.plan(ds, minutes=minutes)
        seconds = recipe.steps * planning.step_cost(ds, recipe, 1).seconds
        assert seconds == pytest.approx(60 * minutes * 0.9, rel=0.06)
        assert recipe.warmup < recipe.steps and recipe.steps_per_epoch <= recipe.steps


def test_more_time_buys_a_wider_network_then_a_larger_picture(machine):
    ds = scenes([(128, 128)] * 4, thick=40)
    found = []
    for minutes in (0.1, 0.5, 1, 2, 4, 8, 16, 32):
        recipe = planning.plan(ds, minutes=minutes)
        height, _ = recipe.size or (128, 128)
        found.append((height, recipe.model_arguments["filters"]))
    assert found == sorted(found)
    assert found[0] == (32, 8) and found[-1] == (128, 32)


def test_too_little_time_says_how_much_would_be_enough(machine):
    ds = scenes([(128, 128)] * 4, thick=3)
    short = planning.plan(ds, minutes=0.2)
    needed = int(short.reasons["model_arguments"].split("minutes=")[1])
    assert "the least" not in planning.plan(ds, minutes=needed).reasons["model_arguments"]
    assert "the least" in planning.plan(ds, minutes=needed - 1 or 0.9).reasons["model_arguments"]


def test_thin_things_are_not_made_smaller(machine):
    assert planning.plan(scenes([(128, 128)] * 4, thick=3), minutes=0.2).size is None
    assert planning.plan(scenes([(128, 128)] * 4, thick=40), minutes=0.2).size == (32, 32)


def test_no_network_sees_more_than_512_x_512_pixels_of_a_large_picture_at_once(machine):
    thick, thin = scenes([(1536, 2048)], thick=400), scenes([(1536, 2048)], thick=5)
    recipe = planning.plan(thick, minutes=600)
    assert (recipe.size, recipe.crop) == ((384, 512), None)
    assert "pictures of 384 x 512" in recipe.reasons["batch"]
    assert all(math.prod(asked.size) <= 512 * 512 for asked in machine)
    recipe = planning.plan(thin, minutes=600)
    assert (recipe.size, recipe.crop) == (None, (256, 256))
    assert "the thinnest class (2.5 pixels) too thin" in recipe.reasons["crop"]


def test_large_pictures_of_several_sizes_are_better_made_smaller_first(machine):
    large = planning.plan(scenes([(1500, 2000), (2000, 1500)], thick=400), minutes=5)
    assert "copies 4 times smaller would be faster" in large.reasons["crop"]
    thin = planning.plan(scenes([(1500, 2000), (2000, 1500)], thick=5), minutes=5)
    assert "copies" not in thin.reasons["crop"]


def test_pictures_of_several_sizes_are_cropped(machine):
    recipe = planning.plan(scenes([(64, 90), (300, 400), (280, 310)]), minutes=5)
    assert recipe.size is None and recipe.crop == (256, 256)
    assert "sizes differ" in str(recipe)


def test_a_rare_class_brings_dice_and_weights(machine):
    common = planning.plan(scenes([(32, 32)], thick=12), minutes=5)
    assert (common.loss, common.class_weights) == ({"Crossentropy": 1.0}, None)
    rare = planning.plan(scenes([(64, 64)], classes=3, thick=4), minutes=5)
    assert (rare.loss, rare.class_weights) == ({"Crossentropy": 1.0, "Dice": 0.5}, "root_inverse")
    assert "'class 1' has 0.39% of the pixels" in rare.reasons["loss"]
    binary = planning.plan(scenes([(64, 64)], thick=4), minutes=5)
    assert binary.class_weights is None


def test_augmentation_comes_where_pictures_come_again(machine):
    few = planning.plan(scenes([(32, 32)] * 2), minutes=5)
    assert few.augmentation == "light"
    many = planning.plan(scenes([(32, 32)] * 400), minutes=0.02)
    assert many.augmentation is None and "fresh enough" in many.reasons["augmentation"]


def test_every_choice_that_was_made_has_its_reason(machine):
    recipe = planning.plan(scenes([(64, 64)], classes=3, thick=4), minutes=5)
    plain = type(recipe)().to_dict()
    chosen = {name for name, value in recipe.to_dict().items() if value != plain[name]}
    assert chosen <= set(recipe.reasons)


def test_memory_is_kept_or_named(machine):
    ds = scenes([(64, 64)] * 3)
    free = planning.plan(ds, minutes=60)
    tight = planning.plan(ds, minutes=60, memory=0.06)
    assert tight.model_arguments["filters"] < free.model_arguments["filters"]
    with pytest.raises(ValueError, match=r"memory = 0.001 GiB is too little"):
        planning.plan(ds, minutes=60, memory=0.001)


def test_a_plan_is_kept_with_its_run_and_taken_again(machine, tmp_path):
    ds = scenes([(64, 64)] * 3)
    first = planning.plan(ds, minutes=5, out=tmp_path / "run")
    tried = len(machine)
    again = planning.plan(ds, minutes=5, out=tmp_path / "run")
    assert again == first and dict(again.reasons) == dict(first.reasons)
    assert len(machine) == tried
    assert planning.plan(ds, minutes=5) == first


def test_a_plan_for_something_else_is_not_taken(machine, tmp_path):
    ds = scenes([(64, 64)] * 3)
    planning.plan(ds, minutes=5, out=tmp_path)
    with pytest.raises(ValueError, match=r"settings.minutes: 5.0 there, 6.0 here"):
        planning.plan(ds, minutes=6, out=tmp_path)
    with pytest.raises(ValueError, match=r"data.train: "):
        planning.plan(scenes([(64, 64)] * 4), minutes=5, out=tmp_path)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        planning.plan(ds, minutes=5, out=tmp_path)


def test_what_makes_no_sense_is_refused():
    ds = scenes([(8, 8)])
    with pytest.raises(ValueError, match="model must be one of unet, .* received 'vnet'"):
        planning.plan(ds, "vnet")
    with pytest.raises(ValueError, match="minutes must be a finite number > 0, received 0"):
        planning.plan(ds, minutes=0)
    with pytest.raises(ValueError, match="memory must be a finite number > 0, received '8'"):
        planning.plan(ds, memory="8")


def test_a_step_is_measured_on_the_machine_itself():
    ds = digits("train", count=4, size=(32, 32))
    recipe = planning.Recipe(model_arguments={"depth": 1, "filters": 4}, steps=100, warmup=0)
    cost = planning.step_cost(ds, recipe, seconds=0.1)
    assert 1e-4 < cost.seconds < 10
    assert cost.memory is None or 2**26 < cost.memory < 2**36
