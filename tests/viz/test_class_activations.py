"""plot_class_activation: the region lit, the heat over grey, a ring around what is small."""

import functools

import keras
import numpy as np
import pytest

from semseg.analysis import class_activation
from semseg.classes import ClassMap
from semseg.models import UNet
from semseg.viz import plot_class_activation

CELLS = ClassMap(["background", "$cell_1$"])
IMAGE = np.random.default_rng(0).integers(0, 256, (21, 30, 3)).astype(np.uint8)
REGION = np.zeros((21, 30), bool)
REGION[5:15, 8:20] = True


@functools.cache
def unet():
    keras.utils.set_random_seed(0)
    return UNet(class_map=CELLS, depth=1, filters=4)


def pictures(figure):
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes]


def captions(figure):
    return [axis.get_xlabel() for axis in figure.axes]


def test_the_region_is_lit_and_the_heat_lies_over_the_grey_picture():
    figure = plot_class_activation(unet(), IMAGE, 1, REGION, title="why $it$ is")
    lit, heated = pictures(figure)
    np.testing.assert_array_equal(lit[REGION], IMAGE[REGION])
    np.testing.assert_array_equal(lit[~REGION], (0.3 * IMAGE[~REGION]).round())
    found = class_activation(unet(), IMAGE, 1, REGION)
    highest = float(found.map.max())
    assert captions(figure) == [
        "explained: $cell_1$ in the 120 lit pixels",
        f"bottleneck: blue is 0, yellow {highest:.2g}",
    ]
    warmth = heated[..., 0].astype(float) - heated[..., 2]  # grey has none
    hot, cold = found.map > 0.8 * highest, found.map < 0.2 * highest
    assert highest > 0 and hot.any() and cold.any()
    assert warmth[hot].min() > warmth[cold].max()
    assert figure.get_suptitle() == "why $it$ is"
    assert not any(axis.lines for axis in figure.axes)


def test_a_pixel_and_a_stage_are_asked_about_and_a_ring_says_where():
    figure = plot_class_activation(unet(), IMAGE, 0, (4, 25), "decoder_1", dark=True)
    what, where = captions(figure)
    assert what == "explained: background in the ringed pixel"
    assert where.startswith("decoder_1: ")
    for axis in figure.axes:
        assert [line.get_xydata().tolist() for line in axis.lines] == [[[25, 4]]] * 2
        assert axis.get_xlim() == (-0.5, 29.5) and axis.get_ylim() == (20.5, -0.5)
    assert np.mean(figure.get_facecolor()[:3]) < 0.2


def test_where_nothing_speaks_for_the_class_it_is_said():
    keras.utils.set_random_seed(0)
    model = UNet(num_classes=2, depth=1, filters=2)
    last = model.get_layer("classifier")
    last.set_weights([np.zeros(weight.shape) for weight in last.weights])
    figure = plot_class_activation(model, IMAGE, 1, REGION)
    assert captions(figure) == [
        "explained: class 1 in the 120 lit pixels",
        "bottleneck: nothing there speaks for it",
    ]


def test_what_cannot_be_explained_is_refused():
    with pytest.raises(ValueError, match="image must be one picture"):
        plot_class_activation(unet(), IMAGE[None], 1)
    with pytest.raises(ValueError, match="stage must be one between"):
        plot_class_activation(unet(), IMAGE, 1, stage="head")
