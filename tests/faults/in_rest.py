"""Faults in everything else."""

from faults.fault import Fault

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
        "sigmoid-at-zero",
        "semseg/inference/forward.py",
        "0.0 if activation is None else 0.5",
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
    Fault(
        "package-under-another-name",
        "semseg/__init__.py",
        'return importlib.import_module(f"semseg.{name}")',
        'return importlib.import_module("semseg.classes")',
        ("tests/test_imports.py",),
    ),
]
