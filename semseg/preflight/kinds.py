"""Every kind of finding: how sure it is, what it means, what to do."""

from typing import NamedTuple

from semseg.data.doctor.report import Level
from semseg.preflight.report import Finding


class Kind(NamedTuple):
    """The words for one kind of finding.

    `stops` says whether training is not tried where this was found: what it would show then is
    this same fault once more.
    """

    level: Level
    message: str
    fix: str
    stops: bool = True


KINDS = {
    # -- the model as it was compiled ----------------------------------------------------------
    "not_compiled": Kind(
        "certain",
        "the model has no optimizer or no loss",
        "model.compile(optimizer, loss=semseg.losses.Crossentropy(class_map=ds.class_map))",
    ),
    "nothing_trainable": Kind(
        "certain",
        "everything is frozen: no weight can change",
        "layer.trainable = True for the layers that shall learn, then compile again",
    ),
    "weights_not_finite": Kind(
        "certain",
        "weights are NaN or infinite",
        "load an earlier checkpoint, or build the model again; a model never recovers from this",
    ),
    "live_batch_norm": Kind(
        "likely",
        "batch normalisations are live behind frozen convolutions: their statistics move away from "
        "what the frozen weights know",
        "semseg.models.freeze_encoder(model) freezes both; or layer.trainable = False on them",
        False,
    ),
    "batch_norm_of_one": Kind(
        "likely",
        "batch normalisation with one picture a batch: in training each picture is normalised by "
        "itself, afterwards by the moving statistics",
        "batches of 4 or more, or norm='group', which does not look at the batch",
        False,
    ),
    "unlike_pictures": Kind(
        "likely",
        "pictures differ more from each other than their pixels do, so the mean and variance of a "
        "batch are not the set's: batch normalisation will score far lower after training than in "
        "it",
        "UNet(norm='group'), which does not look at the batch; other models: pictures normalised "
        "one by one before they go in",
        False,
    ),
    # -- samples -------------------------------------------------------------------------------
    "unreadable_sample": Kind(
        "certain",
        "samples can't be read",
        "mend what the error names; ds.check() looks at all samples and names every fault",
        False,
    ),
    "one_hot_masks": Kind(
        "certain",
        "masks are one-hot, where ids (height, width) are expected",
        "masks.argmax(-1); losses and metrics take ids",
    ),
    "shifted_ids": Kind(
        "certain",
        "ids are shifted by one: they begin at 1",
        "ClassMap([...], remap={{1: 0, 2: 1, ...}}), or nothing if class 0 only is rare",
    ),
    "unknown_ids": Kind(
        "certain",
        "masks hold ids that are no class",
        "ClassMap([...], remap={{raw: id}}), or ignore_class=; ds.check() looks at all masks",
    ),
    "mask_size_differs": Kind(
        "certain",
        "image and mask differ in size",
        "export the masks at the images' size; never resize a mask but with nearest neighbour",
    ),
    "one_class_only": Kind(
        "certain",
        "all masks hold one class alone: there is nothing to learn",
        "look at the masks: is the annotation missing, or the encoding another one?",
        False,
    ),
    "only_ignored": Kind(
        "certain",
        "all masks hold nothing but the ignored label",
        "look at the masks, and at ignore_class= of the ClassMap",
    ),
    "class_imbalance": Kind(
        "hint",
        "one class has most of the labelled pixels, and the loss weighs all alike",
        "class_weights= of the loss, or a loss of regions: Crossentropy() + Dice(); judge by mIoU",
        False,
    ),
    # -- images --------------------------------------------------------------------------------
    "wrong_channels": Kind(
        "certain",
        "images have another number of channels than the model takes",
        "input_shape=(None, None, {0}) when the model is built, or channels= of from_folders",
    ),
    "images_already_scaled": Kind(
        "certain",
        "images are scaled already, and the model scales them once more",
        "pass pixels as they were read (uint8), or build the model with preprocessing=None",
    ),
    "image_range": Kind(
        "certain",
        "images lie far outside the range that the model's first layer expects",
        "preprocessing=ds.channel_statistics().normalization(), or Rescaling(1 / 65535)",
        False,
    ),
    "unscaled_images": Kind(
        "likely",
        "pixel values reach the first convolution as they are, unscaled",
        "preprocessing='rescale', or keras.layers.Rescaling(1 / 255) as the first layer",
        False,
    ),
    "bgr_images": Kind(
        "certain",
        "red and blue are exchanged: the data set gives BGR where its files hold RGB",
        "cv2.imread gives BGR: image[..., ::-1], or semseg.data.from_folders, which reads RGB",
        False,
    ),
    "mixed_sizes": Kind(
        "certain",
        "pictures of several sizes can't be one batch",
        "size=(height, width) or a crop in ds.pipeline, or batch_size=1",
        False,
    ),
    "size_rule": Kind(
        "certain",
        "the model can't take pictures of this size",
        "{0}",
    ),
    # -- outputs -------------------------------------------------------------------------------
    "model_fails": Kind(
        "certain",
        "the model raises an error on the data set's pictures",
        "mend what the error names",
    ),
    "output_shape": Kind(
        "certain",
        "the model does not give scores (batch, height, width, classes)",
        "leave out the last Flatten or Reshape; losses and metrics here take pictures of scores",
    ),
    "output_size": Kind(
        "certain",
        "the model's output has another height or width than the mask",
        "upsample the scores to the images' size (BilinearUpsampling2D), or cut the masks",
    ),
    "wrong_number_of_outputs": Kind(
        "certain",
        "the model has another number of outputs than the data set has classes",
        "build the model with class_map=ds.class_map",
    ),
    # -- loss ----------------------------------------------------------------------------------
    "softmax_twice": Kind(
        "certain",
        "the model ends in probabilities, and the loss takes them for logits: softmax twice",
        "from_logits=False in the loss, or activation=None in the model (better: exact in float32)",
    ),
    "logits_as_probabilities": Kind(
        "certain",
        "the model gives logits, and the loss takes them for probabilities",
        "from_logits=True in the loss",
    ),
    "loss_wants_one_hot": Kind(
        "certain",
        "the loss takes one-hot masks, and the data set gives ids",
        "semseg.losses.Crossentropy, or SparseCategoricalCrossentropy(from_logits=True)",
    ),
    "softmax_of_one": Kind(
        "certain",
        "a loss over classes gets one output: a softmax of one number is 1, its loss always 0",
        "semseg.losses.Crossentropy, which takes one logit as binary, or two outputs",
    ),
    "binary_loss": Kind(
        "certain",
        "a binary loss gets several outputs a pixel",
        "semseg.losses.Crossentropy, which takes one logit or as many as there are classes",
    ),
    "class_weights_length": Kind(
        "certain",
        "the loss has another number of class weights than there are classes",
        "class_weights=ds.class_weights()",
    ),
    "wrong_ignore_in_loss": Kind(
        "certain",
        "pixels without a class are not ignored by the loss",
        "ignore_class={0} in the loss, or class_map=ds.class_map",
    ),
    "class_ignored_by_loss": Kind(
        "certain",
        "the loss ignores an id that is a class: it is never learnt",
        "ignore_class=ds.class_map.ignore_class in the loss",
    ),
    "loss_fails": Kind(
        "certain", "the loss raises an error on masks and outputs", "mend what the error names"
    ),
    "loss_not_finite": Kind(
        "certain",
        "the first loss is NaN or infinite",
        "look at images and masks for NaN; losses of half precision: sum them in float32",
    ),
    # -- metrics -------------------------------------------------------------------------------
    "metric_classes": Kind(
        "certain",
        "a metric counts another number of classes",
        "num_classes={0}",
        False,
    ),
    "wrong_ignore_in_metric": Kind(
        "certain",
        "pixels without a class change a metric",
        "ignore_class={0}; semseg.metrics have it (MeanIoU, PixelAccuracy, ...)",
        False,
    ),
    "metric_wants_ids": Kind(
        "certain",
        "a metric takes ids, and the model gives scores of every class",
        "semseg.metrics.MeanIoU, which takes both; keras.metrics.MeanIoU(sparse_y_pred=False)",
        False,
    ),
    "metric_wants_one_hot": Kind(
        "certain",
        "a metric takes one-hot masks, and the data set gives ids",
        "semseg.metrics.MeanIoU, or sparse_y_true=True",
        False,
    ),
    "metric_axis": Kind(
        "certain",
        "a metric takes the classes along another axis than the last",
        "axis=-1",
        False,
    ),
    "metric_threshold": Kind(
        "certain",
        "a metric parts one output at a number that does not fit it",
        "threshold={0}",
        False,
    ),
    "metric_fails": Kind(
        "certain",
        "a metric raises an error on masks and outputs",
        "mend what the error names",
        False,
    ),
    # -- the first step ------------------------------------------------------------------------
    "exploding_activations": Kind(
        "certain",
        "the values explode on their way through the model",
        "kernel_initializer='he_normal', normalisation layers, images in the expected range",
    ),
    "first_loss_high": Kind(
        "likely",
        "the first loss is much higher than that of guessing",
        "scores that start near 0: a smaller initialisation of the last layer; right weights?",
        False,
    ),
    "dead_relu": Kind(
        "certain",
        "layers give 0 everywhere: their ReLU is dead, and nothing before them can learn",
        "look at their biases and at the range of the images; a lower learning rate",
    ),
    "no_gradient": Kind(
        "certain",
        "layers get no gradient at all: the loss does not depend on their weights",
        "join their output to the rest of the model, or freeze or remove them",
        False,
    ),
    "exploding_gradients": Kind(
        "likely",
        "gradients are far larger than the weights they move",
        "clipnorm=1.0 in the optimizer, normalisation layers, a smaller initialisation",
        False,
    ),
    "vanishing_gradients": Kind(
        "likely",
        "gradients all but vanish on their way to the first layers",
        "normalisation layers, ReLU for sigmoid or tanh, kernel_initializer='he_normal'",
        False,
    ),
    # -- learning ------------------------------------------------------------------------------
    "learning_rate_high": Kind(
        "certain",
        "the learning rate is far too high: at a lower one the loss falls much better",
        "learning_rate={0}",
        False,
    ),
    "learning_rate_low": Kind(
        "likely",
        "the learning rate is far too low: the loss hardly falls, and at a higher one it does",
        "learning_rate={0}",
        False,
    ),
    "does_not_learn": Kind(
        "likely",
        "the model does not begin to learn one small batch by heart, at any learning rate tried",
        "look at the samples (semseg.viz.draw_overlay) and at the loss; try a plain U-Net on them",
        False,
    ),
    # -- cost ----------------------------------------------------------------------------------
    "memory": Kind(
        "likely",
        "one training step may need more memory than this machine has",
        "batch_size={0}, smaller crops, or mixed precision",
        False,
    ),
    "data_bottleneck": Kind(
        "hint",
        "reading the samples takes longer than the training step",
        "cache='ram' in ds.pipeline, pictures stored smaller; ds.benchmark() says which stage",
        False,
    ),
}  # fmt: skip


def finding(kind: str, evidence: str, *details: object, level: Level | None = None) -> Finding:
    """A finding in the words of its kind, with details where its fix has room for them."""
    usual, message, fix, _ = KINDS[kind]
    return Finding(kind, level or usual, message, evidence, fix.format(*details))
