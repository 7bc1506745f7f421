"""A fourth architecture in 30 lines: a feature pyramid network on any encoder.

    python examples/compose_a_model.py

The encoder is any Keras model that scales its pixels and returns a dict of features, some of
"P1".."P5" at strides 2, 4, ..., 32: one of `semseg.models.encoder`, or your own as here. A KerasHub
backbone, `keras.Model(backbone.inputs, backbone.pyramid_outputs)`, wants the scaling that its
weights expect before it.
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
    pyramid = encoder(image)
    levels = sorted((int(key[1:]) for key in pyramid), reverse=True)

    def enlarged(x, like, factor, name):
        x = BilinearUpsampling2D(factor, name=f"{name}_up")(x)
        return CropLike(name=f"{name}_crop")([x, like])  # odd sizes come back one too large

    x = None
    for above, level in zip([None, *levels], levels, strict=False):
        name = f"P{level}"
        side = layers.Conv2D(filters, 1, name=f"{name}_side")(pyramid[name])
        if x is not None:  # levels that the encoder lacks are skipped by a larger factor
            side = layers.Add(name=f"{name}_sum")(
                [enlarged(x, side, 2 ** (above - level), name), side]
            )
        x = conv_block(side, filters, f"{name}_smooth", repeats=1)
    x = enlarged(x, image, 2 ** levels[-1], "picture")
    return keras.Model(image, class_scores(x, class_map.num_classes, class_map), name="fpn")


def small_encoder(filters: int = 16, without: str = "P3") -> keras.Model:
    """Four levels of convolutions, of which one is kept back: decoders bridge a missing level."""
    image = keras.Input((None, None, 3))
    x = PixelRescaling(name="preprocessing")(image)
    pyramid = {}
    for level in (1, 2, 3, 4):
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = conv_block(x, filters * 2 ** (level - 1), f"stage_{level}")
        pyramid[f"P{level}"] = x
    del pyramid[without]
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
