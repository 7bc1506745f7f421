"""Each architecture can learn four pictures of CamVid by heart: the gradient reaches everything."""

import functools

import keras
import numpy as np
import pytest

import semseg
from semseg.data.transforms import Resize
from semseg.models import FCN, SegNet, SegNetBasic, UNet

pytest.importorskip("tensorflow")

# Steps are an upper bound; training stops when it has learnt enough.
LEARNERS = {
    "unet": (functools.partial(UNet, depth=3, filters=16), 3e-3, 150),
    "segnet_basic": (SegNetBasic, 3e-3, 150),
    "fcn8s": (functools.partial(FCN, fc_units=512), 3e-4, 400),
    "segnet": (SegNet, 1e-3, 150),
}


class EnoughLearnt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["pixel_accuracy"] > 0.985:  # in inference the statistics of the batches lag behind
            self.model.stop_training = True


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_four_pictures_are_learnt_by_heart(data_root, name):
    build, learning_rate, steps = LEARNERS[name]
    keras.utils.set_random_seed(0)
    ds = semseg.data.camvid(data_root / "camvid", "train")
    small = Resize((120, 160))
    pairs = [small(*ds[i], np.random.default_rng(0)) for i in (0, 120, 240, 360)]
    images, masks = map(np.stack, zip(*pairs, strict=True))
    ignored = ds.class_map.ignore_class
    model = build(class_map=ds.class_map)
    metric = semseg.metrics.PixelAccuracy(11, ignore_class=ignored)
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, semseg.losses.Crossentropy(ignored), metrics=[metric])
    model.fit(images, masks, batch_size=4, epochs=steps, verbose=0, callbacks=[EnoughLearnt()])
    # In inference too: what was learnt does not hang on dropout or the statistics of the batch.
    logits = model.predict(images, batch_size=4, verbose=0)
    valid = masks != ignored
    assert np.mean((logits.argmax(-1) == masks)[valid]) > 0.95
