"""`mix=`: transforms of whole batches in a stream, and what of one's own may stand there."""

import keras
import numpy as np
import pytest
from streams_in_fit import CELLS, cells, pair_of

import semseg
from semseg.data import Dataset
from semseg.data.feeding.mixed import Mixed
from semseg.data.transforms import CopyPaste, CutMix, Flip, MixUp, Mosaic, OneOf


def upside_down(images, masks, rng):
    return images[:, ::-1], masks[:, ::-1]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_batch_is_mixed_after_it_was_augmented():
    options = {"augment": Flip(1.0), "seed": 4}
    plain, mixed = (cells(9).batches(3, mix=mix, **options) for mix in (None, upside_down))
    for (images, masks), (turned, moved) in zip(plain, mixed, strict=True):
        np.testing.assert_array_equal(images[:, ::-1], turned)
        np.testing.assert_array_equal(masks[:, ::-1], moved)


def test_every_step_draws_anew_and_shards_differ():
    drawn = []

    def noted(images, masks, rng):
        drawn.append(rng.random())
        return images, masks

    list(cells(9).batch_source(3, mix=noted, epochs=2))
    list(cells(9).batch_source(3, mix=noted, shard=(1, 3)))
    list(cells(9).batch_source(3, mix=noted, seed=1))
    # Each source looks at one batch first, with the generator of its step 0.
    steps = [drawn[1:7], drawn[8:9], drawn[10:]]
    assert [drawn[0], drawn[7], drawn[9]] == [part[0] for part in steps]
    assert len({draw for part in steps for draw in part}) == 6 + 1 + 3


def test_a_last_batch_of_one_stays_as_it_is():
    for mix in (CutMix(), Mosaic(), CopyPaste(["cell"])):
        plain, mixed = (list(cells(7).batches(3, mix=m, shuffle=False)) for m in (None, mix))
        assert not np.array_equal(plain[0][0], mixed[0][0])
        for a, b in zip(plain[2], mixed[2], strict=True):
            np.testing.assert_array_equal(a, b)


def test_weights_are_mixed_with_the_masks():
    stream = cells(9).batches(3, mix=[CutMix(), Mosaic()], sample_weight=[0.5, 2.0])
    for _, masks, weights in stream:
        np.testing.assert_array_equal(weights, np.where(masks == 0, 0.5, 2.0).astype(np.float32))


def test_soft_targets_have_weights_where_there_is_an_ignored_id():
    (_, shares, weights), *_ = cells(9).batches(3, mix=MixUp())
    assert shares.shape == (3, 6, 8, 2) and shares.dtype == np.float32
    assert weights.shape == (3, 6, 8) and weights.dtype == np.float32
    plain = Dataset(pair_of, list("abc"), semseg.ClassMap(["background", "cell"]), "cells")
    assert len(plain.batches(3, mix=MixUp())[0]) == 2


def test_a_function_of_ones_own_gets_weights_where_there_are_some():
    def heavier(images, masks, rng, weights):
        return images, masks, 2 * weights

    (_, masks, weights), *_ = cells(4).batches(2, mix=heavier, sample_weight=[1.0, 3.0])
    np.testing.assert_array_equal(weights, np.where(masks == 0, 2, 6).astype(np.float32))


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        (lambda i, m, rng: i, "<lambda>: it must return as many arrays as it gets, 2"),
        (lambda i, m, rng: (i[0], m), r"<lambda>: a batch after it must be images \(batch"),
        (lambda i, m, rng: (i, m / 2), "masks of float64"),
        (lambda i, m, rng: (i, m + 9), "<lambda>: masks after it .* 9"),
        (
            lambda i, m, rng: (i / 255, m),
            "keep .* dtype of what it gets, received uint8 .* float64",
        ),
        (lambda i, m, rng: (i[..., :1], m), r"must keep number, channels and dtype"),
    ],
)
def test_what_is_wrong_with_ones_own_is_said(mix, message):
    batch = (np.zeros((2, 4, 5, 3), np.uint8), np.zeros((2, 4, 5), np.uint8))
    with pytest.raises(ValueError, match=message):
        Mixed(mix, CELLS)(batch, rng())


def test_what_is_for_single_pictures_is_sent_to_augment():
    with pytest.raises(TypeError, match=r"Flip\(\) changes single pictures: pass it as augment="):
        cells().batches(2, mix=Flip())
    with pytest.raises(
        TypeError, match=r"CutMix\(\) mixes the pictures of a batch: pass it .* mix"
    ):
        cells().batches(2, augment=CutMix())
    with pytest.raises(TypeError, match="mix must be a transform of batches, such as CutMix"):
        cells().batches(2, mix=5)
    for batch_size, count in ((1, 7), (2, 1)):
        with pytest.raises(ValueError, match="pass batch_size >= 2 and as many samples, received"):
            cells(count).batches(batch_size, mix=CutMix())
    with pytest.raises(TypeError, match="several as a list, each with its probability="):
        cells().batches(2, mix=OneOf([CutMix(), MixUp()]))
    with pytest.raises(ValueError, match="a transform of batches, received an empty list"):
        cells().batches(2, mix=[])
    with pytest.raises(
        TypeError, match=r"must be a transform of batches, such as CutMix\(\).*class"
    ):
        cells().batches(2, mix=CutMix)
    with pytest.raises(
        TypeError, match=r"received Keras's MixUp: semseg.data.transforms.MixUp\(\)"
    ):
        cells().batches(2, mix=keras.layers.MixUp())


def test_a_function_that_fails_later_names_the_batch():
    def fails(images, masks, rng, calls=[]):  # noqa: B006
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no more")
        return images, masks

    message = r"batch of step 1 of 'cells' \(samples 'cell 3', 'cell 4', 'cell 5'\): fails: no more"
    with pytest.raises(OSError, match=message):
        list(cells(9).batch_source(3, mix=fails, shuffle=False))


def test_the_first_look_is_at_a_batch_of_the_right_size():
    sizes = []

    def noted(images, masks, rng):
        sizes.append(len(images))
        return images, masks

    list(cells(7).batch_source(3, mix=noted))
    assert sizes == [3, 3, 3, 1]


def test_a_function_without_weights_is_told_to_take_them():
    with pytest.raises(ValueError, match=r"must mix the weights too: let it take \(images, masks"):
        cells().batches(2, mix=upside_down, sample_weight=[1, 2])


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_mixup_trains_in_fit_with_our_losses_and_metrics(jit_compile):
    pytest.importorskip("tensorflow")
    ds = cells(8)
    model = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(2, 1)])
    model.compile(
        "sgd",
        semseg.losses.Crossentropy(ignore_class=255) + 0.5 * semseg.losses.Dice(ignore_class=255),
        metrics=[semseg.metrics.SegmentationScores(CELLS)],
        weighted_metrics=[semseg.metrics.PixelAccuracy(2, 255, name="weighted")],
        jit_compile=jit_compile,
    )
    fitted = model.fit(
        ds.pipeline(4, mix=MixUp(1.0)),
        validation_data=ds.pipeline(4, shuffle=False),
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    for name in ("loss", "mean_iou", "val_loss", "val_mean_iou", "weighted"):
        assert np.isfinite(fitted.history[name]).all(), name
    assert fitted.history["invalid_pixels"] == [0, 0]
