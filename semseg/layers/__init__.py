"""What Keras lacks for segmentation: pooling with indices, unpooling, any-size geometry."""

from semseg.layers.batch_normalization import BatchNormalization
from semseg.layers.cropping import CropLike, PadToMultiple
from semseg.layers.ends import Logits, PixelRescaling
from semseg.layers.imagenet import ImageNetScaling
from semseg.layers.normalization import LocalResponseNormalization
from semseg.layers.pooling import MaxPooling2DWithIndices, MaxUnpooling2D
from semseg.layers.upsampling import BilinearKernel, BilinearUpsampling2D, LearnedUpsampling2D

__all__ = [
    "BatchNormalization",
    "BilinearKernel",
    "BilinearUpsampling2D",
    "CropLike",
    "ImageNetScaling",
    "LearnedUpsampling2D",
    "LocalResponseNormalization",
    "Logits",
    "MaxPooling2DWithIndices",
    "MaxUnpooling2D",
    "PadToMultiple",
    "PixelRescaling",
]
