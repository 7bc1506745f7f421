"""What all losses share: Keras's reduction around a pure function, and one set of keywords."""

from collections.abc import Callable
from typing import Any

import keras

from semseg._checks import check_choice, check_ignore_class
from semseg.classes import ClassMap
from semseg.losses.arithmetic import Arithmetic
from semseg.losses.functional.class_weights import named_class_weights
from semseg.losses.functional.overlap import ABSENT, POOLINGS

MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


class SegmentationLoss(Arithmetic):
    """A pure function of (mask, scores, sample weights, keywords) as a Keras loss.

    Args:
        function: gives values (n, ...) that Keras reduces; their mean is the loss.
        keywords: what the function takes besides, all of it in the configuration.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        reduction: str | None,
        dtype: Any,
        class_map: ClassMap | None,
        **keywords: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=_checked_dtype(dtype))
        if class_map is not None and keywords["ignore_class"] is None:
            keywords["ignore_class"] = class_map.ignore_class
        # 1: how many classes there are is known when the first batch comes.
        check_ignore_class(keywords["ignore_class"], class_map.num_classes if class_map else 1)
        keywords["class_weights"] = named_class_weights(keywords["class_weights"], class_map)
        check_choice("pooling", keywords.get("pooling", "batch"), POOLINGS)
        check_choice("absent", keywords.get("absent", "skip"), ABSENT)
        check_choice("divisor", keywords.get("divisor", "weights"), ("weights", "pixels"))
        self.function = function
        self.keywords = keywords

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # The weights go in with the mask: a region's loss needs them before it is a number, and
        # Keras's own call, which knows the replicas, reduces what comes out.
        packed = {"mask": y_true}
        if sample_weight is not None:
            packed["sample_weight"] = sample_weight
        return super().__call__(packed, y_pred)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        packed = y_true if isinstance(y_true, dict) else {"mask": y_true}
        keywords = dict(self.keywords)
        if "divisor" in keywords:
            keywords["divisor"] = self._divisor(keywords["divisor"])
        return self.function(packed["mask"], y_pred, packed.get("sample_weight"), **keywords)

    def _divisor(self, divisor: str) -> str | None:
        """Of pixels, by Keras's reduction: sums and plain losses are divided by nothing."""
        if self.reduction not in MEANS:
            return None
        return "sample_weights" if self.reduction == "mean_with_sample_weight" else divisor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self.dtype, **self.keywords}

    def __repr__(self) -> str:
        make: Any = type(self)  # every argument of a loss has a default
        plain = make().get_config()
        own = {k: v for k, v in self.get_config().items() if v != plain[k]}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in own.items())})"


def _checked_dtype(dtype: Any) -> str:
    """float32 or float64: half precision loses ids above 256 and sums above 65,504."""
    if dtype is None:
        return "float64" if keras.config.floatx() == "float64" else "float32"
    name = getattr(dtype, "name", dtype)
    if name not in ("float32", "float64"):
        raise ValueError(
            f"dtype of a loss must be 'float32' or 'float64', received {dtype!r}; logits in "
            "half precision are taken and summed in float32"
        )
    return str(name)
