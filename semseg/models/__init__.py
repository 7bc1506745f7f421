"""The architectures as functions that return plain functional Keras models."""

from semseg.models import blocks
from semseg.models.catalogue import build
from semseg.models.encoders import encoder
from semseg.models.fcn import FCN
from semseg.models.freezing import freeze_encoder
from semseg.models.saved import class_map, load
from semseg.models.segnet import SegNet
from semseg.models.segnet_basic import SegNetBasic
from semseg.models.supervision import without_supervision
from semseg.models.unet import UNet
from semseg.models.unet_sizes import valid_output_size, valid_sizes

__all__ = [
    "FCN",
    "SegNet",
    "SegNetBasic",
    "UNet",
    "blocks",
    "build",
    "class_map",
    "encoder",
    "freeze_encoder",
    "load",
    "valid_output_size",
    "valid_sizes",
    "without_supervision",
]
