"""Transforms made again from what JSON held."""

from typing import Any

from semseg.data.transforms.affine import Affine, Perspective
from semseg.data.transforms.colors import Hue, Saturation
from semseg.data.transforms.compose import Compose, OneOf
from semseg.data.transforms.cropping import Pad, RandomCrop
from semseg.data.transforms.cutout import Cutout
from semseg.data.transforms.deforming import Elastic, GridDistortion
from semseg.data.transforms.mixing import BatchTransform, ClassMix, CopyPaste, CutMix, Mosaic
from semseg.data.transforms.mixup import MixUp
from semseg.data.transforms.operation import Operation
from semseg.data.transforms.quality import CLAHE, JPEG, Blur, MotionBlur, Noise
from semseg.data.transforms.rand_augment import RandAugment
from semseg.data.transforms.resizing import RandomScale, Resize
from semseg.data.transforms.transform import Transform
from semseg.data.transforms.turning import Flip, Rotate90
from semseg.data.transforms.values import Brightness, Contrast, Gamma

KINDS: dict[str, type[Transform]] = {
    kind.__name__: kind
    for kind in (
        Affine, Blur, Brightness, CLAHE, Compose, Contrast, Cutout, Elastic, Flip, Gamma,
        GridDistortion, Hue, JPEG, MotionBlur, Noise, OneOf, Pad, Perspective, RandAugment,
        RandomCrop, RandomScale, Resize, Rotate90, Saturation,
    )
}  # fmt: skip
BATCH_KINDS: dict[str, type[BatchTransform]] = {
    kind.__name__: kind for kind in (ClassMix, CopyPaste, CutMix, MixUp, Mosaic)
}


def is_own(transform: Any) -> bool:
    """Whether it and its parts are all of this package: what they do to a pair is known."""
    if transform is None:
        return True
    parts = getattr(transform, "transforms", ())
    return type(transform) in KINDS.values() and all(map(is_own, parts))


def from_dict(stored: dict[str, Any]) -> Any:
    """The transform that `to_dict` described.

    Raises:
        ValueError: a name that is no transform, an argument it does not take.

    Example:
        >>> import json
        >>> stored = json.dumps(Compose([Flip(), Rotate90()]).to_dict())
        >>> from_dict(json.loads(stored))
        Compose([Flip(), Rotate90()])
    """
    arguments = {key: value for key, value in stored.items() if key != "name"}
    kinds: dict[str, type[Operation]] = {**KINDS, **BATCH_KINDS}
    kind = kinds.get(str(stored.get("name")))
    if kind is None:
        raise ValueError(f"name must be one of {', '.join(kinds)}, received {stored.get('name')!r}")
    for key, value in arguments.items():
        if key == "transforms":
            arguments[key] = [from_dict(part) for part in value]
        elif isinstance(value, list):
            arguments[key] = tuple(value)
    try:
        return kind(**arguments)
    except TypeError as error:
        raise ValueError(f"{kind.__name__} can't be made of {arguments}: {error}") from error
