"""Pictures of what happens inside a network: indices, skips, feature maps, receptive fields."""

import functools

import keras
import matplotlib
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from narrow import narrowed

from semseg.analysis import (
    feature_maps,
    measured_receptive_field,
    pooled_maxima,
    receptive_field,
    skip_ablation,
)
from semseg.classes import ClassMap
from semseg.metrics.functional import confusion_matrix, scores
from semseg.models import SegNetBasic, UNet
from semseg.viz import (
    plot_confusion,
    plot_feature_maps,
    plot_pooling_indices,
    plot_receptive_field,
    plot_skip_ablation,
)

CELLS = ClassMap(["background", "cell", "$wall_1"], ignore_class=255)
IMAGE = np.random.default_rng(0).integers(0, 256, (21, 30, 3)).astype(np.uint8)
MASK = np.random.default_rng(1).integers(0, 3, (21, 30)).astype(np.uint8)


@functools.cache
def unet():
    keras.utils.set_random_seed(0)
    return UNet(class_map=CELLS, depth=2, filters=4)


@functools.cache
def segnet():
    keras.utils.set_random_seed(0)
    return narrowed(SegNetBasic)(num_classes=3)


def pictures(figure):
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]


# -- the numbers behind ----------------------------------------------------------------------------


def test_maxima_lie_where_the_positions_say_and_unpooling_puts_values_there_alone():
    found = pooled_maxima(segnet(), IMAGE)
    assert [stage.positions.shape[:2] for stage in found] == [(11, 15), (6, 8), (3, 4), (2, 2)]
    for stage in found:
        rows, columns, channels = stage.before.shape
        for cell_y, cell_x in np.ndindex(stage.positions.shape[:2]):
            window = stage.before[2 * cell_y : 2 * cell_y + 2, 2 * cell_x : 2 * cell_x + 2]
            for channel in range(channels):
                position = int(stage.positions[cell_y, cell_x, channel])
                assert window[position // 2, position % 2, channel] == window[..., channel].max()
        kept = np.zeros((rows, columns, channels), bool)
        y, x, c = np.indices(stage.positions.shape)
        kept[2 * y + stage.positions // 2, 2 * x + stage.positions % 2, c] = True
        assert not stage.unpooled[~kept].any()


def test_models_without_indices_or_skips_are_refused():
    with pytest.raises(ValueError, match="must have MaxPooling2DWithIndices .* received 'unet'"):
        plot_pooling_indices(unet(), IMAGE)
    with pytest.raises(ValueError, match="must have skip connections, received 'segnet_basic'"):
        plot_skip_ablation(segnet(), IMAGE, MASK, CELLS)


# -- pictures --------------------------------------------------------------------------------------


def test_a_row_for_each_pooling_with_the_position_as_colour():
    figure = plot_pooling_indices(segnet(), IMAGE)
    shown = pictures(figure)
    assert len(shown) == 12
    heads = [axis.get_title() for axis in figure.axes[:3]]
    assert heads == ["before pooling", "where the maximum lay", "put back by unpooling"]
    sides = [axis.get_ylabel() for axis in figure.axes[::3]]
    assert sides == [f"encoder_{i}" for i in (1, 2, 3, 4)]
    stage = pooled_maxima(segnet(), IMAGE)[0]
    channel = int(stage.before.std(axis=(0, 1)).argmax())
    colors = {0: (230, 159, 0), 1: (86, 180, 233), 2: (0, 158, 115), 3: (204, 121, 167)}
    assert shown[1].shape == (21, 30, 3)
    for y, x in [(0, 0), (20, 29), (7, 12)]:
        position = int(stage.positions[y // 2, x // 2, channel])
        assert tuple(shown[1][y, x]) == colors[position]
    assert "top left orange" in figure.get_suptitle()


def test_each_skip_is_silenced_once_and_the_score_stands_below():
    figure = plot_skip_ablation(unet(), IMAGE, MASK, CELLS)
    captions = [axis.get_xlabel() for axis in figure.axes if axis.images]
    assert captions[:2] == ["image", "truth"]
    found = skip_ablation(unet(), IMAGE[None])
    names = {"complete": "prediction", "encoder_1": "without encoder_1"}
    for caption, (name, logits) in zip(captions[2:], found.items(), strict=True):
        matrix = confusion_matrix(MASK, logits[0].argmax(-1), 3, 255)
        what = names.get(name, f"without {name}")
        assert caption == f"{what}: {scores(matrix).mean_iou:.3f}"
    prediction = found["complete"][0].argmax(-1)
    np.testing.assert_array_equal(pictures(figure)[2], CELLS.colorize(prediction))
    (legend,) = figure.legends
    assert "$wall_1" in [text.get_text() for text in legend.get_texts()]


def test_channels_that_vary_most_come_first():
    figure = plot_feature_maps(unet(), IMAGE, channels=3)
    sides = [axis.get_ylabel() for axis in figure.axes[::3]]
    assert sides[0] == "encoder_1\n21 x 30 x 4"
    assert len(sides) == 6
    assert figure.axes[0].get_xlabel().startswith("channel ")
    assert len({axis.get_xlabel() for axis in figure.axes[:3]}) == 3


def test_the_theoretical_field_is_drawn_where_the_graph_puts_it():
    figure = plot_receptive_field(unet(), IMAGE, pixel=(10, 14))
    theoretical, half, most = field_boxes(figure)
    assert half.get_width() <= most.get_width() <= theoretical.get_width()
    field = receptive_field(unet())
    assert theoretical.get_height() <= field.height
    assert theoretical.get_width() <= field.width


def field_boxes(figure):
    return [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]


@pytest.mark.parametrize("pixel", [(4, 4), (5, 6), (7, 9)])
def test_the_rectangle_is_what_a_pixel_of_a_coarse_output_depends_on(pixel):
    inputs = keras.Input((None, None, 1))
    x = inputs
    for _ in range(2):
        x = keras.layers.Conv2D(2, 3, padding="same", kernel_initializer="ones")(x)
        x = keras.layers.AveragePooling2D(2)(x)
    model = keras.Model(inputs, x)
    image = np.ones((48, 64, 1), np.float32)
    measured = measured_receptive_field(model, image[None], pixel)
    rows, columns = (np.flatnonzero(measured.map.any(axis=axis)) for axis in (1, 0))
    figure = plot_receptive_field(model, image, pixel=pixel)
    box = field_boxes(figure)[0]
    assert box.get_xy() == (columns[0] - 0.5, rows[0] - 0.5)
    assert (box.get_height(), box.get_width()) == (len(rows), len(columns))
    label = figure.axes[0].get_legend().get_texts()[0].get_text()
    assert label == f"can see {len(rows)} x {len(columns)}"


def test_values_of_half_precision_networks_are_float32():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = narrowed(SegNetBasic)(num_classes=3)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {maps.dtype.name for maps in feature_maps(model, IMAGE).values()} == {"float32"}
    for stage in pooled_maxima(model, IMAGE):
        assert stage.before.dtype == stage.unpooled.dtype == np.float32
        assert stage.positions.dtype == np.uint8


def test_pictures_stand_upright_whatever_matplotlib_is_told():
    with matplotlib.rc_context({"image.origin": "lower"}):
        figures = [
            plot_feature_maps(unet(), IMAGE, channels=1),
            plot_receptive_field(unet(), IMAGE),
        ]
        figures.append(plot_confusion([[3, 1], [0, 2]]))
    for figure in figures:
        drawn = [axis for axis in figure.axes for _ in axis.images]
        drawn += [bar for axis in figure.axes for bar in axis.child_axes]
        assert drawn
        assert all(image.origin == "upper" for axis in drawn for image in axis.images)


def test_dark_paper_and_titles():
    figure = plot_feature_maps(unet(), IMAGE, channels=1, dark=True, title="what $it$ sees")
    assert np.mean(figure.get_facecolor()[:3]) < 0.2
    assert figure.get_suptitle() == "what $it$ sees"
    assert plot_receptive_field(unet(), IMAGE, title="mine").axes[0].get_title("left") == "mine"
