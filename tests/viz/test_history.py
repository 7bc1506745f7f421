"""plot_history: what a reader finds in the figure."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from semseg.viz import plot_history
from semseg.viz._history_curves import smoothed

HISTORY = {
    "loss": [0.9, 0.5, 0.4, 0.3],
    "mean_iou": [0.1, 0.4, 0.6, 0.7],
    "val_loss": [1.0, 0.6, 0.55, 0.8],
    "val_mean_iou": [0.1, 0.5, 0.45, 0.4],
    "learning_rate": [1e-3, 1e-3, 1e-4, 1e-4],
}


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def legend_of(axes):
    return [text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()]


def test_losses_scores_and_the_learning_rate_have_panels_of_their_own():
    figure = plot_history(HISTORY)
    assert isinstance(figure, Figure)
    assert titles(figure) == ["loss", "scores", "learning rate"]
    assert [len(axes.get_lines()) for axes in figure.axes] == [2, 2, 1]
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}


def test_metrics_that_leave_0_to_1_have_panels_of_their_own_with_their_twin():
    figure = plot_history({"loss": [1], "psnr": [0.5], "val_psnr": [30], "iou": [0.5]})
    assert titles(figure) == ["loss", "scores", "psnr"]
    assert len(figure.axes[2].get_lines()) == 2


def test_scores_of_classes_share_a_panel():
    figure = plot_history({"mean_iou": [0.5], "iou/Road": [0.9], "val_iou/Sky": [0.1]})
    assert titles(figure) == ["scores", "iou"]
    assert len(figure.axes[1].get_lines()) == 2


def test_a_count_is_no_score_and_best_where_it_is_lowest():
    figure = plot_history({"mean_iou": [0.5, 0.6], "invalid_pixels": [1, 0]})
    assert titles(figure) == ["scores", "invalid_pixels"]
    assert legend_of(figure.axes[1]) == ["invalid_pixels (best 0, epoch 2)"]


def test_a_validation_curve_is_dashed_in_the_color_of_its_training_curve():
    for axes in plot_history(HISTORY).axes[:2]:
        training, validation = axes.get_lines()
        assert training.get_color() == validation.get_color()
        assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")


def test_different_quantities_have_different_colors():
    figure = plot_history({f"iou_{i}": [0.1, 0.2] for i in range(20)})
    colors = [line.get_color() for line in figure.axes[0].get_lines()]
    assert len(set(colors)) == 20


@pytest.mark.parametrize(
    "name", ["mse", "mae", "kl_divergence", "sparse_categorical_crossentropy", "squared_hinge",
             "mean_squared_error", "hausdorff_distance", "aux_loss"],
)  # fmt: skip
def test_what_keras_wants_low_is_best_where_it_is_lowest(name):
    figure = plot_history({name: [0.9, 0.1, 0.5]})
    assert legend_of(figure.axes[0]) == [f"{name} (best 0.1, epoch 2)"]


def test_a_class_may_be_called_as_a_loss_is():
    figure = plot_history({"loss": [1.0, 0.5], "iou/blossom": [0.1, 0.9]})
    assert legend_of(figure.axes[1]) == ["iou/blossom (best 0.9, epoch 2)"]


def test_the_best_epoch_is_marked_and_said_for_validation():
    loss, scores = plot_history(HISTORY).axes[:2]
    assert legend_of(loss) == ["loss", "val_loss (best 0.55, epoch 3)"]
    assert legend_of(scores) == ["mean_iou", "val_mean_iou (best 0.5, epoch 2)"]
    assert loss.collections[0].get_offsets().tolist() == [[3, 0.55]]
    assert scores.collections[0].get_offsets().tolist() == [[2, 0.5]]


def test_without_validation_the_best_training_epoch_is_marked():
    axes = plot_history({"loss": [3.0, 1.0, 2.0]}).axes[0]
    assert legend_of(axes) == ["loss (best 1, epoch 2)"]


def test_epochs_are_whole_numbers_from_1_on():
    figure = plot_history(HISTORY)
    axes = figure.axes[0]
    assert axes.get_lines()[0].get_xdata().tolist() == [1, 2, 3, 4]
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert shown == [round(tick) for tick in shown]
    assert min(shown) >= 1


def test_a_keras_history_brings_its_epoch_numbers():
    resumed = SimpleNamespace(history={"loss": [0.5, 0.4]}, epoch=[10, 11])
    assert plot_history(resumed).axes[0].get_lines()[0].get_xdata().tolist() == [11, 12]


def test_validation_at_every_second_epoch_stands_at_these_epochs():
    figure = plot_history({"loss": [4, 3, 2, 1, 0.5], "val_loss": [3, 1]})
    assert figure.axes[0].get_lines()[1].get_xdata().tolist() == [2, 4]


def test_values_that_are_no_numbers_leave_gaps():
    figure = plot_history({"loss": [np.nan, 1.0, 2.0], "iou": [np.nan] * 3})
    assert legend_of(figure.axes[0]) == ["loss (best 1, epoch 2)"]
    assert legend_of(figure.axes[1]) == ["iou"]


def test_names_are_shown_as_they_are():
    figure = plot_history({"$a_b$": [0.5], "_hidden": [0.4], "Fläche": [0.3]})
    figure.draw_without_rendering()
    assert [label.split(" (")[0] for label in legend_of(figure.axes[0])] == [
        "$a_b$",
        "_hidden",
        "Fläche",
    ]


@pytest.mark.parametrize(
    "history",
    [
        {f"{v}iou_{i}": [0.1, 0.2] for i in range(11) for v in ("", "val_")},
        {f"metric_{i}": [i, i + 2] for i in range(7)},
        {"a_very_long_name_of_a_metric_that_nobody_should_use_but_somebody_will": [0.1]},
    ],
)
def test_no_legend_meets_axes_labels_or_the_edge(history):
    figure = plot_history(history)
    figure.draw_without_rendering()
    boxes = []
    for axes in figure.axes:
        boxes += [axes.get_window_extent(), axes.xaxis.label.get_window_extent()]
        if axes.get_legend():
            boxes.append(axes.get_legend().get_window_extent())
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert box.x0 >= 0
        assert box.y0 >= -1
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


RUNS = {"U-Net": HISTORY, "SegNet": {"loss": [0.8, 0.2], "val_loss": [0.9, 0.7], "auc": [2, 3]}}


def test_several_runs_share_a_panel_a_quantity_and_have_a_color_each():
    figure = plot_history(RUNS)
    assert titles(figure) == ["loss", "mean_iou", "auc", "learning rate"]
    loss = figure.axes[0]
    assert legend_of(loss) == [
        "U-Net",
        "U-Net, validation (best 0.55, epoch 3)",
        "SegNet",
        "SegNet, validation (best 0.7, epoch 2)",
    ]
    first, first_val, second, second_val = loss.get_lines()
    assert first.get_color() == first_val.get_color() != second.get_color()
    assert second.get_color() == second_val.get_color()
    (auc,) = figure.axes[2].get_lines()  # a run keeps its colour where the other is missing
    assert auc.get_color() == second.get_color()


def test_several_runs_are_histories_or_dicts_and_one_may_be_named():
    run = SimpleNamespace(history={"loss": [0.5, 0.4]}, epoch=[0, 1])
    assert legend_of(plot_history({"a": run}).axes[0]) == ["a (best 0.4, epoch 2)"]


def test_an_error_names_the_run():
    with pytest.raises(ValueError, match=r"history\['b'\]\['loss'\] must hold one number"):
        plot_history({"a": HISTORY, "b": {"loss": [[1, 2]]}})
    with pytest.raises(ValueError, match=r"history\['b'\] must hold at least one epoch"):
        plot_history({"a": HISTORY, "b": {}})


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100) | st.just(np.nan), max_size=12), st.floats(0, 0.95))
def test_smoothing_is_a_mean_that_forgets(values, smoothing):
    values = np.array(values, np.float64)
    found = smoothed(values, smoothing)
    for i in range(len(values)):
        seen = np.flatnonzero(~np.isnan(values[: i + 1]))
        if np.isnan(values[i]):
            assert np.isnan(found[i])
        else:
            weights = smoothing ** np.arange(len(seen), dtype=float)[::-1]
            expected = (weights * values[seen]).sum() / weights.sum()
            assert found[i] == pytest.approx(expected, abs=1e-9)


def test_smoothed_curves_stand_before_the_recorded_ones_and_the_best_stays_recorded():
    loss = plot_history(HISTORY, smoothing=0.5).axes[0]
    recorded, mean, *_ = loss.get_lines()
    assert recorded.get_ydata().tolist() == HISTORY["loss"]
    np.testing.assert_allclose(mean.get_ydata(), smoothed(np.array(HISTORY["loss"]), 0.5))
    assert recorded.get_alpha() < 0.5
    assert loss.collections[0].get_offsets().tolist() == [[3, 0.55]]
    assert legend_of(loss) == ["loss", "val_loss (best 0.55, epoch 3)"]


def test_the_learning_rate_is_not_smoothed():
    (rate,) = plot_history(HISTORY, smoothing=0.9).axes[2].get_lines()
    assert rate.get_ydata().tolist() == HISTORY["learning_rate"]


@pytest.mark.parametrize("smoothing", [-0.1, 1, 2.5])
def test_smoothing_outside_its_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=rf"smoothing must lie in \[0, 1\), received {smoothing}"):
        plot_history(HISTORY, smoothing)


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ({}, ValueError, "history must hold at least one epoch"),
        ({"loss": []}, ValueError, r"received \['loss'\] without values"),
        ({"loss": ["high"]}, ValueError, r"history\['loss'\] must hold one number an epoch"),
        ({"loss": 0.5}, ValueError, r"history\['loss'\] must hold one number"),
        ([0.5, 0.4], TypeError, "history must be what model.fit returned .*received list"),
    ],
)
def test_bad_input_is_refused(history, error, message):
    with pytest.raises(error, match=message):
        plot_history(history)
