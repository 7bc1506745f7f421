"""Transforms of albumentations as ours: drawn from the sample's generator, weights with the mask.

albumentations draws from generators inside of its objects, which threads would share: each thread
has a copy, seeded for every sample. The package itself is not imported.
"""

import copy
import threading
from typing import Any

import numpy as np


def adapted(transform: Any) -> Any:
    """An albumentations transform, or one derived from it, as a function of (image, mask, rng).

    Others stay as they are.
    """
    modules = {kind.__module__.split(".")[0] for kind in type(transform).__mro__}
    return Albumentations(transform) if "albumentations" in modules else transform


class Albumentations:
    """A transform (image, mask, rng[, weights]) around one of albumentations, such as `A.Compose`.

    Args:
        transform: anything with albumentations' interface: `set_random_seed(seed)`,
            `add_targets({...})` and `transform(image=, mask=)`.
    """

    def __init__(self, transform: Any) -> None:
        self._transform = transform
        self._of_thread = threading.local()

    def __call__(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        rng: np.random.Generator,
        weights: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        transform = self._own_copy()
        transform.set_random_seed(int(rng.integers(2**32)))
        if weights is None:
            made = transform(image=image, mask=mask)
            return made["image"], made["mask"]
        made = transform(image=image, mask=mask, weights=weights)
        return made["image"], made["mask"], made["weights"]

    def _own_copy(self) -> Any:
        if not hasattr(self._of_thread, "transform"):
            self._of_thread.transform = copy.deepcopy(self._transform)
            self._of_thread.transform.add_targets({"weights": "mask"})
        return self._of_thread.transform

    def __getstate__(self) -> dict[str, Any]:
        return {"transform": self._transform}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Albumentations.__init__(self, state["transform"])

    def __repr__(self) -> str:
        return repr(self._transform)
