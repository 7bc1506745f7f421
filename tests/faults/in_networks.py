"""Faults in the pictures of networks, in Monte Carlo dropout and in the reject curve."""

from faults.fault import Fault

FAULTS = [
    Fault(
        "skip-drawn-as-forward",
        "semseg/viz/_architecture_arrows.py",
        'if link.kind != "forward":',
        'if link.kind == "index":',
        ("tests/viz/test_architecture.py",),
    ),
    Fault(
        "labels-lie-on-labels",
        "semseg/viz/_architecture_labels.py",
        "if not inside or any(box.overlaps(other) for other in taken):",
        "if not inside:",
        ("tests/viz/test_architecture.py",),
    ),
    Fault(
        "width-by-channels-not-their-root",
        "semseg/viz/_architecture_layout.py",
        "return _THINNEST + self.channel * math.sqrt(bar.channels)",
        "return _THINNEST + self.channel * bar.channels",
        ("tests/viz/test_architecture.py",),
    ),
    Fault(
        "several-networks-several-scales",
        "semseg/viz/_architecture_layout.py",
        "return max(_right(lay_out(groups, tried, text).boxes) for groups in networks)",
        "return _right(lay_out(networks[0], tried, text).boxes)",
        ("tests/viz/test_architecture.py",),
    ),
    Fault(
        "index-positions-transposed",
        "semseg/viz/pooling_indices.py",
        "Panel(_positions(stage.positions[..., channel], stage.pool_size, before.shape)),",
        "Panel(_positions(3 - stage.positions[..., channel], stage.pool_size, before.shape)),",
        ("tests/viz/test_inside_networks.py",),
    ),
    Fault(
        "receptive-field-mirrored",
        "semseg/viz/receptive_field.py",
        "(x - left, y - up, left + right + 1, up + down + 1)",
        "(y - left, x - up, left + right + 1, up + down + 1)",
        ("tests/viz/test_inside_networks.py",),
    ),
    Fault(
        "dropout-off-in-its-samples",
        "semseg/inference/dropout_split.py",
        "return self.layer(inputs, training=True)",
        "return self.layer(inputs, training=False)",
        ("tests/inference/test_uncertainty.py",),
    ),
    Fault(
        "batch-normalisation-live-in-its-samples",
        "semseg/inference/uncertainty.py",
        "scores = split.random(repeated, training=False)",
        "scores = split.random(repeated, training=True)",
        ("tests/inference/test_uncertainty.py",),
    ),
    Fault(
        "all-samples-alike",
        "semseg/inference/uncertainty.py",
        "ops.repeat(x, count, axis=0)",
        "ops.repeat(x, 1, axis=0)",
        ("tests/inference/test_uncertainty.py",),
    ),
    Fault(
        "mutual-information-is-entropy",
        "semseg/inference/uncertainty.py",
        "np.maximum(entropy - entropies / np.float32(samples), 0)",
        "np.maximum(entropy, 0)",
        ("tests/inference/test_uncertainty.py",),
    ),
    Fault(
        "most-doubtful-kept-first",
        "semseg/metrics/functional/rejection.py",
        "    ordered = np.sort(doubt)\n",
        "    doubt = -doubt\n    ordered = np.sort(doubt)\n",
        ("tests/metrics/functional/test_rejection.py",),
    ),
    Fault(
        "ties-cut-in-the-middle",
        "semseg/metrics/functional/rejection.py",
        'ordered[wanted], side="right") - 1',
        'ordered[wanted], side="left")',
        ("tests/metrics/functional/test_rejection.py",),
    ),
    Fault(
        "models-recipe-is-another",
        "semseg/training/measured_recipes.py",
        "return dataclasses.replace(RECIPES[name], **changes)",
        "return RECIPES[name]",
        ("tests/training/test_measured_recipes.py",),
    ),
    Fault(
        "statistics-that-lag",
        "semseg/models/encoders.py",
        "layer.momentum = 0.9",
        "pass",
        ("tests/models/test_encoders.py",),
    ),
]
