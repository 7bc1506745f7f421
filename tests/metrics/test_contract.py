"""What every metric on a confusion matrix promises. A new metric is one line in METRICS."""

import functools
import math

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from semseg.metrics import (
    ClassIoU,
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanDice,
    MeanIoU,
    PixelAccuracy,
    Scores,
    SegmentationScores,
    functional,
)
from semseg.metrics.limbs import LIMB_BITS

tf = pytest.importorskip("tensorflow")


def all_scores(num_classes, ignore_class=None, **arguments):
    return SegmentationScores(None, num_classes, ignore_class, **arguments)


METRICS = {
    "mean_iou": MeanIoU,
    "pixel_accuracy": PixelAccuracy,
    "mean_accuracy": MeanAccuracy,
    "mean_dice": MeanDice,
    "frequency_weighted_iou": FrequencyWeightedIoU,
    "class_iou": functools.partial(ClassIoU, 1),
    "segmentation_scores": all_scores,
}
every_metric = pytest.mark.parametrize("metric_class", METRICS.values(), ids=METRICS)
# For what happens before any score is made: counting, checking shapes and ids.
every_state = pytest.mark.parametrize(
    "metric_class", [MeanIoU, all_scores], ids=["mean_iou", "segmentation_scores"]
)
seeds = st.integers(0, 2**31)
IGNORE = 255


def labels(seed, count, shape=(4, 3, 5), ignore=IGNORE):
    """Truth with ignored pixels, and a prediction half right; some classes may be absent."""
    rng = np.random.default_rng(seed)
    used = rng.choice(count, rng.integers(1, count + 1), replace=False)
    truth, pred = rng.choice([*used, ignore], shape), rng.choice(used, shape)
    right = (rng.random(shape) < 0.5) & (truth != ignore)
    pred = np.where(right, truth, pred)
    return truth, pred


def fed(metric, *batches):
    for truth, pred in batches:
        metric.update_state(truth, pred)
    return metric


def compiled_update(metric):
    """`update_state` in a graph, where invalid labels are counted."""
    return tf.function(lambda truth, pred: metric.update_state(truth, pred))


def inject(metric, counts):
    """Puts whole numbers of any size into the state."""
    counts = np.array(counts, object)
    limbs = [0 * counts, 0 * counts, counts % 2**LIMB_BITS, counts // 2**LIMB_BITS]
    metric._limbs.assign(np.stack(limbs).astype(np.int32))


def values(metric):
    """The scores by their keys in `Scores`."""
    result = metric.result()
    found = result if isinstance(result, dict) else {metric.name: result}
    return {key: float(value) for key, value in found.items() if key != "invalid_pixels"}


def same_as_table(metric, rtol=1e-6):
    """The metric's scores are those of the functional core, which counts in float64."""
    table = Scores(metric.confusion(), invalid_pixels=metric._invalid_weight)
    for key, value in values(metric).items():
        np.testing.assert_allclose(value, table[key], rtol=rtol, err_msg=key)


def same_bits(metric, other):
    np.testing.assert_array_equal(np.asarray(metric._limbs), np.asarray(other._limbs))
    np.testing.assert_array_equal(list(values(metric).values()), list(values(other).values()))


# -- one number, whatever the route -------------------------------------------------------------


@every_metric
@settings(max_examples=5)
@given(st.sampled_from([2, 11]), seeds, st.booleans())
def test_the_value_is_that_of_the_functional_core(metric_class, count, seed, weighted):
    truth, pred = labels(seed, count)
    weights = np.random.default_rng(seed).random(truth.shape, np.float32) if weighted else None
    metric = metric_class(count, IGNORE)
    metric.update_state(truth, pred, weights)
    same_as_table(metric)
    expected = functional.confusion_matrix(truth, pred, count, IGNORE, weights)
    np.testing.assert_allclose(metric.confusion(), expected, rtol=1e-12)
    assert metric.confusion().dtype == expected.dtype


def batch_order_is_nothing(metric_class, seed, splits, weighted):
    truth, pred = labels(seed, 5)
    weights = np.random.default_rng(seed).random(truth.shape) if weighted else np.ones(len(truth))
    order = np.random.default_rng(seed).permutation(len(truth))
    parts = [part for part in np.split(order, sorted(splits)) if len(part)]

    def seen(*parts):
        metric = metric_class(5, IGNORE)
        for p in parts:
            batch = (truth[p], pred[p], weights[p]) if weighted else (truth[p], pred[p])
            metric.update_state(*batch)
        return metric

    whole, shards = seen(slice(None)), [seen(part) for part in parts]
    same_bits(seen(*parts), whole)
    first = shards[0]
    first.merge_state(shards[1:])
    same_bits(first, whole)
    # As replicas do: states are added, and nothing carried.
    summed = metric_class(5, IGNORE)
    summed._limbs.assign(sum(np.asarray(seen(part)._limbs) for part in parts))
    np.testing.assert_array_equal(list(values(summed).values()), list(values(whole).values()))


@every_metric
@settings(max_examples=3)
@given(seeds, st.lists(st.integers(0, 4), max_size=3), st.booleans())
@example(0, [1, 3], True)
def test_batch_size_order_sharding_and_merging_change_no_bit(metric_class, seed, splits, weighted):
    batch_order_is_nothing(metric_class, seed, splits, weighted)


class MeanOfBatches(MeanIoU):
    """A twin that forgets what it saw before the last batch."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.reset_state()
        super().update_state(y_true, y_pred)


def test_a_metric_that_depends_on_batches_is_noticed():
    with pytest.raises(AssertionError):
        batch_order_is_nothing(MeanOfBatches, 0, [1, 3], False)


@every_metric
@settings(max_examples=3)
@given(seeds)
def test_ignored_pixels_are_deleted_pixels(metric_class, seed):
    truth, pred = labels(seed, 3)
    kept = truth != IGNORE
    masked = fed(metric_class(3, IGNORE), (truth, np.where(kept, pred, 77)))
    deleted = fed(metric_class(3), (truth[kept][None, None], pred[kept][None, None]))
    same_bits(masked, deleted)
    assert masked.invalid_pixels == 0
    weightless = metric_class(3)
    weightless.update_state(np.where(kept, truth, 0), pred, kept)
    np.testing.assert_array_equal(weightless.confusion(), deleted.confusion())


@every_state
@settings(max_examples=5)
@given(st.sampled_from([2, 5]), seeds)
def test_ids_logits_and_probabilities_give_the_same(metric_class, count, seed):
    truth, pred = labels(seed, count)
    logits = np.random.default_rng(seed).normal(size=(*pred.shape, count)).astype(np.float32)
    np.put_along_axis(logits, pred[..., None], 9, -1)
    probabilities = np.asarray(keras.ops.softmax(logits))
    of_ids = fed(metric_class(count, IGNORE), (truth, pred))
    for scores in (logits, probabilities):
        other = fed(metric_class(count, IGNORE), (truth, scores))
        np.testing.assert_array_equal(other.confusion(), of_ids.confusion())


@every_state
@pytest.mark.parametrize("num_classes", [1, 2])
@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_one_channel_is_binary_at_its_threshold(metric_class, num_classes, threshold):
    scores = np.array([[[-1.0, 0.0, 0.25, 0.5, 0.75]]], np.float32)
    truth = np.array([[[0, 0, 1, 1, 1]]])
    by_scores = fed(metric_class(num_classes, threshold=threshold), (truth, scores[..., None]))
    by_ids = fed(metric_class(num_classes), (truth, (scores > threshold).astype(int)))
    np.testing.assert_array_equal(by_scores.confusion(), by_ids.confusion())
    assert by_scores.confusion().shape == (2, 2)


WHOLE = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]
DTYPES = [np.dtype(code).type for code in [*WHOLE, "f2", "f4", "f8"]]


@every_state
@pytest.mark.parametrize("dtype", DTYPES)
def test_ids_of_any_dtype_count_the_same(metric_class, dtype):
    truth, pred = labels(0, 3)
    ignored = dtype(100) if dtype == np.int8 else IGNORE
    batch = np.where(truth == IGNORE, ignored, truth).astype(dtype), pred.astype(dtype)
    # Neither contiguous nor in the order of memory.
    batch = [np.asfortranarray(np.repeat(ids, 2, axis=0))[::2] for ids in batch]
    metric = fed(metric_class(3, int(ignored)), batch)
    expected = fed(metric_class(3, IGNORE), (truth, pred))
    np.testing.assert_array_equal(metric.confusion(), expected.confusion())


@every_state
@pytest.mark.parametrize("shape", [(2, 3, 1), (2, 1, 1), (1, 1, 4), (6,), (2, 3)])
def test_pictures_one_pixel_wide_and_flat_lists_of_ids_are_counted(metric_class, shape):
    truth, pred = labels(1, 3, shape)
    logits = np.eye(3, dtype=np.float32)[pred]
    for prediction in (pred, logits):
        metric = fed(metric_class(3, IGNORE), (truth, prediction))
        assert metric.confusion().sum() == (truth != IGNORE).sum()


@every_state
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_compiled_function_of_any_size_counts_the_same(metric_class, jit_compile):
    compiled, eager = metric_class(3, IGNORE), metric_class(3, IGNORE)
    any_size = (tf.TensorSpec((None,) * 3, tf.int32), tf.TensorSpec((None, None, None, 3)))

    @tf.function(input_signature=any_size, jit_compile=jit_compile)
    def update(truth, scores):
        compiled.update_state(truth, scores)
        return compiled.result()

    for seed in (0, 1):
        truth, pred = labels(seed, 3)
        scores = np.eye(3, dtype=np.float32)[pred]
        found = update(truth.astype(np.int32), scores)
        fed(eager, (truth, scores))
        found = {k: float(v) for k, v in found.items()} if isinstance(found, dict) else float(found)
        found = found if isinstance(found, dict) else {compiled.name: found}
        for key, value in values(eager).items():
            assert found[key] == pytest.approx(value, rel=1e-6, nan_ok=True)
    np.testing.assert_array_equal(compiled.confusion(), eager.confusion())


@every_metric
def test_resetting_forgets_everything(metric_class):
    metric = metric_class(3, IGNORE)
    compiled_update(metric)(np.array([[[0, 7]]]), np.array([[[0, 0]]]))
    assert metric.invalid_pixels == 1
    metric.reset_state()
    assert metric.confusion().sum() == metric.invalid_pixels == 0
    assert all(math.isnan(value) for value in values(metric).values())


@every_metric
def test_nothing_seen_is_not_a_score(metric_class):
    empty = (np.zeros((0, 2, 2), int), np.zeros((0, 2, 2), int))
    ignored = (np.full((1, 2, 2), IGNORE), np.zeros((1, 2, 2), int))
    metric = fed(metric_class(2, IGNORE), empty, ignored)
    assert all(math.isnan(value) for value in values(metric).values())


# -- large counts -------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("count", [2**24 + 1, 2**31 + 3, 2**40 + 5, 2**49 + 7])
def test_counts_are_exact_beyond_what_float32_and_int32_hold(metric_class, count):
    metric = metric_class(2)
    inject(metric, [[count, 1], [0, count], [2, 2]])
    fed(metric, (np.array([[[0, 1, 1]]]), np.array([[[0, 1, 0]]])))
    assert metric.confusion().tolist() == [[count + 1, 1], [1, count + 1]]
    assert metric.invalid_pixels == 2
    same_as_table(metric)


@every_metric
@settings(max_examples=3)
@given(seeds, st.integers(0, 45), st.sampled_from([2, 30]))
@example(0, 45, 30)
def test_the_value_is_right_to_1e_6_for_counts_of_any_size(metric_class, seed, bits, count):
    metric = metric_class(count)
    # Whole numbers that fill their limbs; the total stays below 2**51.
    counts = np.random.default_rng(seed).integers(0, 2 ** min(bits, 40) + 1, (count + 1, count))
    counts[-1, 1], counts[-1, 2:] = counts[-1, 0], 0
    inject(metric, counts.tolist())
    same_as_table(metric)


@every_metric
def test_many_classes_with_full_limbs_do_not_overflow(metric_class):
    metric = metric_class(150)  # 22,500 cells of almost 2**20 each: beyond int32 together
    counts = np.full((151, 150), 2**LIMB_BITS - 1)
    counts[-1] = 0
    inject(metric, counts.tolist())
    same_as_table(metric, rtol=1e-5)


# -- invalid labels -----------------------------------------------------------------------------

# No class of three, in int64: beyond the classes, beyond int32, and what wraps to a class in int32.
NO_CLASS = [3, -1, 254, 256, 2**31, 2**32 + 1, -(2**32)]


@every_state
@pytest.mark.parametrize("bad", NO_CLASS)
@pytest.mark.parametrize("side", ["mask", "pred"])
def test_eager_calls_name_an_id_that_is_no_class_and_count_nothing(metric_class, bad, side):
    metric = metric_class(3, IGNORE)
    good, wrong = np.zeros((1, 1, 3), np.int64), np.array([[[0, bad, bad]]])
    batch = (wrong, good) if side == "mask" else (good, wrong)
    with pytest.raises(ValueError, match=rf"{side} has ids \[{bad}\] outside 0..2"):
        metric.update_state(*batch)
    assert metric.confusion().sum() == metric.invalid_pixels == 0


@every_state
@pytest.mark.parametrize("bad", NO_CLASS)
@pytest.mark.parametrize("side", [0, 1])
def test_compiled_calls_count_ids_that_are_no_class(metric_class, bad, side):
    metric = metric_class(3, IGNORE)
    batch = [np.zeros((1, 1, 3), np.int64), np.zeros((1, 1, 3), np.int64)]
    batch[side][0, 0, 1:] = bad
    compiled_update(metric)(*map(tf.constant, batch))
    assert metric.invalid_pixels == 2
    assert metric.confusion().tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


@every_state
@pytest.mark.parametrize("bad", [0.5, 1.999, 255.5, -0.5, np.nan, np.inf, 3e9])
def test_fractions_are_no_ids(metric_class, bad):
    metric = metric_class(3, IGNORE)
    truth, pred = np.array([[[1.0, bad]]], np.float32), np.array([[[1, 1]]])
    with pytest.raises(ValueError, match="mask (must hold whole class ids|has ids)"):
        metric.update_state(truth, pred)
    compiled_update(metric)(tf.constant(truth), tf.constant(pred))
    assert metric.invalid_pixels == 1
    assert metric.confusion().sum() == 1


def at_most(after, before):
    """Scores may fall or go away (NaN); where there was none, 0 is allowed."""
    return math.isnan(after) or after <= before or (math.isnan(before) and after <= 0)


@settings(max_examples=15)
@given(seeds, st.sampled_from([2, 3, 5]), st.floats(0, 1), st.sampled_from([0, 1, 2]))
def test_labels_that_become_invalid_raise_no_score(seed, count, share, sides):
    rng = np.random.default_rng(seed)
    used = rng.choice(count, rng.integers(1, count + 1), replace=False)  # some classes are absent
    truth, pred = rng.choice([*used, IGNORE], (1, 3, 4)), rng.choice(used, (1, 3, 4))
    broken = [truth.copy(), pred.copy()]
    for side, ids in enumerate(broken):
        if sides in (side, 2):
            hit = rng.random(ids.shape) < share
            ids[hit] = rng.choice([count, -1, 254, 2**31 - 1], ids.shape)[hit]
    before, after = (counted(count, *batch) for batch in ((truth, pred), broken))
    for key in before:
        # The metrics round to float32.
        assert at_most(after[key] - 1e-6 * (" " in key), before[key]), key


@functools.cache
def compiled_metrics(count):
    """Metrics that hold all scores, and a compiled update of them."""
    metrics = [PixelAccuracy(count, IGNORE), all_scores(count, IGNORE)]
    update = tf.function(lambda *batch: [metric.update_state(*batch) for metric in metrics])
    return metrics, update


def counted(count, truth, pred):
    """All scores of one batch: those of the metrics and those of the table."""
    metrics, update = compiled_metrics(count)
    for metric in metrics:
        metric.reset_state()
    update(tf.constant(truth), tf.constant(pred))
    table = Scores(metrics[0].confusion(), invalid_pixels=metrics[0].invalid_pixels)
    found = {f"{m.name} {key}": value for m in metrics for key, value in values(m).items()}
    return {**table, **found}


def test_the_law_would_notice_a_metric_that_drops_invalid_pixels():
    confusion = np.array([[1, 1], [0, 1]])
    dropped = np.array([[1, 0], [0, 1]])  # the one wrong pixel became invalid
    before, forgiving = Scores(confusion), Scores(dropped)
    assert not at_most(forgiving["mean_iou"], before["mean_iou"])
    assert at_most(Scores(dropped, invalid_pixels=1)["mean_iou"], before["mean_iou"])


# -- saving and errors --------------------------------------------------------------------------


@every_metric
def test_the_configuration_comes_back(metric_class):
    metric = metric_class(2, IGNORE, threshold=0.5, name="score")
    config = keras.saving.serialize_keras_object(metric)
    assert config["registered_name"] == f"semseg.metrics>{type(metric).__name__}"
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == metric.get_config()
    assert again.name == "score"


@every_state
@pytest.mark.parametrize(
    ("true_shape", "pred_shape", "message"),
    [
        ((2, 4, 5, 1), (2, 4, 5, 3), r"drop the channel axis with mask\[..., 0\]"),
        ((2, 4, 5, 1), (2, 4, 5, 1), r"drop the channel axis with mask\[..., 0\]"),
        (
            (2, 4, 5),
            (2, 4, 5, 2),
            r"a last axis of 3 after it; .* \(2, 4, 5, 2\) for 3 classes",
        ),
        ((2, 4, 5), (2, 4, 5, 1), "a last axis of 3 after it"),
        ((2, 4, 5), (2, 5, 4), r"y_true \(2, 4, 5\) and y_pred \(2, 5, 4\)"),
        ((2, 4, 5), (2, 5, 4, 3), r"y_true \(2, 4, 5\) and y_pred \(2, 5, 4, 3\)"),
        ((2, 4, 5), (1, 4, 5), r"y_true \(2, 4, 5\) and y_pred \(1, 4, 5\)"),
        ((2, 4, 5), (4, 5), "y_pred must be ids of the mask's shape, or scores"),
        ((4, 5), (2, 4, 5, 3), "y_pred must be ids of the mask's shape, or scores"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(metric_class, true_shape, pred_shape, message):
    with pytest.raises(ValueError, match=message):
        metric_class(3).update_state(np.zeros(true_shape, int), np.zeros(pred_shape, np.float32))


WEIGHTS = [-0.5, np.nan, np.inf, 2.0**20]


@every_state
@pytest.mark.parametrize("bad", WEIGHTS)
def test_a_weight_that_is_no_weight_is_refused_and_in_graphs_its_pixel_is_invalid(
    metric_class, bad
):
    metric = metric_class(2, IGNORE)
    truth, pred = np.array([[[0, 1, IGNORE]]]), np.array([[[0, 1, 1]]])
    with pytest.raises(ValueError, match=r"sample_weight must lie in \[0, 2\*\*20\), received"):
        metric.update_state(truth, pred, np.array([[[0.5, bad, 1]]]))
    metric.update_state(truth, pred, np.array([[[0.5, 0.5, bad]]]))  # an ignored pixel
    update = tf.function(lambda *batch: metric.update_state(*batch))
    update(truth, pred, tf.constant([[[0.5, bad, 1]]]))
    assert metric.confusion().tolist() == [[1.0, 0], [0, 0.5]]
    assert metric.invalid_pixels == metric._invalid_weight == 1


@every_state
@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 4), (2, 3, 4)])
def test_weights_of_the_first_axes_are_those_of_all_their_pixels(metric_class, shape):
    truth, pred = labels(3, 3, (2, 3, 4))
    weights = np.random.default_rng(3).random(shape).astype(np.float32)
    metric, full = metric_class(3, IGNORE), metric_class(3, IGNORE)
    if len(shape) == 1 or 1 not in shape:
        metric.update_state(truth, pred, weights)
        spread = np.broadcast_to(weights.reshape(*shape, *[1] * (3 - len(shape))), truth.shape)
        full.update_state(truth, pred, spread)
        same_bits(metric, full)
    else:
        with pytest.raises(
            ValueError, match=r"sample_weight must have the mask's shape \(2, 3, 4\)"
        ):
            metric.update_state(truth, pred, weights)


@every_state
def test_only_metrics_of_the_same_classes_are_merged(metric_class):
    for other in (metric_class(4, IGNORE), metric_class(3)):
        with pytest.raises(ValueError, match="must count 3 classes with ignore_class=255 like"):
            metric_class(3, IGNORE).merge_state([other])


@every_state
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_classes": 0}, ValueError, "num_classes must be >= 1, received 0; the background"),
        ({"num_classes": 2.0}, TypeError, "num_classes must be an int >= 1, received 2.0"),
        ({"num_classes": True}, TypeError, "num_classes must be an int >= 1, received True"),
        (
            {"num_classes": 3, "ignore_class": 2},
            ValueError,
            "ignore_class must lie outside 0..2, received 2",
        ),
        ({"num_classes": 1, "ignore_class": 1}, ValueError, "must lie outside 0..1, received 1"),
        ({"num_classes": 3, "ignore_class": "void"}, TypeError, "must be None or an int"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(metric_class, arguments, error, message):
    with pytest.raises(error, match=message):
        metric_class(**arguments)
