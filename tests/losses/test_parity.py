"""Every loss against those of PyTorch, Keras, smp and MONAI.

Where a peer means something else, a test here says what, and so does the loss's docstring.
"""

import importlib.util
import sys
import types
import warnings

import keras
import numpy as np
import pytest
from loss_batches import IGNORE, WEIGHTS, batch, both_forms, equal, ours
from scipy.special import softmax

from semseg.losses import (
    CenterlineDice,
    Crossentropy,
    Dice,
    Focal,
    FocalTversky,
    GeneralizedDice,
    Jaccard,
    Lovasz,
    Tversky,
)

tf = pytest.importorskip("tensorflow")

# -- PyTorch ------------------------------------------------------------------------------------


def for_torch(ids, logits):
    """Ids, and scores channels first, as PyTorch and what is built on it take them."""
    torch = pytest.importorskip("torch")
    return torch.tensor(np.moveaxis(logits, -1, 1)), torch.tensor(ids)


def torch_crossentropy(ids, logits, **arguments):
    torch = pytest.importorskip("torch")
    if "weight" in arguments:
        arguments["weight"] = torch.tensor(arguments["weight"], dtype=torch.float64)
    scores, target = for_torch(ids, logits)
    if target.ndim == 4:  # shares, of which none can be ignored
        target = target.movedim(-1, 1)
    else:
        arguments["ignore_index"] = IGNORE
    return torch.nn.functional.cross_entropy(scores, target, **arguments)


def test_the_weighted_mean_divides_by_the_weights_as_in_pytorch():
    ids, logits = batch(3)
    found = ours(Crossentropy, ids, logits, class_weights=WEIGHTS)
    equal(found, torch_crossentropy(ids, logits, weight=WEIGHTS))


def test_divided_by_pixels_it_is_the_loss_of_segnets_caffe():
    ids, logits = batch(3)
    total = torch_crossentropy(ids, logits, weight=WEIGHTS, reduction="sum")
    found = ours(Crossentropy, ids, logits, class_weights=WEIGHTS, divisor="pixels")
    equal(found, total / (ids != IGNORE).sum())
    assert found != pytest.approx(ours(Crossentropy, ids, logits, class_weights=WEIGHTS))


def test_smoothed_labels_are_those_of_pytorch_but_for_the_weights_of_the_spread_part():
    ids, logits = batch(3)
    smoothed = torch_crossentropy(ids, logits, label_smoothing=0.2)
    equal(ours(Crossentropy, ids, logits, label_smoothing=0.2), smoothed)
    found = ours(Crossentropy, ids, logits, label_smoothing=0.2, class_weights=WEIGHTS)
    theirs = torch_crossentropy(ids, logits, label_smoothing=0.2, weight=WEIGHTS)
    assert found != pytest.approx(float(theirs), rel=1e-3)


def test_soft_targets_are_those_of_pytorch_which_divides_them_by_pixels():
    _, logits = batch(3)
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], logits.shape[:3])
    equal(ours(Crossentropy, shares, logits), torch_crossentropy(shares, logits))
    found = ours(Crossentropy, shares, logits, class_weights=WEIGHTS, divisor="pixels")
    equal(found, torch_crossentropy(shares, logits, weight=WEIGHTS))


# -- Keras --------------------------------------------------------------------------------------


def one_hot(ids, channels):
    return ids[..., None].astype(float) if channels == 1 else np.eye(3)[ids]


@both_forms
def test_crossentropy_is_that_of_keras(channels):
    ids, logits = batch(channels, ignored=False)
    many = channels > 1
    of_keras = keras.losses.CategoricalCrossentropy if many else keras.losses.BinaryCrossentropy
    for smoothing in (0.0, 0.2):
        theirs = of_keras(from_logits=True, label_smoothing=smoothing, dtype="float64")
        found = ours(Crossentropy, ids, logits, label_smoothing=smoothing)
        equal(found, theirs(one_hot(ids, channels), logits))


def test_ignored_pixels_are_those_of_keras():
    ids, logits = batch(3)
    theirs = keras.losses.SparseCategoricalCrossentropy(True, IGNORE, dtype="float64")
    equal(ours(Crossentropy, ids, logits), theirs(ids, logits))


def test_focal_is_that_of_keras_whose_alpha_is_a_weight_that_is_not_divided_by():
    ids, logits = batch(1, ignored=False)
    theirs = keras.losses.BinaryFocalCrossentropy(from_logits=True, dtype="float64")
    equal(ours(Focal, ids, logits), theirs(one_hot(ids, 1), logits), rel=1e-5)
    theirs = keras.losses.BinaryFocalCrossentropy(
        True, alpha=0.8, from_logits=True, dtype="float64"
    )
    found = ours(Focal, ids, logits, class_weights=[0.2, 0.8], divisor="pixels")
    equal(found, theirs(one_hot(ids, 1), logits), rel=1e-5)
    ids, logits = batch(3, ignored=False)
    theirs = keras.losses.CategoricalFocalCrossentropy(0.25, from_logits=True, dtype="float64")
    equal(0.25 * ours(Focal, ids, logits), theirs(one_hot(ids, 3), logits), rel=1e-5)


def test_dice_and_tversky_are_those_of_keras_a_class():
    ids, logits = batch(3, ignored=False)
    target, p = one_hot(ids, 3), softmax(logits, axis=-1)
    of_keras = keras.losses.Dice(axis=(0, 1, 2), dtype="float64")
    equal(ours(Dice, ids, p, from_logits=False), of_keras(target, p))
    # What Keras calls fp are the misses: its alpha is our beta.
    of_keras = keras.losses.Tversky(alpha=0.9, beta=0.2, axis=(0, 1, 2), dtype="float64")
    equal(ours(Tversky, ids, p, alpha=0.2, beta=0.9, from_logits=False), of_keras(target, p))


def test_keras_pools_all_classes_into_one_ratio_by_default():
    ids, logits = batch(3, ignored=False)
    p = softmax(logits, axis=-1)
    assert ours(Dice, ids, logits) != pytest.approx(
        float(keras.losses.Dice()(one_hot(ids, 3), p)), rel=1e-3
    )


# -- segmentation_models.pytorch and MONAI --------------------------------------------------------


def losses_of_smp():
    """Its losses without its encoders, which need a torchvision that fits PyTorch."""
    pytest.importorskip("torch")
    package = "segmentation_models_pytorch"
    if package not in sys.modules and (spec := importlib.util.find_spec(package)):
        bare = types.ModuleType(package)
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules[package] = bare
    return losses_of(package)


def losses_of(package):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(f"{package}.losses", exc_type=ImportError)


def smp(name, ids, logits, mode="multiclass", **arguments):
    if name != "SoftCrossEntropyLoss":
        arguments["mode"] = mode
    peer = getattr(losses_of_smp(), name)(ignore_index=IGNORE, **arguments)
    scores, target = for_torch(ids, logits)
    # Its Lovasz takes float32 alone.
    return float(peer(scores.float() if name == "LovaszLoss" else scores, target))


@both_forms
@pytest.mark.parametrize(
    ("make", "arguments", "name"),
    [
        (Dice, {}, "DiceLoss"),
        (Jaccard, {}, "JaccardLoss"),
        (Tversky, {"alpha": 0.2, "beta": 0.9}, "TverskyLoss"),
        (Lovasz, {}, "LovaszLoss"),
    ],
)
def test_losses_of_regions_are_those_of_smp(make, arguments, name, channels):
    ids, logits = batch(channels)
    mode = "binary" if channels == 1 else "multiclass"
    found = ours(make, ids, logits, **arguments)
    equal(found, smp(name, ids, logits, mode, **arguments))
    if make is Lovasz:
        found = ours(make, ids, logits, pooling="image")
        equal(found, smp(name, ids, logits, mode, per_image=True))


@pytest.mark.parametrize("make", [Dice, Jaccard, Tversky])
def test_an_absent_class_has_loss_0_in_smp(make):
    ids, logits = batch(3, absent=1)
    arguments = {"alpha": 0.3, "beta": 0.7} if make is Tversky else {}
    for weights in (None, WEIGHTS):
        found = ours(make, ids, logits, absent="zero", class_weights=weights)
        theirs = smp(f"{make.__name__}Loss", ids, logits, class_weights=weights, **arguments)
        equal(found, theirs)


def test_lovasz_skips_absent_classes_as_smp_but_for_the_hinge():
    ids, logits = batch(3, absent=1)
    equal(ours(Lovasz, ids, logits), smp("LovaszLoss", ids, logits))
    ids, logits = batch(1, absent=1)
    assert ours(Lovasz, ids, logits) == 0
    largest = (1 + logits[ids != IGNORE]).max()
    equal(largest, smp("LovaszLoss", ids, logits, "binary"))


def test_focal_tversky_of_smp_is_a_power_of_the_mean():
    ids, logits = batch(3)
    theirs = {"alpha": 0.3, "beta": 0.7, "gamma": 0.75}
    logits[..., 0] += 4  # so that the losses of the classes differ
    equal(ours(Tversky, ids, logits) ** 0.75, smp("TverskyLoss", ids, logits, **theirs))
    assert ours(FocalTversky, ids, logits) != pytest.approx(ours(Tversky, ids, logits) ** 0.75)
    ids, logits = batch(1)  # of one class the mean of the powers is the power of the mean
    equal(ours(FocalTversky, ids, logits), smp("TverskyLoss", ids, logits, "binary", **theirs))


def test_focal_of_smp_is_a_sigmoid_a_class():
    ids, logits = batch(1)
    equal(ours(Focal, ids, logits), smp("FocalLoss", ids, logits, "binary"))
    weighted = ours(Focal, ids, logits, class_weights=[0.2, 0.8], divisor="pixels")
    equal(weighted, smp("FocalLoss", ids, logits, "binary", alpha=0.8))
    ids, logits = batch(3)
    a_class = [
        ours(Focal, np.where(ids == IGNORE, IGNORE, ids == k), logits[..., k : k + 1])
        for k in range(3)
    ]
    equal(np.mean(a_class), smp("FocalLoss", ids, logits))


def test_crossentropy_of_smp_divides_by_the_ignored_pixels_too():
    ids, logits = batch(3)
    for smoothing in (0.0, 0.2):
        found = ours(Crossentropy, ids, logits, label_smoothing=smoothing)
        theirs = smp("SoftCrossEntropyLoss", ids, logits, smooth_factor=smoothing)
        equal(found * (ids != IGNORE).mean(), theirs)


def monai(name, ids, logits, **arguments):
    scores, target = for_torch(ids, logits)
    arguments.setdefault("softmax", True)
    if name == "FocalLoss":
        arguments["use_softmax"] = arguments.pop("softmax")
    else:
        arguments = {"smooth_nr": 0, "smooth_dr": 1e-12, **arguments}
    peer = getattr(losses_of("monai"), name)
    return float(peer(to_onehot_y=True, **arguments)(scores, target[:, None]))


@pytest.mark.parametrize("pooling", ["batch", "image"])
@pytest.mark.parametrize(
    ("make", "arguments", "name", "theirs"),
    [
        (Dice, {}, "DiceLoss", {}),
        (Jaccard, {}, "DiceLoss", {"jaccard": True}),
        (Tversky, {"alpha": 0.2, "beta": 0.9}, "TverskyLoss", {"alpha": 0.2, "beta": 0.9}),
        (GeneralizedDice, {}, "GeneralizedDiceLoss", {}),
    ],
)
def test_losses_of_regions_are_those_of_monai(make, arguments, name, theirs, pooling):
    ids, logits = batch(3, ignored=False)
    found = ours(make, ids, logits, pooling=pooling, **arguments)
    equal(found, monai(name, ids, logits, batch=pooling == "batch", **theirs))


@pytest.mark.parametrize("pooling", ["batch", "image"])
def test_monai_gives_an_absent_class_the_largest_weight_of_the_others(pooling):
    ids, logits = batch(3, ignored=False, absent=1)
    found = ours(GeneralizedDice, ids, logits, pooling=pooling, absent="share")
    equal(found, monai("GeneralizedDiceLoss", ids, logits, batch=pooling == "batch"))


def test_weights_of_monais_dice_are_not_divided_by():
    ids, logits = batch(3, ignored=False)
    theirs = monai("DiceLoss", ids, logits, batch=True, weight=WEIGHTS)
    equal(ours(Dice, ids, logits, class_weights=WEIGHTS) * sum(WEIGHTS) / 3, theirs)


def test_focal_of_monai_divides_by_the_classes_too():
    ids, logits = batch(3, ignored=False)
    equal(ours(Focal, ids, logits) / 3, monai("FocalLoss", ids, logits), rel=1e-5)


def test_the_centreline_loss_is_that_of_monai_without_its_smoothing():
    ids, logits = batch(1, ignored=False)
    theirs = losses_of("monai").SoftclDiceLoss(iter_=3, smooth=0.0)
    p = 1 / (1 + np.exp(-logits))
    shares, target = for_torch(ids, p)
    found = ours(CenterlineDice, ids, p, iterations=3, from_logits=False)
    equal(found, theirs(target[:, None].double(), shares))
