"""Drawn networks: shapes, bars to scale, arrows from the graph, labels that never overlap."""

import functools
import itertools

import keras
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, Rectangle
from narrow import narrowed

from semseg.models import FCN, SegNet, SegNetBasic, UNet
from semseg.viz import plot_architecture, plot_architectures


def own_encoder_decoder(skips):
    """Someone's own: strided convolutions down, nearest-neighbour upsampling, sums of skips."""
    inputs = x = keras.Input((None, None, 3))
    kept = []
    for filters in (8, 16):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        kept.append(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Conv2D(32, 3, padding="same")(x)
    for skip in reversed(kept):
        x = keras.layers.Conv2D(skip.shape[-1], 1)(keras.layers.UpSampling2D()(x))
        x = keras.layers.Add()([x, skip]) if skips else x
        x = keras.layers.Conv2D(skip.shape[-1], 3, padding="same")(x)
    return keras.Model(inputs, keras.layers.Conv2D(4, 1)(x), name="own")


MODELS = {
    "unet": functools.partial(UNet, num_classes=3, depth=4, filters=8),
    "unet valid": functools.partial(
        UNet, num_classes=2, depth=4, filters=8, padding="valid", norm=None
    ),
    "segnet": functools.partial(narrowed(SegNet), num_classes=5),
    "segnet_basic": functools.partial(narrowed(SegNetBasic), num_classes=5),
    "fcn8s": functools.partial(narrowed(FCN), num_classes=5, fc_units=16),
    "fcn16s": functools.partial(narrowed(FCN), num_classes=5, fc_units=16, variant="16s"),
    "fcn32s": functools.partial(narrowed(FCN), num_classes=5, fc_units=16, variant="32s"),
    "own with skips": functools.partial(own_encoder_decoder, True),
    "own without skips": functools.partial(own_encoder_decoder, False),
}


@functools.cache
def built(name):
    return MODELS[name]()


@functools.cache
def drawn(name, width=1200, dark=False):
    return plot_architecture(built(name), width=width, dark=dark)


def extents(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    return {text: text.get_window_extent(renderer) for text in figure.axes[0].texts}


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def bars(figure):
    """Rectangles of the drawing; those of the key are as high as letters."""
    found = [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    letters = max(9.0, figure.bbox.width / 100)
    return [bar for bar in found if abs(bar.get_height() - 0.9 * letters) > 1e-6]


def arrows(figure):
    """Corners of the lines; the last four vertices are the arrow's head."""
    found = [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    return [arrow.get_path().vertices[:-4] for arrow in found]


@pytest.mark.parametrize("width", [600, 1200, 2400])
@pytest.mark.parametrize("name", MODELS)
def test_no_label_lies_on_another_or_outside_and_titles_and_key_are_there(name, width):
    figure = drawn(name, width)
    boxes = extents(figure)
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), (a.get_text(), b.get_text())
    for text, box in boxes.items():
        assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()
        assert box.y0 >= -1 and box.y1 <= figure.bbox.height + 1, text.get_text()
    assert texts(figure)[0].startswith(built(name).name)
    assert "scores of the classes" in texts(figure)
    assert min(text.get_fontsize() for text in figure.axes[0].texts) * 100 / 72 >= 9


def test_the_u_goes_down_on_the_left_and_up_on_the_right():
    rows = {}
    for bar in bars(drawn("unet")):
        rows.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar)
    levels = sorted(rows)
    assert len(levels) == 5
    reach = [(min(b.get_x() for b in rows[y]), max(b.get_x() for b in rows[y])) for y in levels]
    lefts, rights = zip(*reach, strict=True)
    assert list(lefts) == sorted(lefts) and list(rights) == sorted(rights, reverse=True)


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("unet", "skip", 4),
        ("unet valid", "skip, cropped", 4),
        ("segnet", "positions of the maxima", 5),
        ("segnet_basic", "positions of the maxima", 4),
        ("fcn8s", "skip", 2),
        ("fcn16s", "skip", 1),
        ("fcn32s", None, 0),
        ("own with skips", "skip", 2),
        ("own without skips", None, 0),
    ],
)
def test_every_map_that_is_handed_across_has_an_arrow(name, kind, count):
    figure = drawn(name)
    across = ("skip", "skip, cropped", "positions of the maxima")
    assert [text for text in texts(figure) if text in across] == ([kind] if kind else [])
    stages = sum(text.endswith("²") for text in texts(figure))
    # One arrow into every stage but the first, those across, and one in the key.
    assert len(arrows(figure)) == stages - 1 + count + bool(count)


def test_bars_are_as_high_and_wide_as_the_roots_of_their_maps():
    figure = drawn("segnet_basic")
    heights = sorted({round(bar.get_height(), 3) for bar in bars(figure)}, reverse=True)
    np.testing.assert_allclose(
        np.array(heights) / heights[0], np.sqrt(0.5) ** np.arange(len(heights)), rtol=1e-3
    )
    unet = drawn("unet")
    by_label = {}
    boxes = extents(unet)
    for text in unet.axes[0].texts:
        if text.get_text().isdigit():
            middle = (
                unet.axes[0]
                .transData.inverted()
                .transform(((boxes[text].x0 + boxes[text].x1) / 2, boxes[text].y0))
            )
            for bar in bars(unet):
                near = abs(bar.get_x() + bar.get_width() / 2 - middle[0]) < 1
                if near and 0 < bar.get_y() - middle[1] < 12:
                    by_label[int(text.get_text())] = bar.get_width()
    widths = {channels: width - 2 for channels, width in by_label.items()}
    assert len(widths) > 4
    unit = widths[8] / np.sqrt(8)
    for channels, width in widths.items():
        assert width == pytest.approx(unit * np.sqrt(channels), rel=0.02)


def test_sizes_and_channels_are_those_of_the_paper():
    figure = plot_architecture(
        UNet(num_classes=2, input_shape=(572, 572, 1), padding="valid", norm=None)
    )
    found = texts(figure)
    for size in ("572²", "568²", "280²", "136²", "64²", "28²", "52²", "100²", "196²", "388²"):
        assert size in found
    assert {"64", "128", "256", "512", "1024"} <= set(found)
    assert found[0] == "unet: 31 million parameters, 572 x 572 pixels"


def test_the_ladder_names_layers_as_the_paper_does_and_skips_stand_below_their_source():
    figure = plot_architecture(FCN(num_classes=5, fc_units=64))
    assert {"pool3", "pool4", "fc6", "fc7"} <= set(texts(figure))
    straight = [v for v in arrows(figure) if len(v) == 2 and abs(v[0, 0] - v[1, 0]) < 1e-6]
    assert len(straight) == 2


def test_the_index_arrows_are_nested_like_the_poolings():
    spans = [v for v in arrows(drawn("segnet")) if len(v) == 4]
    tops = sorted(v[1, 1] for v in spans)
    assert len(set(tops)) == 5
    by_width = sorted(spans, key=lambda v: v[3, 0] - v[0, 0], reverse=True)
    assert [v[1, 1] for v in by_width] == tops


def test_several_networks_have_one_scale_and_their_costs():
    figure = plot_architectures([built("unet"), built("segnet"), built("fcn8s")], size=(64, 64))
    found = texts(figure)
    assert sum("billion multiply-accumulates" in text for text in found) == 3
    assert sum("parameters" in text for text in found) == 3
    for (_, box), (_, other) in itertools.combinations(extents(figure).items(), 2):
        assert not box.overlaps(other)
    room = 1200 * 0.97 + 1
    assert max(bar.get_x() + bar.get_width() for bar in bars(figure)) <= room
    tallest = sorted((bar.get_height() for bar in bars(figure)), reverse=True)
    assert tallest[0] == pytest.approx(tallest[5])  # pictures of one size are equally high


def test_an_encoder_of_many_convolutions_is_a_block():
    model = UNet(num_classes=3, filters=4, encoder="mobilenetv2")
    assert any(text.startswith("12x ") for text in texts(plot_architecture(model)))


def test_dark_paper_titles_and_axes_of_ones_own():
    dark = drawn("unet", dark=True)
    assert np.mean(dark.get_facecolor()[:3]) < 0.2
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6))
    axes = figure.add_subplot()
    assert plot_architecture(built("unet"), width=800, title="mine", ax=axes) is figure
    assert axes.texts[0].get_text() == "mine"


def test_errors():
    with pytest.raises(ValueError, match="width must be >= 400 pixels, received 300"):
        plot_architecture(built("unet"), width=300)
    inputs = keras.Input((8, 8, 3))
    flat = keras.Model(inputs, keras.layers.Conv2D(4, 3, padding="same")(inputs), name="flat")
    with pytest.raises(ValueError, match="must be an encoder-decoder, received 'flat'"):
        plot_architecture(flat)
    with pytest.raises(ValueError, match="models must hold at least one model"):
        plot_architectures([])
