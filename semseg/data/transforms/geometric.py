"""What all transforms that move pixels share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import numpy as np

from semseg.data.transforms.frame import Border, Frame, Outside
from semseg.data.transforms.transform import Sample, Transform, fitting
from semseg.data.transforms.warp import Warp
from semseg.data.transforms.window import Window


@dataclass(frozen=True, repr=False)
class Geometric(Transform):
    """A transform that moves pixels, alone or fused with its neighbours in a `Compose`."""

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        """The frame after this transform."""
        raise NotImplementedError

    def outside(self, mask_fill: int | None, border: Border = "fill") -> Outside:
        """What this transform sees beyond the edges."""
        return Outside(border, mask_fill, repr(self))

    @staticmethod
    def run_all(steps: "Iterable[Geometric]", sample: Sample, rng: np.random.Generator) -> Sample:
        frame = Frame.of(sample.mask)
        for step in steps:
            frame = step.place(frame, rng)
        return resample(sample, frame)


def resample(sample: Sample, frame: Frame) -> Sample:
    """What `frame` shows of image and weights (linear) and mask (nearest).

    Beyond the edges, image and weights are 0 and the mask is the fill of what looked there.
    """
    view = Window.of(frame) or Warp.of(frame)
    beyond = view.beyond(sample.mask.shape)
    image, mask = view.linear(sample.image), view.nearest(sample.mask)
    weights = None if sample.weights is None else view.linear(sample.weights[..., None])[..., 0]
    for where, outside in beyond:
        if outside.mask_fill is None:
            raise ValueError(
                f"{outside.owner} reaches outside the picture and has no id for what it finds "
                "there; pass mask_fill= (the ClassMap's ignore_class, or the background's id; for "
                "a preset .filled(id)), or reach less far"
            )
        mask = fitting(mask, {outside.mask_fill})
        image[where], mask[where] = 0, outside.mask_fill
        if weights is not None:
            weights[where] = 0
    return Sample(image, mask, weights)


def check_border(border: Border) -> None:
    """What transforms that reach beyond the edges do there."""
    if border not in get_args(Border):
        raise ValueError(f"border must be 'fill' or 'reflect', received {border!r}")
