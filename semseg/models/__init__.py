"""The architectures as functions that return plain functional Keras models."""

from semseg.models.saved import class_map, load
from semseg.models.unet import UNet

__all__ = ["UNet", "class_map", "load"]
