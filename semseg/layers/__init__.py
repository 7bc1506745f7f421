"""What Keras lacks for segmentation: pooling with indices, unpooling, cropping to a twin."""

from semseg.layers.cropping import CropLike
from semseg.layers.ends import Logits, PixelRescaling
from semseg.layers.pooling import MaxPooling2DWithIndices, MaxUnpooling2D

__all__ = [
    "CropLike",
    "Logits",
    "MaxPooling2DWithIndices",
    "MaxUnpooling2D",
    "PixelRescaling",
]
