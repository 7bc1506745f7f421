"""All architectures by name, for configuration files and sweeps."""

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from semseg.models.fcn import FCN
from semseg.models.segnet import SegNet
from semseg.models.segnet_basic import SegNetBasic
from semseg.models.unet import UNet

BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "unet": UNet,
    "fcn32s": partial(FCN, variant="32s"),
    "fcn16s": partial(FCN, variant="16s"),
    "fcn8s": partial(FCN, variant="8s"),
    "segnet": SegNet,
    "segnet_basic": SegNetBasic,
    "bayesian_segnet": partial(SegNet, bayesian=True, name="bayesian_segnet"),
    "bayesian_segnet_basic": partial(SegNetBasic, bayesian=True, name="bayesian_segnet_basic"),
}


def build(name: str, /, **arguments: Any) -> keras.Model:
    """Builds the architecture of that name with its builder's keyword arguments.

    Raises:
        ValueError: an unknown name (the message lists the known ones), or an argument that the
            name decides.

    Example:
        >>> semseg.models.build("unet", num_classes=3, depth=2, filters=8).name
        'unet'
    """
    if name not in BUILDERS:
        near = difflib.get_close_matches(str(name), BUILDERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name must be one of {', '.join(BUILDERS)}, received {name!r}{hint}")
    builder = BUILDERS[name]
    for argument, decided in getattr(builder, "keywords", {}).items():
        if argument in arguments and argument != "name":
            raise ValueError(
                f"{argument} is {decided!r} by the name {name!r}, received "
                f"{arguments[argument]!r}; leave it out, or take another of {', '.join(BUILDERS)}"
            )
    return builder(**arguments)
