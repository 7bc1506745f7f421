"""Semantic segmentation for Keras 3: FCN, U-Net and SegNet, data, exact metrics and pictures.

Importing this package is cheap: NumPy, TensorFlow, Keras and Matplotlib are loaded by the first
name that needs them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semseg import (
        analysis,
        data,
        inference,
        layers,
        losses,
        metrics,
        models,
        preflight,
        regions,
        training,
        viz,
    )
    from semseg.classes import ClassMap

__version__ = "0.1.0"

__all__ = [
    "ClassMap",
    "__version__",
    "analysis",
    "data",
    "inference",
    "layers",
    "losses",
    "metrics",
    "models",
    "preflight",
    "regions",
    "training",
    "viz",
]


def __getattr__(name: str) -> Any:
    if name == "ClassMap":
        return importlib.import_module("semseg.classes").ClassMap
    if name in __all__:
        return importlib.import_module(f"semseg.{name}")
    raise AttributeError(f"module 'semseg' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
