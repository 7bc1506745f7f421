# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Semantic segmentation, step by step
#
# You have never segmented a picture? Read from top to bottom. You will load and check data, draw
# and build the three classic networks (FCN, U-Net and SegNet), train them with the same effort,
# score them, see where they fail and why, and leave with your own data in ten lines. The second
# half answers [questions](#Questions-and-answers) as they come up in practice, each with a
# measurement instead of an opinion.
#
# | chapter | you learn |
# |---|---|
# | [1](#1.-What-segmentation-is) | what segmentation is, and what it is not |
# | [2](#2.-The-data) | load, check and look at pictures and masks |
# | [3](#3.-What-the-network-sees) | resize, normalise, augment |
# | [4](#4.-Three-networks) | three networks, drawn and compared by what they cost |
# | [5](#5.-Training) | train each with the same budget; read the curves |
# | [6](#6.-Scores) | mean IoU and pixel accuracy by hand, then class by class |
# | [7](#7.-Where-they-succeed-and-fail) | successes and failures, as pictures |
# | [8](#8.-What-the-skips-and-the-indices-do) | what skips and pooling indices do |
# | [9](#9.-Which-pixels-is-the-model-unsure-of?) | where a model is unsure |
# | [10](#10.-Your-own-data-in-ten-lines) | your own data |
# | [Q&A](#Questions-and-answers) | which model, which loss, what went wrong |
#
# It runs without a GPU and without a download: under 20 minutes on two CPU cores. Set
# `SEMSEG_FAST=1` to run it with a handful of training steps (the numbers then mean nothing), or
# `SEMSEG_CAMVID=/path/to/CamVid` to see street scenes in chapters 1 to 9.

# %%
import json
import logging
import os
import tempfile
import textwrap
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions for narrow networks
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow: errors only
import keras
import numpy as np
from PIL.Image import fromarray

import semseg
from semseg import viz
from semseg.data import transforms
from semseg.inference import mc_dropout, predict, predict_tiled, score
from semseg.metrics import Scores, functional
from semseg.training import Recipe, train

# %matplotlib inline
logging.getLogger("tensorflow").setLevel("ERROR")
FAST = os.environ.get("SEMSEG_FAST") == "1"
CAMVID = os.environ.get("SEMSEG_CAMVID")

# %% [markdown]
# ## 1. What segmentation is
#
# A picture is a grid of pixels. Three questions can be asked of it:
#
# - **Classification:** *what is in this picture?* The answer is a few words for the whole picture.
# - **Semantic segmentation:** *what is each pixel?* The answer is a **mask**: a grid of the same
#   height and width that holds a number for every pixel, its **class id**. Two cars side by side
#   are one region of "car".
# - **Instance segmentation:** *which pixels belong to the same thing?* The two cars are told apart.
#
# This notebook is about the second. Its default pictures are scenes of handwritten digits on
# photographs: a small problem with the difficulties of large ones (things that overlap, a
# background that fills most of the picture, classes that look alike).

# %%
if CAMVID:
    SIZE = (180, 240)  # height, width that the networks see
    train_ds, val_ds, test_ds = (semseg.data.camvid(CAMVID, s) for s in ("train", "val", "test"))
    val_ds, test_ds = val_ds.subset(range(0, len(val_ds), 5)), test_ds.subset(range(0, 200, 4))
else:
    SIZE = (96, 128)
    train_ds = semseg.data.digits("train", count=40 if FAST else 1600)
    val_ds = semseg.data.digits("val", count=8 if FAST else 40)
    test_ds = semseg.data.digits("test", count=8 if FAST else 100)
if FAST:
    val_ds, test_ds = val_ds.subset(range(8)), test_ds.subset(range(8))
class_map = train_ds.class_map
image, mask = train_ds[3]
print("in this picture:", ", ".join(class_map.names[i] for i in np.unique(mask) if i != 255))

# %% [markdown]
# That line was the answer of classification. Below, from left to right: the picture, its semantic
# mask over it (one colour a class), and its connected regions (one colour each), which is as near
# to instances as a semantic mask comes. Hatched pixels have no class; more about them soon.

# %%
regions = np.zeros(mask.shape, int)
for class_id in range(1, class_map.num_classes):
    parts = semseg.regions.components(mask == class_id)
    regions = np.where(parts > 0, parts + regions.max(), regions)
each = semseg.ClassMap(["background", *(f"region {i + 1}" for i in range(regions.max()))])
gap = np.full((len(image), 4, 3), 255, "uint8")
semantic = viz.draw_overlay(image, mask, class_map)
fromarray(np.hstack([image, gap, semantic, gap, viz.draw_overlay(image, regions, each)])).resize(
    (1170, 1170 * len(image) // (3 * image.shape[1] + 8)), resample=0
)

# %% [markdown]
# Where is it used? Wherever *how much*, *where exactly* or *which outline* matters:
#
# | field | classes | why pixels |
# |---|---|---|
# | medicine | tumour, organ, vessel | volumes and distances are read off the mask |
# | microscopy | cell, nucleus, membrane | cells are counted and measured |
# | driving | road, car, pedestrian, sign | where the free road ends |
# | satellite pictures | building, field, water | areas, and their change over the years |
# | industry | scratch, dent, sound surface | size and place of a defect |
# | photographs | person, background | cut out, blur, replace |

# %% [markdown]
# ## 2. The data
#
# A **data set** here is a sequence of (image, mask) pairs with a **class map**: what the ids are
# called and drawn with. An id may stand for "nobody knows": it is **ignored**, in training and in
# scores alike. In the digit scenes that is the rim of one pixel around each stroke, where ink and
# photograph mix.

# %%
print(train_ds)
print(class_map)
print("image:", image.shape, image.dtype, f"{image.min()}..{image.max()}")
print("mask: ", mask.shape, mask.dtype, "ids", np.unique(mask))

# %% [markdown]
# Most lost days go into masks that are not what they seem, so **check before you train**: this
# reads the files and says what is wrong, worst first, with what mends it.

# %%
some = train_ds.subset(range(min(200, len(train_ds))))
print(some.check())

# %% [markdown]
# Then **look**. Does every mask lie on its picture? Are the outlines where you would draw them?

# %%
fromarray(viz.draw_grid(some, count=8, max_width=1000))

# %% [markdown]
# How many pixels has each class? Frequencies decide which scores you can trust (chapter 6) and
# which loss you need (questions 5 and 11).

# %%
viz.plot_class_frequencies(some)

# %% [markdown]
# Three sets are needed, and no picture may be in two of them: the **training** set is learnt from,
# the **validation** set is looked at while you make decisions, the **test** set is scored once, at
# the end.

# %%
viz.Table([{"set": d.name, "pictures": len(d)} for d in (train_ds, val_ds, test_ds)])

# %% [markdown]
# ## 3. What the network sees
#
# **Resize.** Networks are trained on batches, and a batch needs one size. An image may be
# interpolated: a pixel between black and white is grey. A mask may not: between class 2 and class 8
# there is no class 5. So images are resized bilinearly, and masks by taking the nearest pixel.
# [Question 7](#7.-What-if-I-resize-masks-bilinearly?) shows what happens otherwise.

# %%
half = transforms.Resize((SIZE[0] // 2, SIZE[1] // 2))
small_image, small_mask = half(image, mask, np.random.default_rng(0))
print("ids before:", np.unique(mask), " after:", np.unique(small_mask))
fromarray(viz.draw_comparison([image, small_image], [mask, small_mask], None, class_map))

# %% [markdown]
# **Normalise.** Optimisers work best with small numbers around 0; pictures hold 0 to 255. The
# networks of this library do the scaling inside, as their first layer, so training and use can't
# disagree about it. You hand them pictures as they are.

# %%
scaled = np.asarray(semseg.layers.PixelRescaling()(image[None].astype("float32")))
viz.Table(
    [
        {"values": name, "lowest": x.min(), "mean": x.mean(), "highest": x.max()}
        for name, x in (("as stored", image), ("after the layer", scaled))
    ],
    digits=2,
)

# %% [markdown]
# **Augment.** Every picture is shown many times (in the short trainings of chapter 5 once or twice,
# so they go without); changing it a little each time stands in for pictures you do not have. What
# moves pixels must move image and mask together; what changes colours must leave the mask alone.
# Every transform here does so. Whether a change *helps* depends on the data: turned by 180 degrees
# a 6 becomes a 9 ([question 10](#10.-Does-augmentation-help-here,-and-which-one-hurts?)).

# %%
augment = transforms.Compose(
    [transforms.Affine(rotation=10, zoom=(0.9, 1.1)), transforms.Brightness(0.2)]
)
fromarray(viz.draw_augmentations(train_ds, augment, index=3, count=7, max_width=1000))

# %% [markdown]
# A **batch** is what one training step sees. The pipeline reads, resizes, augments, shuffles and
# stacks:

# %%
images, masks = next(iter(train_ds.pipeline(batch_size=4, size=SIZE, augment=augment, seed=0)))
print("images", images.shape, images.dtype.name, "  masks", masks.shape, masks.dtype.name)

# %% [markdown]
# ## 4. Three networks
#
# A network is a chain of **layers**. A **convolution** computes each value of its output from a
# small window (3 x 3, say) of its input with the same learnt weights everywhere; its outputs are
# **feature maps**: pictures of "how much of this pattern is here", one a **channel**.
#
# A network for segmentation has to know two things at once: *what* something is, which needs a
# wide view, and *where* it ends, which needs full resolution. All three below have an **encoder**,
# which makes feature maps ever smaller (by **pooling**: of 2 x 2 values the largest stays; or by
# convolutions that leave out every second place) so that each value sees more of the picture, and a
# **decoder**, which makes them large again. They differ in what the decoder is told of the places
# that were lost on the way:
#
# - **FCN** (Long et al., 2015): the class scores of the deepest layer are enlarged; scores of two
#   earlier layers are added on the way. Here with the encoder of MobileNetV2, made for phones.
# - **U-Net** (Ronneberger et al., 2015): **skips** hand whole feature maps of the encoder to the
#   decoder level of the same size.
# - **SegNet** (Badrinarayanan et al., 2017): only the *positions* of the pooled maxima are handed
#   over, one byte each; the decoder puts its values back there and fills the rest by convolution.
#   Here its small form, SegNet-Basic.
#
# All are made small, so that each trains in minutes on a CPU.

# %%
depth = 1 if FAST else 3
networks = {
    "U-Net": {"model": "unet", "model_arguments": {"depth": depth, "filters": 16, "dropout": 0.2}},
    "SegNet-Basic": {"model": "segnet_basic", "model_arguments": {"filters": 16}},
    "FCN-8s": {
        "model": "fcn8s",
        "model_arguments": {"encoder": "mobilenetv2", "fc_units": 128},
    },
}
fresh = {
    name: semseg.models.build(made["model"], class_map=class_map, **made["model_arguments"])
    for name, made in networks.items()
}

# %% [markdown]
# The drawings are made from the networks themselves. A bar is a feature map, as high as the square
# root of its rows and as wide as the square root of its channels; the number of channels stands
# above, height x width below.

# %%
viz.plot_architectures(list(fresh.values()), size=SIZE, width=1000)

# %% [markdown]
# What do they cost? **Parameters** are the numbers that training sets; they decide the size of the
# file. **MACs** (multiply-accumulates) are the work for one picture. **Memory** is what feature
# maps need: at least so much at once in use, and nearly all of them kept in training. The
# **receptive field** is how far one output pixel can see. Time is measured: one picture, the median
# of several, after a warm-up.

# %%
rounds = 3 if FAST else 15
costs = {name: semseg.analysis.cost(model, size=SIZE) for name, model in fresh.items()}
speed = {
    name: 1000 * semseg.analysis.latency(model, SIZE, rounds=rounds)
    for name, model in fresh.items()
}
viz.Table(
    [
        {
            "network": name,
            "parameters": cost.parameters,
            "million MACs": round(cost.macs / 1e6),
            "memory in use, MB": cost.peak_bytes / 1e6,
            "in training, MB": cost.activation_bytes / 1e6,
            "receptive field": f"{cost.receptive_field[0]} x {cost.receptive_field[1]}",
            "ms a picture": speed[name],
        }
        for name, cost in costs.items()
    ],
    digits=1,
)

# %% [markdown]
# Parameters, work and time are three different things: look for a network that is first in one
# column and last in another.
#
# The receptive field in the table is how far a pixel *can* see. How far it *does* see is smaller,
# here before any training:

# %%
viz.plot_receptive_field(fresh["U-Net"], np.asarray(images[0]))

# %% [markdown]
# ## 5. Training
#
# Words that you meet in every training:
#
# - The network gives **logits**, one score a class and pixel; the class with the highest is the
#   prediction. **Softmax** turns logits into probabilities.
# - The **loss** says how wrong they are, as a number with a slope: crossentropy asks for high
#   probability of the true class in every pixel, Dice for overlap of every class as a whole. Here
#   they are added.
# - A **step** shows one batch and moves all parameters a little against the slope of the loss; the
#   **learning rate** says how far. It rises during the warm-up and falls to 0 at the end.
# - An **epoch** is a number of steps, often one pass over the pictures, after which the validation
#   set is scored; here 60 steps, 240 pictures.
# - The **seed** is the number that all chance is drawn from: the same seed gives the same training.
#
# A **recipe** holds all of that. The three networks get the same one: as many steps, the same
# pictures, the same loss. `optimizer` is the rule of a step, `schedule` the course of the learning
# rate, `weight_decay` keeps the weights small, `ema` averages them; `-` is off.

# %%
STEPS = 6 if FAST else 600
budget = {
    "size": SIZE,
    "batch": 4,
    "steps": STEPS,
    "steps_per_epoch": 3 if FAST else 60,
    "learning_rate": 6e-3,
    "warmup": STEPS // 10,
    "loss": {"Crossentropy": 1.0, "Dice": 0.5},
}
recipes = {name: Recipe(**made, **budget) for name, made in networks.items()}
print(recipes["U-Net"])

# %% [markdown]
# Before you spend an hour, spend seconds: `preflight` tries the whole set-up on one batch (do
# shapes, ranges and loss fit, does the loss fall?) and leaves the model as it was.

# %%
model = semseg.training.compiled_model(train_ds, recipes["U-Net"])
print(semseg.preflight.check(model, train_ds, seconds=5 if FAST else 30, size=SIZE))

# %% [markdown]
# `train` is a page of code around Keras's own `fit`, whose progress bar you see. The columns: the
# loss and the scores of the batches just learnt from, then (`val_`) those of the validation set.

# %%
runs = {}
runs["U-Net"] = train(train_ds, recipes["U-Net"], tempfile.mkdtemp(), validation=val_ds, verbose=1)

# %%
runs["SegNet-Basic"] = train(
    train_ds, recipes["SegNet-Basic"], tempfile.mkdtemp(), validation=val_ds, verbose=1
)

# %%
runs["FCN-8s"] = train(
    train_ds, recipes["FCN-8s"], tempfile.mkdtemp(), validation=val_ds, verbose=1
)
models = {name: run.model for name, run in runs.items()}

# %% [markdown]
# The curves. Read them like this: does the loss still fall at the end? Then train longer. Does the
# validation loss rise while the training loss falls? That is **overfitting**: the network learns
# its pictures by heart; get more pictures, augment, or take a smaller network. Are both high? The
# network is too small, or the learning rate is wrong.

# %%
viz.plot_history({name: run.history for name, run in runs.items()})

# %% [markdown]
# ## 6. Scores
#
# First by hand, on a mask of 4 x 4 pixels with two classes: background (0) and cell (1). The
# prediction is one column off and has a pixel too many.

# %%
truth = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
guess = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
two = semseg.ClassMap(["background", "cell"])
seen = (40 + 180 * truth[..., None]).repeat(3, axis=2).astype("uint8")
fromarray(viz.draw_comparison([seen], [truth], [guess], two))

# %% [markdown]
# **Pixel accuracy** is the share of pixels that are right. **IoU** (intersection over union) of a
# class is the number of pixels that are in truth *and* prediction, divided by the number that are
# in at least one of them. **Mean IoU** (mIoU) is the mean over the classes: a rare class counts as
# much as a frequent one.

# %%
right = (truth == guess).sum()
print(f"pixel accuracy   {right} / {truth.size} = {right / truth.size:.4f}")
ious = []
for class_id, name in enumerate(two.names):
    both = ((truth == class_id) & (guess == class_id)).sum()
    either = ((truth == class_id) | (guess == class_id)).sum()
    ious.append(both / either)
    print(f"IoU {name:<12} {both} / {either} = {ious[-1]:.4f}")
print(f"mean IoU         ({ious[0]:.4f} + {ious[1]:.4f}) / 2 = {np.mean(ious):.4f}")

# %% [markdown]
# The library counts once, in a **confusion matrix** (row: what it is, column: what it was taken
# for), and takes all scores from it. For a data set the counts of all pictures are added first.

# %%
confusion = functional.confusion_matrix(truth, guess, num_classes=2)
print(confusion)
print(Scores(confusion, two.names))

# %% [markdown]
# The three networks on the test set, which none of them has seen:

# %%
test_scores = {name: score(model, test_ds, size=SIZE) for name, model in models.items()}
viz.Table(
    [
        {
            "network": name,
            "mean IoU": found["mean_iou"],
            "pixel accuracy": found["pixel_accuracy"],
        }
        | {f"IoU {n}": found[f"iou/{n}"] for n in class_map.names[:4]}
        for name, found in test_scores.items()
    ]
)

# %% [markdown]
# On the digits, compare the background's column with the others. SegNet-Basic finds the ink nearly
# as well as U-Net, but does not know which digit it is; FCN-8s knows the digit far better, but not
# where its strokes end. And beware of one table: all three got U-Net's learning rate and few steps,
# and SegNet-Basic has a quarter of the paper's channels. The same budget is not the best that each
# can do ([question 22](#22.-Is-it-true-what-is-said-about-the-three-networks?)).
#
# Class by class, with the interval that chance in the choice of the test pictures leaves (95 %):


# %%
def counts(model, ds):
    """The confusion matrix of every picture of a data set: (pictures, classes, classes)."""
    pictures, truths = zip(*(ds[i] for i in range(len(ds))), strict=True)
    guesses = predict(model, list(pictures), size=SIZE)
    classes, ignored = ds.class_map.num_classes, ds.class_map.ignore_class
    truths, guesses = np.stack(truths), np.stack(guesses)
    return functional.confusion_matrix(truths, guesses, classes, ignored, per_image=True)


per_picture = {name: counts(model, test_ds) for name, model in models.items()}
interval = functional.bootstrap(per_picture["U-Net"], score="class_iou")
viz.plot_class_scores(test_scores["U-Net"], interval, title="U-Net")

# %% [markdown]
# And what is taken for what? Rows are the truth.

# %%
viz.plot_confusion(test_scores["U-Net"])

# %% [markdown]
# ## 7. Where they succeed and fail
#
# A score hides what goes wrong. Here are the pictures on which the three networks together did
# best and worst, with their errors: magenta is wrong.

# %%
each_miou = np.mean(
    [
        [functional.scores(matrix).mean_iou for matrix in matrices]
        for matrices in per_picture.values()
    ],
    axis=0,
)
order = np.argsort(each_miou)


def compared(indices):
    """The predictions of the three networks for some test pictures."""
    pairs = [test_ds[int(i)] for i in indices]
    guesses = {name: predict(m, [p[0] for p in pairs], size=SIZE) for name, m in models.items()}
    return fromarray(viz.draw_comparison(*zip(*pairs, strict=True), guesses, class_map))


print("mean IoU of the best two:", np.round(each_miou[order[-2:]], 3))
compared(order[-2:])

# %%
print("mean IoU of the worst two:", np.round(each_miou[order[:2]], 3))
compared(order[:2])

# %% [markdown]
# Look for the kind of error, not its amount: things taken for a similar class, thin strokes that
# break, the lower of two overlapping things, outlines that are too round (a decoder that starts
# from a coarse map), specks in the background.

# %% [markdown]
# ## 8. What the skips and the indices do
#
# **Ablation**: take a part away and look at what is lost. Below, one skip of the trained U-Net at a
# time hands zeros to the decoder.

# %%
seen_image, seen_mask = transforms.Resize(SIZE)(*test_ds[0], np.random.default_rng(0))
viz.plot_skip_ablation(models["U-Net"], seen_image, seen_mask, class_map)

# %% [markdown]
# One picture is an anecdote; the same on the test set, for both networks with skips. (It shows
# what *this* network makes of its skips. One trained without them would have learnt to do without.)

# %%
rows, part = [], test_ds.subset(range(4 if FAST else 25))
for name in ("U-Net", "FCN-8s"):
    cut = {"nothing": models[name]} | {
        f"skip of {skip}": semseg.analysis.without_skip(models[name], skip)
        for skip in semseg.analysis.skips(models[name])
    }
    for without, model in cut.items():
        left = score(model, part, size=SIZE)["mean_iou"]
        rows.append({"network": name, "without": without, "mean IoU": left})
viz.Table(rows)

# %% [markdown]
# SegNet has no skips. Its decoder gets positions: below, for each pooling, a feature map, where its
# maxima lay (one of four corners, as a colour), and the map that unpooling makes of them.

# %%
viz.plot_pooling_indices(models["SegNet-Basic"], seen_image)

# %% [markdown]
# What are the positions worth? The same trained network, its values put back into the *first*
# corner of each 2 x 2 window instead of where they came from:


# %%
class FirstCorner(keras.layers.Layer):
    """Forgets where the maxima lay."""

    def call(self, indices):
        return keras.ops.zeros_like(indices)


def forgetful(layer, *args, **kwargs):
    """The layer as it is, or, for unpooling, with indices that say "first corner"."""
    if isinstance(layer, semseg.layers.MaxUnpooling2D):
        x, indices, like = args[0]
        args = ([x, FirstCorner()(indices), like],)
    return layer(*args, **kwargs)


forgot = keras.models.clone_model(models["SegNet-Basic"], call_function=forgetful)
forgot.set_weights(models["SegNet-Basic"].get_weights())
viz.Table(
    [
        {"SegNet-Basic": "with its indices", "mean IoU": test_scores["SegNet-Basic"]["mean_iou"]},
        {"SegNet-Basic": "first corner", "mean IoU": score(forgot, test_ds, size=SIZE)["mean_iou"]},
    ]
)

# %% [markdown]
# ## 9. Which pixels is the model unsure of?
#
# **Dropout** switches a random share of the values off during training. Leave it on when predicting
# and ask several times (Monte Carlo dropout): where the answers differ, the model is guessing. The
# **entropy** of their mean is 0 where all are certain of the same class.

# %%
asked = mc_dropout(models["U-Net"], seen_image, samples=4 if FAST else 20)
fromarray(viz.draw_uncertainty(asked.entropy, seen_image, seen_mask, class_map, title="entropy"))

# %% [markdown]
# Compare with the errors of the same picture. [Question 15](#15.-Can-I-trust-this-pixel?) measures
# how far the two coincide.

# %%
fromarray(viz.draw_comparison([seen_image], [seen_mask], [asked.ids], class_map))

# %% [markdown]
# ## 10. Your own data in ten lines
#
# You need a folder of pictures and a folder of masks with the same file names. Here both are
# written first, as you might have them: masks with 0 for background and 255 for ink. `size` is
# (height, width) that the network sees, the same in training, scores and predictions; for
# photographs begin with `(384, 512)`.

# %%
folder = Path(tempfile.mkdtemp())
scenes = semseg.data.digits("train", count=16 if FAST else 60)
for kind in ("images", "masks"):
    (folder / kind).mkdir()
for i, (picture, ids) in enumerate(scenes[k] for k in range(len(scenes))):
    fromarray(picture).save(folder / "images" / f"{i}.png")
    fromarray(np.where((ids > 0) & (ids < 255), 255, 0).astype("uint8")).save(
        folder / "masks" / f"{i}.png"
    )

# %% [markdown]
# And these are the ten lines:

# %%
ink = semseg.ClassMap(["background", "ink"], remap={255: 1})
ds = semseg.data.from_folders(folder / "images", folder / "masks", ink)
print(ds.check())
yours, kept_aside = ds.split((0.75, 0.25))
recipe = Recipe(model_arguments={"depth": 2, "filters": 8}, size=SIZE, steps=4 if FAST else 60,
                steps_per_epoch=2 if FAST else 30, warmup=1, learning_rate=6e-3)  # fmt: skip
run = train(yours, recipe, tempfile.mkdtemp(), verbose=0)
print(score(run.model, kept_aside, size=SIZE))
picture, truth = kept_aside[0]
found = predict(run.model, picture, size=SIZE)  # or the name of a file
fromarray(viz.draw_comparison([picture], [truth], [found], ink))

# %% [markdown]
# `semseg.training.plan(ds, minutes=30)` in the place of the recipe chooses one for your data and
# your machine. `run.model` is a plain Keras model: save it, load it, put it on a server.

# %% [markdown]
# ## Questions and answers
#
# Two kinds of measurement. What is cheap is measured here, in the cell below the question. What
# needs several trainings was measured before, by `benchmarks/scenarios.py`, `loss_choice.py` and
# `recipes.py` in the library's repository: with three seeds, since one training is no proof. A dot
# is a training; where the dots of two variants overlap, the seed explains as much as the variant
# does. The sentences above a picture are computed from its numbers.
#
# Most of those trainings saw smaller scenes, so that dozens of them fit into an hour: 64 x 64
# pixels with figures, lines 1 to 3 pixels wide, and rare stars.

# %%
kinds = ("disc", "ring", "rectangle", "triangle")
figures, more_figures = (
    semseg.data.shapes(split, count=n, size=(64, 64)).map_classes(dict.fromkeys(kinds, "figure"))
    for split, n in (("train", 1000), ("test", 8 if FAST else 100))
)
fromarray(viz.draw_grid(more_figures, count=8, columns=8, max_width=1000))


# %%
def stored(name):
    """A file of the repository's benchmarks/results; {} where this notebook is alone."""
    for root in (Path(".."), Path()):
        path = root / "benchmarks" / "results" / name
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
    return {}


def measured(scenario, score="mean_iou"):
    """The scores of a scenario's trainings, by variant."""
    found = {}
    for row in stored("scenarios.json").get("rows", []):
        if row["scenario"] == scenario and score in row:
            found.setdefault(row["variant"], []).append(row[score])
    return found


def verdict(runs, against=None):
    """How far variants lie from one of them, and whether that is more than the choice of the seed.

    Without `against`: how far the best lies above the second.
    """
    order = sorted(runs, key=lambda name: -np.mean(runs[name]))
    lines = []
    for name in order[:1] if against is None else [n for n in order if n != against]:
        one, other = runs[name], runs[against or order[1]]
        gap = np.mean(one) - np.mean(other)
        sure = above(one, other) != "not shown"
        shown = "in every training" if sure else "but their trainings overlap: nothing is shown"
        where = "above" if gap > 0 else "below"
        lines.append(f"{name!r} is {abs(gap):.3f} {where} {against or order[1]!r}, {shown}.")
    return "\n".join(lines)


def above(one, other):
    """Whether all trainings of one score higher than all of the other."""
    if min(one) > max(other):
        return "yes"
    return "no" if max(one) < min(other) else "not shown"


def answer(scenario, score="mean_iou", words="mean IoU", only=None, against=None):
    """Prints the verdict of a scenario and plots its trainings."""
    runs = {k: v for k, v in measured(scenario, score).items() if only is None or k in only}
    if len(runs) < 2:
        print(f"Not measured here; run: python benchmarks/scenarios.py --only {scenario}")
        return None
    print(verdict(runs, against))
    return viz.plot_runs(runs, words)


# %% [markdown]
# ### 1. Which model when pixels at borders matter?
#
# Look at the score of the pixels near borders alone, not at that of all pixels: most of those are
# easy. Below, the mean IoU within 3 pixels of a border, and an enlarged piece with the outlines
# that each network draws.

# %%
answer("architectures", "border_mean_iou", "mean IoU within 3 pixels of a border")

# %%
rows, columns = slice(10, 58), slice(20, 84)
piece, piece_mask = seen_image[rows, columns], seen_mask[rows, columns]
guesses = {name: [predict(m, seen_image)[rows, columns]] for name, m in models.items()}
fromarray(viz.draw_comparison([piece], [piece_mask], guesses, class_map))

# %% [markdown]
# ### 2. Which model when memory is short?
#
# Parameters decide how large the file is, feature maps decide whether the pictures fit; ask for
# both, at your size. Here a street picture of 360 x 480, for one picture in use and a batch of 4
# in training, with a narrower U-Net beside the three. Kernels need room besides, those of 7 x 7 in
# SegNet-Basic much: `preflight` measures a whole step on your machine.

# %%
narrow = semseg.models.UNet(class_map=class_map, depth=3, filters=8)
asked_costs = {
    name: semseg.analysis.cost(model, size=(360, 480))
    for name, model in {**fresh, "U-Net, 8 filters": narrow}.items()
}
viz.Table(
    [
        {
            "network": name,
            "file, MB": 4 * cost.parameters / 1e6,
            "in use, MB": cost.peak_bytes / 1e6,
            "training, MB": 4 * cost.activation_bytes / 1e6,
        }
        for name, cost in asked_costs.items()
    ],
    digits=1,
)

# %%
for column, value in (
    ("file", lambda c: c.parameters),
    ("in use", lambda c: c.peak_bytes),
    ("training", lambda c: c.activation_bytes),
):
    print(f"least {column:9}", min(asked_costs, key=lambda name: value(asked_costs[name])))

# %% [markdown]
# ### 3. Which model when it must run in real time on a CPU?
#
# Time it on the machine that it will run on, at your size and after a warm-up: neither parameters
# nor MACs predict the time. Real time is taken as 25 pictures a second.

# %%
large = {
    name: 1000 * semseg.analysis.latency(model, (192, 256), rounds=rounds)
    for name, model in fresh.items()
}
viz.Table(
    [
        {
            "network": name,
            "million MACs": round(costs[name].macs / 1e6),
            f"{SIZE[0]} x {SIZE[1]}, ms": speed[name],
            "192 x 256, ms": large[name],
            "pictures a second, 192 x 256": 1000 / large[name],
            "25 a second": "yes" if large[name] < 40 else "no",
        }
        for name in fresh
    ],
    digits=1,
)

# %% [markdown]
# ### 4. What can I expect with 20 images?
#
# Twenty pictures, the same with light augmentation (mirror images, brightness, contrast), and two
# thousand pictures, for the same number of steps. The distance between the rows is what more
# annotation is worth here.

# %%
answer("few_pictures", against="20 pictures")

# %% [markdown]
# ### 5. What if a class has less than 0.5 % of the pixels?
#
# Plain crossentropy may never predict it, since being wrong about 0.4 % costs next to nothing; a
# loss that counts overlap by class sees it. Measured on a class of small stars with 0.4 % of the
# pixels (the page *Which loss* says what each of these losses does).


# %%
def losses(score):
    """By loss, the score of its trainings at the learning rate that was best for it."""
    trainings = stored("loss_choice.json").get("runs", [])
    found = {}
    for name in dict.fromkeys(run["loss"] for run in trainings):
        own = [run for run in trainings if run["loss"] == name]
        best = max((r for r in own if r["seed"] == 0), key=lambda r: r["validation_mean_iou"])
        found[name] = [score(run) for run in own if run["rate"] == best["rate"]]
    return found


star = losses(lambda run: run["iou"]["star"])
shown = ("Crossentropy", "Focal", "Crossentropy, weighted", "Dice", "Tversky")
star = {name: star[name] for name in shown if name in star}
if star:
    print(verdict(star, against="Crossentropy"))
viz.plot_runs(star, "IoU of the class with 0.4 % of the pixels") if star else None

# %% [markdown]
# ### 6. What if the ids in my masks are wrong by one?
#
# Ids that begin at 1 have one id too many at the end, so the check finds them before training. If
# they are forced into range instead, the network learns wrong names just as willingly.

# %%
shifted = [(train_ds[i][0], train_ds[i][1].astype(int)) for i in range(4)]
shifted = semseg.data.from_arrays(
    [image for image, _ in shifted],
    [np.where(ids == 255, 255, ids + 1).astype("uint8") for _, ids in shifted],
    class_map,
)
print(shifted.check())

# %%
answer("wrong_masks", only=("right", "ids one too high"), against="right")

# %% [markdown]
# ### 7. What if I resize masks bilinearly?
#
# Between an id of 2 and an id of 8 interpolation finds 5, which is another class: every border gets
# a false one. Below: the picture, its mask, the mask after halving and doubling it by the nearest
# pixel, and bilinearly.

# %%
import cv2

known = np.where(mask == 255, 0, mask)
height, width = known.shape
resized = {}
for name, how in (("nearest", cv2.INTER_NEAREST_EXACT), ("bilinear", cv2.INTER_LINEAR)):
    half_mask = cv2.resize(known, (width // 2, height // 2), interpolation=how)
    resized[name] = cv2.resize(half_mask, (width, height), interpolation=how)
print({name: f"{(ids != known).mean():.1%} of the pixels changed" for name, ids in resized.items()})
fromarray(viz.draw_comparison([image], [known], {k: [v] for k, v in resized.items()}, class_map))

# %%
answer("wrong_masks", only=("right", "resized bilinearly"), against="right")

# %% [markdown]
# ### 8. Why is my accuracy 97 % and my mIoU 30 %?
#
# Because one class is nearly everything. Below two digits are kept as classes, all else is
# background, and the "model" says background everywhere.

# %%
kept = semseg.ClassMap(["everything else", *class_map.names[1:3]], ignore_class=255)
total = np.zeros((3, 3), int)
for i in range(len(test_ds)):
    ids = test_ds[i][1]
    ids = np.where((ids <= 2) | (ids == 255), ids, 0)
    total += functional.confusion_matrix(ids, np.zeros_like(ids), 3, 255)
print(Scores(total, kept.names))

# %% [markdown]
# ### 9. Logits or softmax?
#
# Either, if model and loss agree; the loss from logits is the safer arithmetic. If the model ends
# in a softmax and the loss expects logits, nothing fails: the loss merely stays high and learning
# is slower. `preflight` names it.


# %%
def short_training(activation, from_logits, rate=6e-3, **keywords):
    """A small U-Net after a short training on the figures, and its scores."""
    keras.utils.set_random_seed(0)
    model = semseg.models.UNet(
        class_map=figures.class_map, depth=min(2, depth), filters=8, activation=activation
    )
    loss = semseg.losses.Crossentropy(class_map=figures.class_map, from_logits=from_logits)
    model.compile(keras.optimizers.Adam(rate), loss)
    feed = figures.pipeline(4, seed=0, repeat=True)
    steps = 4 if FAST else 250
    history = model.fit(feed, steps_per_epoch=steps, shuffle=False, verbose=0, **keywords).history
    return model, {"loss": history["loss"][-1], **score(model, more_figures)}


made = {
    "logits, loss from logits": short_training(None, True),
    "softmax, loss from probabilities": short_training("softmax", False),
    "softmax, loss from logits: wrong": short_training("softmax", True),
}
viz.Table(
    [
        {"model and loss": name, "mean IoU": found["mean_iou"], "loss": found["loss"]}
        for name, (_, found) in made.items()
    ]
)

# %%
wrong_model = made["softmax, loss from logits: wrong"][0]
report = semseg.preflight.check(wrong_model, figures, seconds=10)
for finding in report.findings:
    print(f"{finding.level}: {finding.message}\n  fix: {finding.fix}")

# %% [markdown]
# ### 10. Does augmentation help here, and which one hurts?
#
# It helps where the same few pictures are seen over and over (question 4), and hurts if it removes
# what the model should look at: a blur of 1 to 3 pixels wipes out lines 1 to 3 pixels wide. Here a
# hundred scenes, each seen twenty times.

# %%
answer("augmentation", against="none")

# %% [markdown]
# ### 11. Which loss for imbalance?
#
# Sixteen losses on the same set: a thin class with 4 % and a rare one with 0.4 % of the pixels,
# each loss at the best of three learning rates. A loss that finds the rare class in one training
# and not in the next has a wide range: take one that does not.

# %%
of_set, rare = losses(lambda run: run["mean_iou"]), losses(lambda run: run["iou"]["star"])
rows = [
    {
        "loss": name,
        "mean IoU": np.mean(values),
        "range": f"{min(values):.3f} to {max(values):.3f}",
        "IoU, rare class": np.mean(rare[name]),
        "range, rare class": f"{min(rare[name]):.3f} to {max(rare[name]):.3f}",
    }
    for name, values in sorted(of_set.items(), key=lambda item: -np.mean(item[1]))
]
viz.Table(rows) if rows else print("Not measured here: benchmarks/results/loss_choice.json")

# %% [markdown]
# ### 12. Pretrained encoder or from scratch?
#
# An encoder that has seen other pictures starts with edges and strokes. Here the encoder of the
# U-Net of chapter 5, trained on digits, learns figures from eight scenes, beside the same network
# from scratch. (`encoder="resnet50", encoder_weights="imagenet"` takes one that has seen a million
# photographs.)


# %%
def on_figures(pretrained, seed):
    """The mean IoU of a U-Net after a short training on a few scenes of figures."""
    ds = semseg.data.shapes("train", count=8, size=(64, 64))
    recipe = Recipe(
        **networks["U-Net"], steps=2 if FAST else 60, steps_per_epoch=2 if FAST else 60, warmup=1,
        seed=seed,
    )  # fmt: skip
    keras.utils.set_random_seed(seed)
    model = semseg.training.compiled_model(ds, recipe)
    if pretrained:
        for layer in models["U-Net"].layers:
            if layer.name.startswith(("encoder", "bottleneck")):
                model.get_layer(layer.name).set_weights(layer.get_weights())
    feed = semseg.training.stream(ds, recipe)
    model.fit(feed, steps_per_epoch=recipe.steps, shuffle=False, verbose=0)
    test = semseg.data.shapes("test", count=8 if FAST else 40, size=(64, 64))
    return score(model, test)["mean_iou"]


starts = {
    name: [on_figures(pretrained, seed) for seed in range(1 if FAST else 3)]
    for name, pretrained in (("from scratch", False), ("encoder trained before", True))
}
print(verdict(starts))
viz.plot_runs(starts)

# %% [markdown]
# The same question for photographs: sixty streets of CamVid at 120 x 160, a hundred steps, U-Net on
# VGG16 (19 million parameters; its convolutions trained on ImageNet and then on edges, or from
# scratch) beside a small U-Net (2 million) from scratch. So short a training pays for size alone.

# %%
answer("pretrained", against="small U-Net from scratch")

# %% [markdown]
# ### 13. Larger input or larger model?
#
# Half the height and width is a quarter of the pixels, and twice the filters four times the work a
# pixel: the first and third row have about the same MACs. What is thin disappears first.

# %%
answer("size_or_width")

# %% [markdown]
# ### 14. When do I need tiling, and what does a seam look like?
#
# When a picture does not fit into memory it is predicted in windows. At the edge of a window the
# network sees padding instead of the picture, so predictions there differ from those of the whole:
# that is a seam. With the overlap that the receptive field asks for ("exact") there is none.

# %%
unet = models["U-Net"]
wide = semseg.data.digits("test", count=1, size=(384, 576))[0][0]
whole = predict(unet, wide)
tiled, rows = {}, []
for overlap in (0, 32, "exact"):
    plan = semseg.inference.plan_tiles(unet, wide.shape[:2], tile=192, overlap=overlap)
    ids = predict_tiled(unet, wide, tile=192, overlap=overlap, verbose=False)
    tiled[f"overlap {overlap}"] = [ids]
    rows.append(
        {
            "overlap": str(overlap),
            "tiles": len(plan.rows) * len(plan.columns),
            "computed again": f"{plan.duplication - 1:.0%}",
            "pixels that differ": int((ids != whole).sum()),
        }
    )
viz.Table(rows)

# %%
titles = ["picture", "in one piece", *tiled]
fromarray(viz.draw_comparison([wide], [whole], tiled, class_map, titles))

# %% [markdown]
# ### 15. Can I trust this pixel?
#
# Rank pixels by doubt and leave the most doubtful out: if the rest scores better, the doubt knows
# where the errors are. And if predictions made with 80 % are right in 80 % of the cases, the
# probabilities can be taken at their word: then the dots lie on the diagonal.

# %%
few = [test_ds[i] for i in range(4 if FAST else 20)]
few = [transforms.Resize(SIZE)(*pair, np.random.default_rng(0)) for pair in few]
truth = np.stack([ids for _, ids in few])
asked = mc_dropout(models["U-Net"], [picture for picture, _ in few], samples=4 if FAST else 10)
guess, probabilities, entropy, _ = (np.stack(part) for part in zip(*asked, strict=True))
curve = functional.reject_curve(truth, guess, entropy, class_map.num_classes, 255)
viz.Table(
    [
        {"pixels kept": f"{kept:.0%}", "pixel accuracy": accuracy, "mean IoU": miou}
        for kept, accuracy, miou in list(zip(*curve, strict=True))[::-1][:6]
    ]
)

# %%
viz.plot_reliability(functional.expected_calibration_error(truth, probabilities, 255))

# %% [markdown]
# ### 16. How do touching cells come apart?
#
# U-Net's answer: pixels in the gap between two cells weigh more in the loss, the narrower the gap
# the more. Measured on microscope pictures of nuclei by how many whole nuclei are found (F1: the
# harmonic mean of precision and recall of objects), since a closed gap hardly shows in an IoU.

# %%
yy, xx = np.mgrid[:96, :160]
cells = (np.hypot(yy - 48, xx - 45) < 32) | (np.hypot(yy - 48, xx - 113) < 32)
weights = semseg.regions.border_weights(cells)
fromarray(viz.draw_weights(weights, cells[..., None], max_width=700))

# %%
answer("touching_cells", "object_f1", "F1 of whole nuclei")

# %% [markdown]
# What the training has not parted can be cut at its neck afterwards.

# %%
touching = (np.hypot(yy - 48, xx - 50) < 32) | (np.hypot(yy - 48, xx - 108) < 32)
for how in (semseg.regions.components, semseg.regions.split_touching):
    print(how.__name__, how(touching).max())

# %% [markdown]
# ### 17. What does the ignore label change?
#
# Rims that nobody can label are left out of loss and score. If they count as background instead,
# the same prediction gets another score (the table); below it, a network that learnt from such
# masks, on the figures, whose rims are one pixel wide.

# %%
with_rims = [(test_ds[i][0], test_ds[i][1]) for i in range(len(test_ds))]
guesses = predict(models["U-Net"], [picture for picture, _ in with_rims], size=SIZE)
totals = {"ignored": 0, "counted as background": 0}
for (_, ids), guess in zip(with_rims, guesses, strict=True):
    as_background = np.where(ids == 255, 0, ids)
    for name, marked in (("ignored", ids), ("counted as background", as_background)):
        totals[name] += functional.confusion_matrix(marked, guess, class_map.num_classes, 255)
viz.Table(
    [
        {"rims": name, "mean IoU": found.mean_iou, "pixel accuracy": found.pixel_accuracy}
        for name, found in ((k, functional.scores(v)) for k, v in totals.items())
    ]
)

# %%
answer("wrong_masks", only=("right", "rims learnt as background"), against="right")

# %% [markdown]
# ### 18. Is model A really better than B?
#
# Compare both on the same pictures: the interval says how much the difference depends on which
# pictures were in the test set, and p how often chance alone would make as large a difference. That
# is half of it; the other half is the seed, so train each more than once.

# %%
rows = []
for a, b in (("U-Net", "SegNet-Basic"), ("U-Net", "FCN-8s"), ("SegNet-Basic", "FCN-8s")):
    gain = functional.compare(per_picture[a], per_picture[b])
    rows.append(
        {
            "A": a,
            "B": b,
            "mean IoU, A - B": gain.difference,
            "95 % interval": f"{gain.low:.3f} to {gain.high:.3f}",
            "p": gain.p_value,
            "more than chance": "yes" if gain.p_value < 0.05 else "no",
        }
    )
viz.Table(rows)

# %%
answer("architectures")

# %% [markdown]
# ### 19. Why does my model predict one class only?
#
# Because a class is rare (question 5), because the masks are wrong (question 6), or because of the
# learning rate: the network is thrown to where everything is background, and stays. Below the small
# U-Net of question 9, and the same with a rate of 10 and an alarm, which says so in the training.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    alarm = semseg.training.EarlyAlarm(more_figures, patience=2 if FAST else 10)
    made["thrown"] = short_training(None, True, rate=10.0, callbacks=[alarm])
for warning in caught:
    print(textwrap.fill(f"alarm: {warning.message}", 100))
viz.Table(
    [
        {
            "learning rate": rate,
            "classes predicted": len(
                np.unique(predict(model, [more_figures[i][0] for i in range(8)]))
            ),
            "mean IoU": found["mean_iou"],
            "loss": found["loss"],
        }
        for rate, (model, found) in (
            (0.006, made["logits, loss from logits"]),
            (10, made["thrown"]),
        )
    ]
)

# %% [markdown]
# ### 20. Which learning rate do I start with?
#
# Raise it from step to step and watch the loss: it takes sixty steps, and the model is left as it
# was. The suggestion is where the loss falls fastest; below, what short trainings of the network of
# question 9 make of it, of a third and of a tenth.

# %%
small = Recipe(model_arguments={"depth": min(2, depth), "filters": 8})
model = semseg.training.compiled_model(figures, small)
rates = semseg.training.find_learning_rate(
    model, figures.pipeline(4, seed=0), steps=10 if FAST else 60
)
viz.plot_learning_rate(*rates)

# %%
rows = []
for part in (1, 3, 10):
    rate = (rates.suggested or 1.0) / part
    _, found = short_training(None, True, rate)
    rows.append({"learning rate": f"{rate:.1e}", "mean IoU": found["mean_iou"]})
viz.Table(rows)

# %% [markdown]
# ### 21. Does it help to predict several views of a picture?
#
# Test-time augmentation averages the predictions of changed copies; every view costs a prediction.
# As with training, a view must make sense: compare enlarged copies with mirror images.

# %%
rows = []
for name, views in (("one view", None), ("3 scales", (0.9, 1.0, 1.1)), ("mirrored", "flip")):
    begun = time.perf_counter()
    found = score(models["U-Net"], test_ds, size=SIZE, tta=views)
    seconds = time.perf_counter() - begun
    rows.append({"views": name, "mean IoU": found["mean_iou"], "seconds": seconds})
viz.Table(rows)

# %% [markdown]
# ### 22. Is it true what is said about the three networks?
#
# "FCN is simple, but coarse and weak on complex scenes; U-Net is precise, but heavy in compute and
# memory; SegNet is balanced, fit for real time, slightly less accurate, and varies with the data."
# Put to the test, and reported as it came out: first what the papers' forms cost for 360 x 480
# (FCN with 512 units instead of 4,096), then what the small ones of this notebook take and score.
# "Not shown" is where trainings overlap.

# %%
papers = fresh
if not FAST:
    papers = {
        "U-Net": semseg.models.UNet(num_classes=11),
        "SegNet": semseg.models.SegNet(num_classes=11),
        "FCN-8s": semseg.models.FCN(variant="8s", num_classes=11, fc_units=512),
    }
paper_costs = {name: semseg.analysis.cost(m, size=(360, 480)) for name, m in papers.items()}
macs = {name: [cost.macs / 1e9] for name, cost in paper_costs.items()}
memory = {name: [cost.activation_bytes / 1e6] for name, cost in paper_costs.items()}
trained = {
    name: [
        sum(
            bool(layer.trainable_weights) and not layer.name.startswith(("encoder", "block"))
            for layer in model.layers
        )
    ]
    for name, model in papers.items()
}


def tested(claim, holds, quantity, runs, digits):
    """A row: what is said, whether it holds, and what was measured."""
    numbers = ", ".join(f"{name} {np.mean(runs[name]):,.{digits}f}" for name in runs)
    return {"claim": claim, "holds": holds, "measured": f"{quantity}: {numbers}"}


def most(name, runs):
    """Whether one has the highest value, in all trainings."""
    return above(runs[name], max((runs[n] for n in runs if n != name), key=np.mean))


def least(name, runs):
    """Whether one has the lowest value, in all trainings."""
    return above(min((runs[n] for n in runs if n != name), key=np.mean), runs[name])


u, s, f = papers
between = "yes" if macs[f] < macs[s] < macs[u] else "no"
# fmt: off
viz.Table([
    tested("FCN is simple", least(f, trained), "trained layers after the encoder", trained, 0),
    tested("U-Net is heavy in compute", most(u, macs), "billion MACs", macs, 1),
    tested("U-Net is heavy in memory", most(u, memory), "training, MB", memory, 0),
    tested("SegNet is balanced", between, "billion MACs", macs, 1),
])
# fmt: on

# %%
u, s, f = fresh  # U-Net, SegNet-Basic, FCN-8s
each = {
    name: [functional.scores(matrix).mean_iou for matrix in matrices]
    for name, matrices in per_picture.items()
}
varies = {name: [np.std(values) / np.mean(values)] for name, values in each.items()}
times = {name: [ms] for name, ms in large.items()}
miou, border = measured("architectures"), measured("architectures", "border_mean_iou")
# fmt: off
rows = [
    tested("SegNet is fit for real time", "yes" if large[s] < 40 else "no", "ms for 192 x 256",
           times, 0),
    tested("SegNet varies most from picture to picture", most(s, varies),
           "standard deviation / mean of a picture's mIoU", varies, 2),
]
if len(miou) == 3:
    gap = np.mean(miou[u]) - np.mean(miou[s])
    rows += [
        tested("FCN is coarse", least(f, border), "mIoU at borders", border, 3),
        tested("FCN is weak on scenes of many kinds", least(f, miou), "mIoU", miou, 3),
        tested("U-Net is precise", most(u, border), "mIoU at borders", border, 3),
        tested("SegNet is slightly less accurate", "yes" if 0 < gap < 0.1 else "no", "mIoU",
               miou, 3),
    ]
# fmt: on
viz.Table(rows)

# %% [markdown]
# ### 23. Why is it good in training and bad afterwards?
#
# Overfitting, says everyone. But if the pictures differ much from each other, it may be **batch
# normalisation**: it learns with the mean and variance of a few pictures and predicts with those of
# all. Here is a U-Net on microscope pictures, some dark and some bright, 400 steps of two pictures
# (one training with batches, three with groups, which are normalised picture by picture).
# `preflight` names it before you train.

# %%
rows = [
    {
        "normalised by": row["fields"]["model_arguments"].get("norm", "batch"),
        "seed": row["seed"],
        "mean IoU, validation": row["val_mean_iou"],
        "mean IoU, test": row["test_mean_iou"],
    }
    for row in stored("recipes.json").get("rows", [])
    if row["recipe"] == "nuclei/unet" and row["candidate"] in ("first", "batch_norm")
]
viz.Table(rows or [{"normalised by": "Not measured here: benchmarks/results/recipes.json"}])

# %% [markdown]
# ## Where next
#
# - Your own data: the pages *Start in 5 minutes* and *Your data* of the documentation.
# - A longer training that survives a power cut, and how to choose its settings: *Train*.
# - What each score hides: *Reading your scores*. Which loss: *Which loss*.
# - A network of your own from the same pieces: *Extend*.
