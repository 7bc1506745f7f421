"""VGG16's convolutions (Simonyan and Zisserman, 2015) with poolings that round up."""

from typing import Any

from keras import layers

from semseg.layers import ImageNetScaling
from semseg.models.arguments import preprocessing_layer

#: Number of 3x3 convolutions and their filters, block by block.
VGG16_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def vgg16_trunk(x: Any) -> dict[str, Any]:
    """The thirteen convolutions and five poolings, named as in `keras.applications.VGG16`.

    Pooling rounds odd sizes up, as Caffe does, so that any height and width >= 1 works.

    Args:
        x: (batch, height, width, channels).

    Returns:
        The pooled outputs: `"P1"` (stride 2, 64 channels) to `"P5"` (stride 32, 512 channels).
    """
    pyramid = {}
    for block, (repeats, filters) in enumerate(VGG16_BLOCKS, start=1):
        for i in range(1, repeats + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"block{block}_conv{i}",
            )(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
        pyramid[f"P{block}"] = x
    return pyramid


def vgg16_preprocessing(preprocessing: Any, weights: Any) -> Any:
    """The first layer; in the place of "rescale", pretrained weights get the scale they know."""
    if weights is not None and isinstance(preprocessing, str) and preprocessing == "rescale":
        return ImageNetScaling("caffe", name="preprocessing")
    return preprocessing_layer(preprocessing)
