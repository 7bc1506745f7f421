"""A factory of broken set-ups: each makes a model and a data set with one thing wrong."""

import functools
from dataclasses import dataclass, field

import cv2
import keras
import numpy as np

from semseg.classes import ClassMap
from semseg.data import Dataset, from_arrays, shapes
from semseg.layers import ImageNetScaling, Logits, PixelRescaling
from semseg.losses import Crossentropy, Dice
from semseg.metrics import MeanIoU, PixelAccuracy
from semseg.models import UNet, freeze_encoder

SHAPES = shapes("train", count=8, size=(32, 32))
PAIRS = [SHAPES[i] for i in range(len(SHAPES))]
IMAGES, MASKS = (np.stack(part) for part in zip(*PAIRS, strict=True))
CLASSES, IGNORED = SHAPES.class_map.num_classes, 255
BINARY = ClassMap(["background", "figure"], ignore_class=255)
RATE = 3e-3


@dataclass
class Setup:
    """What `check` takes."""

    model: keras.Model
    ds: Dataset
    arguments: dict = field(default_factory=dict)


def data(images=IMAGES, masks=MASKS, class_map=SHAPES.class_map):
    return from_arrays(images, masks, class_map)


def raw(image_of=IMAGES.__getitem__, mask_of=MASKS.__getitem__, class_map=SHAPES.class_map):
    """A data set of functions, which looks at a sample only when it is read."""
    names = [str(i) for i in range(len(IMAGES))]
    return Dataset(lambda i: (image_of(i), mask_of(i)), names, class_map)


def unet(**arguments):
    keras.utils.set_random_seed(0)
    return UNet(**{"class_map": SHAPES.class_map, "depth": 1, "filters": 4, **arguments})


def small(outputs=CLASSES, activation=None, scaling=True, pooled=False):
    """Two convolutions: what is broken beside the model needs no more of one."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = PixelRescaling()(inputs) if scaling else inputs
    conv = functools.partial(keras.layers.Conv2D, padding="same", kernel_initializer="he_normal")
    x = conv(8, 3, strides=1 + pooled, activation="relu")(x)
    return keras.Model(inputs, Logits(activation=activation)(conv(outputs, 1)(x)))


def good_loss(**arguments):
    return Crossentropy(**{"ignore_class": IGNORED, **arguments})


def good_metric():
    return MeanIoU(CLASSES, ignore_class=IGNORED)


def compiled(model=None, loss=None, metrics=None, rate=RATE):
    model = small() if model is None else model
    metrics = [good_metric()] if metrics is None else metrics
    model.compile(keras.optimizers.Adam(rate), loss=loss or good_loss(), metrics=metrics)
    return model


def healthy():
    return Setup(compiled(unet()), data())


def binary(loss=None, metrics=(), activation=None):
    model = small(1, activation)
    masks = np.where(MASKS == IGNORED, IGNORED, MASKS > 0)
    return Setup(compiled(model, loss, list(metrics)), data(masks=masks, class_map=BINARY))


def changed(model, change):
    """The model with `change(name, weights)` for each of its layers' weights."""
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(change(layer.name, layer.get_weights()))
    return model


# -- loss --------------------------------------------------------------------------------------


def softmax_twice():
    return Setup(compiled(small(activation="softmax")), data())


def sigmoid_twice():
    return binary(activation="sigmoid")


def logits_taken_for_probabilities():
    return Setup(compiled(loss=good_loss(from_logits=False)), data())


def keras_loss_by_name():
    """Whose default is from_logits=False."""
    masks = np.where(MASKS == IGNORED, 0, MASKS)
    whole = ClassMap(SHAPES.class_map.names)
    loss = "sparse_categorical_crossentropy"
    return Setup(compiled(loss=loss, metrics=[]), data(masks=masks, class_map=whole))


def one_loss_of_a_sum_takes_probabilities():
    loss = Dice(ignore_class=IGNORED, from_logits=False) + good_loss()
    return Setup(compiled(loss=loss), data())


def loss_for_one_hot_masks():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    return Setup(compiled(loss=loss), data())


def softmax_of_one_output():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)
    return binary(loss)


def binary_loss_of_many():
    return Setup(compiled(loss=keras.losses.BinaryCrossentropy(from_logits=True)), data())


def ignore_class_forgotten():
    return Setup(compiled(loss=Crossentropy()), data())


def ignore_class_of_another():
    return Setup(compiled(loss=Dice() + good_loss()), data())


def ignored_pixels_in_the_loss():
    """A loss of one's own that says nothing about ignored pixels."""

    def squares(y_true, y_pred):
        true = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), CLASSES)
        return keras.ops.mean(keras.ops.square(true - y_pred))

    return Setup(compiled(loss=squares), data())


def background_ignored():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    masks = np.where(MASKS == IGNORED, 0, MASKS)
    whole = ClassMap(SHAPES.class_map.names)
    return Setup(compiled(loss=loss, metrics=[]), data(masks=masks, class_map=whole))


def class_weights_of_wrong_length():
    return Setup(compiled(loss=good_loss(class_weights=[1.0, 2.0])), data())


def loss_that_raises():
    def broken(y_true, y_pred):
        raise RuntimeError("out of cheese")

    return Setup(compiled(loss=broken), data())


def infinite_loss():
    def infinite(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=(1, 2, 3)) + np.inf

    return Setup(compiled(loss=infinite), data())


# -- metrics -----------------------------------------------------------------------------------


def metric_without_ignore():
    return Setup(compiled(metrics=[MeanIoU(CLASSES)]), data())


def plain_accuracy():
    return Setup(compiled(metrics=["accuracy"]), data())


def metric_with_other_classes():
    return Setup(compiled(metrics=[PixelAccuracy(CLASSES + 1, ignore_class=IGNORED)]), data())


def keras_iou_of_logits():
    return Setup(compiled(metrics=[keras.metrics.MeanIoU(CLASSES, ignore_class=IGNORED)]), data())


def iou_of_one_hot():
    metric = keras.metrics.OneHotMeanIoU(CLASSES, ignore_class=IGNORED)
    return Setup(compiled(metrics=[metric]), data())


def metric_on_the_wrong_axis():
    metric = keras.metrics.MeanIoU(CLASSES, ignore_class=IGNORED, sparse_y_pred=False, axis=1)
    return Setup(compiled(metrics=[metric]), data())


def metric_at_the_wrong_threshold():
    metric = MeanIoU(1, ignore_class=IGNORED)
    return binary(good_loss(from_logits=False), [metric], activation="sigmoid")


def metric_that_raises():
    return Setup(compiled(metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k="all")]), data())


# -- images and masks --------------------------------------------------------------------------


def images_in_unit_range():
    return Setup(compiled(), data(IMAGES / np.float32(255)))


def images_preprocessed_for_imagenet():
    inputs = keras.Input((None, None, 3))
    scores = small(scaling=False)(ImageNetScaling("caffe")(inputs))
    changed = IMAGES[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    return Setup(compiled(keras.Model(inputs, scores)), data(changed))


def sixteen_bit_images():
    return Setup(compiled(), data(IMAGES.astype(np.uint16) * 257))


def images_without_scaling():
    return Setup(compiled(small(scaling=False)), data())


def bgr_images(folder):
    """A reader of one's own, by OpenCV, beside the files that it reads."""
    from semseg.data import from_folders

    for part in ("images", "masks"):
        (folder / part).mkdir()
    for i, (image, mask) in enumerate(PAIRS):
        assert cv2.imwrite(str(folder / "images" / f"{i}.png"), image[..., ::-1])
        assert cv2.imwrite(str(folder / "masks" / f"{i}.png"), mask)
    files = from_folders(folder / "images", folder / "masks", SHAPES.class_map)
    read = lambda i: (cv2.imread(str(files.paths(i)[0])), files[i][1])  # noqa: E731
    ds = Dataset(read, files.ids, files.class_map, files=files.files)
    return Setup(compiled(), ds)


def grey_images():
    return Setup(compiled(), data(IMAGES[..., :1]))


def pictures_of_two_sizes():
    def smaller(i):
        return (slice(None, 32 - i % 2 * 8),)

    ds = raw(lambda i: IMAGES[i][smaller(i)], lambda i: MASKS[i][smaller(i)])
    return Setup(compiled(), ds)


def one_hot_masks():
    eye = np.eye(CLASSES, dtype=np.uint8)
    return Setup(compiled(), raw(mask_of=lambda i: eye[np.where(MASKS[i] == IGNORED, 0, MASKS[i])]))


def ids_from_one():
    masks = np.where(MASKS == IGNORED, IGNORED, MASKS + 1)
    masks[:4, 0, 0] = CLASSES
    return Setup(compiled(), raw(mask_of=masks.__getitem__))


def ids_from_one_with_room():
    """The map has a name too many, so that no id is out of range."""
    wider = ClassMap(["?", *SHAPES.class_map.names], ignore_class=IGNORED)
    model = compiled(small(CLASSES + 1), metrics=[])
    masks = np.where(MASKS == IGNORED, IGNORED, MASKS + 1)
    masks[0, 0, :CLASSES] = np.arange(1, CLASSES + 1)
    return Setup(model, data(masks=masks, class_map=wider))


def ids_times_forty():
    masks = np.where(MASKS == IGNORED, IGNORED, MASKS * 40)
    return Setup(compiled(), raw(mask_of=masks.__getitem__))


def masks_of_half_the_size():
    return Setup(compiled(), raw(mask_of=lambda i: MASKS[i][::2, ::2]))


def masks_all_background():
    return Setup(compiled(), data(masks=np.zeros_like(MASKS)))


def masks_all_ignored():
    return Setup(compiled(), data(masks=np.full_like(MASKS, IGNORED)))


def reader_that_raises():
    def image_of(i):
        if i == 3:
            raise OSError("disk on fire")
        return IMAGES[i]

    return Setup(compiled(), raw(image_of))


def nearly_all_background():
    masks = np.where(MASKS == 1, 1, 0)
    masks[:, 10:] = 0
    two = ClassMap(["background", "disc"])
    return Setup(compiled(small(2), metrics=[]), data(masks=masks, class_map=two))


# -- outputs -----------------------------------------------------------------------------------


def not_compiled():
    return Setup(small(), data())


def too_few_outputs():
    return Setup(compiled(small(CLASSES - 1), metrics=[]), data())


def output_at_half_the_size():
    return Setup(compiled(small(pooled=True)), data())


def flattened_output():
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(CLASSES, 1)(x)
    return Setup(compiled(keras.Model(inputs, keras.layers.Reshape((-1, CLASSES))(x))), data())


def size_that_does_not_divide():
    """A U-Net by hand: what is halved and doubled must be even."""
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    deep = keras.layers.UpSampling2D()(keras.layers.MaxPooling2D()(x))
    x = keras.layers.Concatenate()([x, deep])
    model = keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1)(x))
    return Setup(compiled(model), data(IMAGES[:, :31, :31], MASKS[:, :31, :31]))


def model_of_another_size():
    return Setup(compiled(unet(input_shape=(48, 48, 3))), data())


def model_that_raises():
    class Broken(keras.layers.Layer):
        def call(self, x):
            raise RuntimeError("out of cheese")

        def compute_output_spec(self, x):
            return keras.KerasTensor(x.shape, x.dtype)

    inputs = keras.Input((None, None, 3))
    return Setup(compiled(keras.Model(inputs, small()(Broken()(inputs)))), data())


# -- weights and gradients -----------------------------------------------------------------------


def everything_frozen():
    model = small()
    model.trainable = False
    return Setup(compiled(model), data())


def frozen_encoder_with_live_norms():
    return Setup(compiled(freeze_encoder(unet(), batch_norm=False)), data())


def batch_norm_of_one_picture():
    return Setup(compiled(unet()), data(), {"batch_size": 1})


def dark_and_bright_pictures():
    images = [image // 8 + 200 * (i % 2) for i, image in enumerate(IMAGES)]
    return Setup(compiled(unet()), data(np.stack(images).astype(np.uint8)))


def nan_in_the_weights():
    def broken(name, weights):
        return [w * np.nan for w in weights]

    return Setup(compiled(changed(small(), broken)), data())


def exploding_initialisation():
    model = changed(small(), lambda _, weights: [w * 1e4 for w in weights])
    return Setup(compiled(model), data())


def loud_last_layer():
    return Setup(compiled(scaled_scores(small(), 30.0)), data())


def scaled_scores(model, factor):
    last = [layer for layer in model.layers if layer.weights][-1]
    last.set_weights([w * factor for w in last.get_weights()])
    return model


def dead_relu():
    def dead(name, weights):
        return [*weights[:1], *[b - 1e3 for b in weights[1:]]] if "bottleneck" in name else weights

    return Setup(compiled(changed(unet(norm=None), dead)), data())


def decoder_cut_off():
    """The deep branch is multiplied by zero on its way to the scores."""
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    conv = functools.partial(keras.layers.Conv2D, padding="same", activation="relu")
    skip = conv(8, 3, name="skip")(x)
    deep = conv(8, 3, name="deep")(keras.layers.MaxPooling2D()(skip))
    deep = keras.layers.Rescaling(0.0)(keras.layers.UpSampling2D()(deep))
    scores = keras.layers.Conv2D(CLASSES, 1)(keras.layers.Concatenate()([skip, deep]))
    return Setup(compiled(keras.Model(inputs, scores)), data())


def vanishing_gradients():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    conv = functools.partial(keras.layers.Conv2D, padding="same")
    deep = keras.layers.Rescaling(1e-11)(conv(4, 3, name="first")(x))
    scores = conv(CLASSES, 1)(keras.layers.Concatenate()([deep, conv(4, 3)(x)]))
    return Setup(compiled(keras.Model(inputs, scores)), data())


def exploding_gradients():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    small = keras.initializers.RandomNormal(stddev=1e-6)
    x = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=small)(x)
    x = keras.layers.Rescaling(1e5)(x)
    model = keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1)(x))
    return Setup(compiled(model, rate=3e-6), data())


# -- learning ----------------------------------------------------------------------------------


def rate_a_thousand_times_too_high():
    return Setup(compiled(rate=1000 * RATE), data())


def rate_a_thousand_times_too_low():
    return Setup(compiled(rate=RATE / 1000), data())


def nothing_to_learn_from():
    """Images of one colour under masks of noise."""
    masks = np.random.default_rng(0).integers(0, CLASSES, MASKS.shape)
    return Setup(compiled(), data(np.full_like(IMAGES, 128), masks))


FAULTS = {
    softmax_twice: "softmax_twice",
    sigmoid_twice: "softmax_twice",
    logits_taken_for_probabilities: "logits_as_probabilities",
    keras_loss_by_name: "logits_as_probabilities",
    one_loss_of_a_sum_takes_probabilities: "logits_as_probabilities",
    loss_for_one_hot_masks: "loss_wants_one_hot",
    softmax_of_one_output: "softmax_of_one",
    binary_loss_of_many: "binary_loss",
    ignore_class_forgotten: "wrong_ignore_in_loss",
    ignore_class_of_another: "wrong_ignore_in_loss",
    ignored_pixels_in_the_loss: "wrong_ignore_in_loss",
    background_ignored: "class_ignored_by_loss",
    class_weights_of_wrong_length: "class_weights_length",
    loss_that_raises: "loss_fails",
    infinite_loss: "loss_not_finite",
    metric_without_ignore: "wrong_ignore_in_metric",
    plain_accuracy: "wrong_ignore_in_metric",
    metric_with_other_classes: "metric_classes",
    keras_iou_of_logits: "metric_wants_ids",
    iou_of_one_hot: "metric_wants_one_hot",
    metric_on_the_wrong_axis: "metric_axis",
    metric_at_the_wrong_threshold: "metric_threshold",
    metric_that_raises: "metric_fails",
    images_in_unit_range: "images_already_scaled",
    images_preprocessed_for_imagenet: "images_already_scaled",
    sixteen_bit_images: "image_range",
    images_without_scaling: "unscaled_images",
    bgr_images: "bgr_images",
    grey_images: "wrong_channels",
    pictures_of_two_sizes: "mixed_sizes",
    one_hot_masks: "one_hot_masks",
    ids_from_one: "shifted_ids",
    ids_from_one_with_room: "shifted_ids",
    ids_times_forty: "unknown_ids",
    masks_of_half_the_size: "mask_size_differs",
    masks_all_background: "one_class_only",
    masks_all_ignored: "only_ignored",
    reader_that_raises: "unreadable_sample",
    nearly_all_background: "class_imbalance",
    not_compiled: "not_compiled",
    too_few_outputs: "wrong_number_of_outputs",
    output_at_half_the_size: "output_size",
    flattened_output: "output_shape",
    size_that_does_not_divide: "size_rule",
    model_of_another_size: "size_rule",
    model_that_raises: "model_fails",
    everything_frozen: "nothing_trainable",
    frozen_encoder_with_live_norms: "live_batch_norm",
    batch_norm_of_one_picture: "batch_norm_of_one",
    dark_and_bright_pictures: "unlike_pictures",
    nan_in_the_weights: "weights_not_finite",
    exploding_initialisation: "exploding_activations",
    loud_last_layer: "first_loss_high",
    dead_relu: "dead_relu",
    decoder_cut_off: "no_gradient",
    vanishing_gradients: "vanishing_gradients",
    exploding_gradients: "exploding_gradients",
    rate_a_thousand_times_too_high: "learning_rate_high",
    rate_a_thousand_times_too_low: "learning_rate_low",
    nothing_to_learn_from: "does_not_learn",
}
