"""The faults that `mutate.py` puts into copies of the code, part by part."""

from typing import NamedTuple


class Fault(NamedTuple):
    """`old`, which occurs once in `file`, becomes `new`; one of `tests` must then fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = [
    Fault(
        "palette-neighbours-alike",
        "semseg/_palette.py",
        "np.minimum(nearest, last / 2)",
        "np.minimum(nearest, last * 2)",
        ("tests/test_palette.py",),
    ),
    Fault(
        "negative-id-wraps",
        "semseg/classes.py",
        "(raw < 0) | (raw > last), last, raw",
        "raw > last, last, raw",
        ("tests/test_classes.py",),
    ),
    Fault(
        "last-maximum-wins",
        "semseg/layers/windows.py",
        "wins = ops.logical_or(candidate > best,",
        "wins = ops.logical_or(candidate >= best,",
        ("tests/layers/test_windows.py",),
    ),
    Fault(
        "index-plane-swapped",
        "semseg/layers/windows.py",
        "positions == r * p + c",
        "positions == c * p + r",
        ("tests/layers/test_windows.py",),
    ),
    Fault(
        "crop-at-the-wrong-end",
        "semseg/layers/cropping.py",
        "return x[:, :height, :width]",
        "return x[:, -height:, -width:]",
        ("tests/layers/test_cropping.py",),
    ),
    Fault(
        "warning-every-time",
        "semseg/layers/ends.py",
        "self._looked = True",
        "pass",
        ("tests/layers/test_ends.py",),
    ),
    Fault(
        "ignored-logits-leak",
        "semseg/losses/crossentropy.py",
        "ops.where(scored[..., None], y_pred, 1.0 / y_pred.shape[-1])",
        "y_pred",
        ("tests/losses/test_contract.py",),
    ),
    Fault(
        "mean-over-ignored-too",
        "semseg/losses/crossentropy.py",
        "total = ops.sum(weights)",
        "total = pixels",
        ("tests/losses/test_contract.py",),
    ),
    Fault(
        "scalar-loss",
        "semseg/losses/crossentropy.py",
        "return losses * self._scale(weights)",
        "return ops.mean(losses * self._scale(weights))",
        ("tests/losses/test_contract.py",),
    ),
    Fault(
        "confusion-axes-swapped",
        "semseg/metrics/counting.py",
        "truth * num_classes + prediction",
        "prediction * num_classes + truth",
        ("tests/metrics/test_counting.py",),
    ),
    Fault(
        "limb-not-carried",
        "semseg/metrics/counting.py",
        "carry = ops.right_shift(total, LIMB_BITS)",
        "carry = ops.right_shift(total, LIMB_BITS) * 0",
        ("tests/metrics/test_counting.py",),
    ),
    Fault(
        "mean-over-absent-classes",
        "semseg/metrics/confusion.py",
        "mean = ops.sum(iou * present) / ops.maximum(classes, 1.0)",
        "mean = ops.mean(iou)",
        ("tests/metrics/test_contract.py",),
    ),
    Fault(
        "invalid-labels-forgotten",
        "semseg/metrics/functional.py",
        "- intersection + invalid",
        "- intersection",
        ("tests/metrics/test_functional.py",),
    ),
    Fault(
        "floor-pooling",
        "semseg/models/unet.py",
        'layers.MaxPooling2D(2, padding="same", name',
        'layers.MaxPooling2D(2, padding="valid", name',
        ("tests/models/test_contract.py",),
    ),
    Fault(
        "classes-left-behind",
        "semseg/models/blocks.py",
        "Logits(class_map, activation, name=",
        "Logits(None, activation, name=",
        ("tests/models/test_contract.py",),
    ),
    Fault(
        "loading-registers-nothing",
        "semseg/models/saved.py",
        "import semseg.losses\nimport semseg.metrics  # noqa: F401\n",
        "",
        ("tests/models/test_fresh_process.py",),
    ),
    Fault(
        "blocks-that-do-not-fit",
        "semseg/data/transforms/window.py",
        "if on_pixels and within and (bottom - top) % blocks[0] == (right - left) % blocks[1] == 0:",
        "if on_pixels and within:",
        ("tests/data/transforms/test_window.py",),
    ),
    Fault(
        "mask-not-at-half-pixels",
        "semseg/data/transforms/window.py",
        "np.floor(start + (np.arange(count) + 0.5)",
        "np.floor(start + (np.arange(count) + 0.0)",
        ("tests/data/transforms/test_window.py",),
    ),
    Fault(
        "mask-not-flipped",
        "semseg/data/transforms/window.py",
        "        columns = columns[::-1]",
        "        pass",
        ("tests/data/transforms/test_transform_contract.py",),
    ),
    Fault(
        "crop-of-flipped",
        "semseg/data/transforms/window.py",
        "column = self.size[1] - column - size[1]",
        "column = column",
        ("tests/data/transforms/test_compose.py",),
    ),
    Fault(
        "rounded-twice",
        "semseg/data/transforms/photometric.py",
        "        values = transform.adjust(values, top / 2, rng)",
        "        values = transform.adjust(values, top / 2, rng).round().clip(0, top)",
        ("tests/data/transforms/test_photometric.py",),
    ),
    Fault(
        "epoch-not-in-the-draw",
        "semseg/data/batches.py",
        "np.random.SeedSequence([self.seed, epoch, index])",
        "np.random.SeedSequence([self.seed, index])",
        ("tests/data/test_batches.py",),
    ),
    Fault(
        "seed-shared-by-samples",
        "semseg/data/batches.py",
        "np.random.SeedSequence([self.seed, epoch, index])",
        "np.random.SeedSequence([self.seed, epoch])",
        ("tests/data/test_batches.py",),
    ),
    Fault(
        "epoch-replayed",
        "semseg/data/pipeline.py",
        "            self._epoch += 1",
        "            pass",
        ("tests/data/test_pipeline.py",),
    ),
    Fault(
        "pipeline-never-freed",
        "semseg/data/pipeline.py",
        "held: Any = weakref.ref(state)",
        "held: Any = (lambda: state)",
        ("tests/data/test_pipeline.py",),
    ),
    Fault(
        "exit-not-waited-for",
        "semseg/data/pipeline.py",
        "        state.end()",
        "        pass",
        ("tests/data/test_pipeline.py",),
    ),
    Fault(
        "palette-checksum-ignored",
        "semseg/data/reading.py",
        "            file.verify()",
        "            pass",
        ("tests/data/test_reading.py",),
    ),
    Fault(
        "cut-to-8-bit",
        "semseg/data/reading.py",
        "cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION",
        "cv2.IMREAD_IGNORE_ORIENTATION",
        ("tests/data/test_reading.py",),
    ),
    Fault(
        "void-shifted",
        "semseg/data/sources/camvid.py",
        "remap={11: 255}",
        "remap={10: 255, 11: 10}",
        ("tests/data/sources/test_camvid.py",),
    ),
    Fault(
        "sigmoid-at-zero",
        "semseg/inference/prediction.py",
        "(0.5 if _ends_in_sigmoid(model) else 0.0)",
        "0.0",
        ("tests/inference/test_prediction.py",),
    ),
    Fault(
        "scores-transposed",
        "semseg/inference/scoring.py",
        "total += confusion_matrix(masks.pop(0), ids, classes, ignore_class)",
        "total += confusion_matrix(masks.pop(0), ids, classes, ignore_class).T",
        ("tests/inference/test_scoring.py",),
    ),
]
