"""Faults in losses."""

from pathlib import Path

from faults.fault import Fault

LAWS = sorted((Path(__file__).parents[1] / "losses").glob("test_*.py"))
PIXELS = "semseg/losses/functional/pixels.py"
PIXEL_LOSSES = "semseg/losses/functional/pixel_losses.py"
REGIONS = "semseg/losses/functional/region_losses.py"
OVERLAP = "semseg/losses/functional/overlap.py"
CENTERLINE = "semseg/losses/functional/centerline.py"
LOVASZ = "semseg/losses/functional/lovasz_extension.py"
HARDEST = "semseg/losses/functional/hardest.py"


def of(law: str) -> tuple[str, ...]:
    """The law, in whichever file it stands."""
    (name,) = (p.name for p in LAWS if f"def {law.split('[')[0]}(" in p.read_text("utf-8"))
    return (f"tests/losses/{name}::{law}",)


def formula_of(loss: str) -> tuple[str, ...]:
    law = "test_the_loss_and_its_gradient_are_those_of_the_paper"
    return of(f"{law}[{loss}-all classes-three classes]")


FAULTS = [
    Fault(
        "union-counts-the-shared-twice",
        REGIONS,
        "found.true + found.predicted - found.both",
        "found.true + found.predicted",
        formula_of("Jaccard"),
    ),
    Fault(
        "false-alarms-cost-as-misses",
        REGIONS,
        "errors = alpha * false_positive + beta * false_negative",
        "errors = beta * false_positive + alpha * false_negative",
        formula_of("Tversky"),
    ),
    Fault(
        "focal-tversky-power-inverted",
        REGIONS,
        "ops.power(ops.where(positive, losses, 1.0), 1 / gamma)",
        "ops.power(ops.where(positive, losses, 1.0), gamma)",
        formula_of("FocalTversky"),
    ),
    Fault(
        "generalized-dice-not-squared",
        REGIONS,
        "weights = ratio(1.0, ops.square(found.true))",
        "weights = ratio(1.0, found.true)",
        formula_of("GeneralizedDice"),
    ),
    Fault(
        "correlation-with-a-wrong-spread",
        REGIONS,
        "spread = _deviation(true) * _deviation(predicted)",
        "spread = _deviation(true) * _deviation(true)",
        formula_of("MCC"),
    ),
    Fault(
        "centerline-of-the-region-alone",
        CENTERLINE,
        "regions = eroded\n",
        "regions = _largest(eroded, (3, 3))\n",
        ("tests/losses/test_centerline_dice.py",),
    ),
    Fault(
        "gaps-are-not-missed",
        CENTERLINE,
        "sensitivity = covered(centerline(true, iterations), predicted)",
        "sensitivity = covered(centerline(true, iterations), true)",
        ("tests/losses/test_centerline_dice.py",),
    ),
    Fault(
        "a-part-of-the-replicas-is-a-part",
        "semseg/losses/parts.py",
        "value = value * replicas()",
        "value = value * 1",
        ("tests/models/test_two_replicas.py",),
    ),
    Fault(
        "weights-of-losses-stay-as-traced",
        "semseg/training/loss_weights.py",
        "self.model.make_train_function(force=True)",
        "self.model.make_train_function()",
        ("tests/training/test_loss_weights.py",),
    ),
    Fault(
        "ignored-pixels-count-in-regions",
        PIXELS,
        "valid = ops.cast(self.valid, self.scores.dtype)",
        "valid = ops.ones_like(self.scores[..., 0])",
        of("test_ignored_pixels_are_deleted_pixels"),
    ),
    Fault(
        "ignored-pixels-count-in-means",
        PIXEL_LOSSES,
        "counted = ops.cast(pixels.valid, losses.dtype)",
        "counted = ops.ones_like(losses)",
        of("test_ignored_pixels_are_deleted_pixels"),
    ),
    Fault(
        "nan-under-ignored-pixels-leaks",
        PIXELS,
        "scores = ops.where(kept[..., None], y_pred, 1.0 / num_classes)",
        "scores = y_pred",
        of("test_ignored_pixels_alone_give_no_loss_and_no_gradient"),
    ),
    Fault(
        "label-past-the-classes-is-the-last",
        PIXELS,
        'known = ops.cast(ids, "float32") == labels',
        'known = ops.cast(ids, "float32") <= labels',
        of("test_labels_that_are_no_class_are_an_error_and_nan_in_a_graph"),
    ),
    Fault(
        "shares-of-deleted-pixels-must-be-right",
        PIXELS,
        "known = right if factors is None else ops.logical_or(right, factors == 0)",
        "known = right",
        of("test_shares_of_pixels_without_class_may_be_anything"),
    ),
    Fault(
        "a-scalar-that-keras-does-not-divide",
        "semseg/losses/segmentation_loss.py",
        'return self.function(packed["mask"], y_pred, packed.get("sample_weight"), **keywords)',
        'return keras.ops.mean(\n            self.function(packed["mask"], y_pred, packed.get("sample_weight"), **keywords)\n        )',
        of("test_call_keeps_an_axis_so_that_keras_divides_by_the_replicas"),
    ),
    Fault(
        "class-weights-not-divided-by",
        PIXEL_LOSSES,
        'if divisor != "pixels" and weights is not None:',
        'if divisor == "pixels" and weights is not None:',
        of("test_the_weighted_mean_divides_by_the_weights_as_in_pytorch"),
    ),
    Fault(
        "class-weights-of-regions-not-divided-by",
        OVERLAP,
        "ops.sum(weights, axis=-1))\n",
        "ops.sum(ops.ones_like(weights), axis=-1))\n",
        of("test_equal_class_weights_are_none"),
    ),
    Fault(
        "sample-weight-dropped",
        PIXEL_LOSSES,
        "ops.where(counted > 0, counted * pixels.factors, 0.0)",
        "ops.where(counted > 0, counted, 0.0)",
        of("test_one_weight_a_picture_is_a_factor_of_its_loss"),
    ),
    Fault(
        "sample-weight-of-regions-dropped",
        PIXELS,
        "return valid if self.factors is None else ops.where(self.valid, self.factors, 0.0)",
        "return valid",
        of("test_a_pixel_of_weight_2_is_two_pixels_of_a_region"),
    ),
    Fault(
        "absent-class-counted",
        OVERLAP,
        'if absent == "skip":',
        'if absent == "share":',
        of("test_an_absent_class_contributes_what_was_asked_for"),
    ),
    Fault(
        "regions-meaned-over-pixels",
        OVERLAP,
        'axes = (0, 1, 2) if pooling == "batch" else (1, 2)',
        "axes = (0, 1, 2)",
        of("test_pooled_by_image_a_batch_is_the_mean_of_its_images"),
    ),
    Fault(
        "soft-overlap-is-a-product",
        OVERLAP,
        "parts = (ops.minimum(shares, predicted), ",
        "parts = (shares * predicted, ",
        of("test_a_prediction_equal_to_a_soft_target_has_loss_0"),
    ),
    Fault(
        "lovasz-sorted-upwards",
        LOVASZ,
        "keys[::-1] & np.uint64",
        "keys & np.uint64",
        of("test_the_order_of_images_and_pixels_does_not_matter")
        + of("test_xla_gives_what_eager_calls_give"),
    ),
    Fault(
        "lovasz-steps-not-taken",
        LOVASZ,
        "np.diff(1 - left / union, prepend=0.0)",
        "1 - left / union",
        formula_of("Lovasz"),
    ),
    Fault(
        "boundary-sign-turned",
        "semseg/regions/distances.py",
        "return np.where(inside, 1 - inward, outward)",
        "return np.where(inside, inward - 1, -outward)",
        ("tests/regions/test_distances.py",),
    ),
    Fault(
        "softmax-without-its-maximum",
        PIXEL_LOSSES,
        "return -ops.log_softmax(scores, axis=-1)",
        "return ops.log(ops.sum(ops.exp(scores), axis=-1, keepdims=True)) - scores",
        of("test_extreme_logits_give_finite_values_and_gradients"),
    ),
    Fault(
        "smoothing-not-spread",
        PIXEL_LOSSES,
        "+ smoothing * ops.mean(each, axis=-1, keepdims=True)",
        "",
        of("test_smoothed_labels_are_those_of_pytorch_but_for_the_weights_of_the_spread_part")
        + of("test_crossentropy_is_that_of_keras"),
    ),
    Fault(
        "focal-turns-to-the-sure",
        PIXEL_LOSSES,
        "power = ops.power(ops.where(positive, missing, 1.0), gamma)",
        "power = ops.power(1 - missing, gamma)",
        formula_of("Focal"),
    ),
    Fault(
        "hardest-pixels-are-the-easiest",
        HARDEST,
        "above = ops.cast(losses > last, losses.dtype)",
        "above = ops.cast(losses < last, losses.dtype)",
        ("tests/losses/test_hard_pixels.py",),
    ),
    Fault(
        "ties-all-kept",
        HARDEST,
        "kept = above + tied * part",
        "kept = above + tied",
        ("tests/losses/test_hard_pixels.py",),
    ),
    Fault(
        "factor-of-a-sum-added",
        "semseg/losses/arithmetic.py",
        "[weight * factor for weight in weights]",
        "[factor for weight in weights]",
        ("tests/losses/test_arithmetic.py",),
    ),
]
