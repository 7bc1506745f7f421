"""A fourth architecture in 30 lines: a feature pyramid network on any encoder.

    python examples/compose_a_model.py

The encoder is any Keras model that returns a dict of features "P1".."P5" at strides 2, 4, ..., 32:
one of `semseg.models.encoder`, a KerasHub backbone
(`keras.Model(backbone.inputs, backbone.pyramid_outputs)`), or your own as here.
"""

import argparse

import keras
from keras import layers

import semseg
from semseg.layers import BilinearUpsampling2D, CropLike, PixelRescaling
from semseg.models.blocks import class_scores, conv_block


def FPN(encoder: keras.Model, class_map: semseg.ClassMap, filters: int = 32) -> keras.Model:
    """Lin et al., 2017 (arXiv:1612.03144): each level is added to the enlarged one below it."""
    image = keras.Input((None, None, 3), name="image")
    pyramid = encoder(PixelRescaling(name="preprocessing")(image))
    x = None
    for level in sorted(pyramid, reverse=True):
        side = layers.Conv2D(filters, 1, name=f"{level}_side")(pyramid[level])
        if x is not None:
            x = BilinearUpsampling2D(2, name=f"{level}_up")(x)
            side = layers.Add(name=f"{level}_sum")(
                [CropLike(name=f"{level}_crop")([x, side]), side]
            )
        x = conv_block(side, filters, f"{level}_smooth", repeats=1)
    stride = 2 ** int(min(pyramid)[1:])
    x = BilinearUpsampling2D(stride, name="to_picture")(x)
    x = CropLike(name="crop")([x, image])
    return keras.Model(image, class_scores(x, class_map.num_classes, class_map), name="fpn")


def small_encoder(filters: int = 16) -> keras.Model:
    """Four levels of convolutions, "P1" to "P4"."""
    x = image = keras.Input((None, None, 3))
    pyramid = {}
    for level in (1, 2, 3, 4):
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = conv_block(x, filters * 2 ** (level - 1), f"stage_{level}")
        pyramid[f"P{level}"] = x
    return keras.Model(image, pyramid, name="encoder")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--scenes", type=int, default=20)
    args = parser.parse_args()
    ds = semseg.data.digits("train", count=8 * args.steps)
    model = FPN(small_encoder(), ds.class_map)
    model.compile(
        keras.optimizers.AdamW(3e-3),
        semseg.losses.Crossentropy(ignore_class=ds.class_map.ignore_class),
        metrics=[semseg.metrics.MeanIoU(11, ignore_class=ds.class_map.ignore_class)],
    )
    model.fit(ds.pipeline(batch_size=8), shuffle=False)
    print(semseg.inference.score(model, semseg.data.digits("test", count=args.scenes)))


if __name__ == "__main__":
    main()
