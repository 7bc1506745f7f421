"""Weights of the classes, and classes that are absent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from loss_laws import (
    IGNORE,
    all_classes,
    batch,
    both_forms,
    close,
    every_loss,
    few,
    in_numpy,
    losses_with,
    of_regions,
    seeds,
)

from semseg import ClassMap


@every_loss
@few
@given(seed=seeds, factor=st.floats(0.1, 10))
def test_equal_class_weights_are_none(law, seed, factor):
    ids, logits = batch(seed, 3)
    plain = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    weighted = law.make(ignore_class=IGNORE, class_weights=[factor] * 3)
    close(in_numpy(weighted, ids, logits), plain, atol=1e-6)


@of_regions
def test_one_logit_counts_the_foreground_unless_weights_say_otherwise(law):
    ids, logits = batch(6, 1)
    plain = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    close(in_numpy(law.make(ignore_class=IGNORE, class_weights=[0, 1]), ids, logits), plain)
    both = law.make(ignore_class=IGNORE, class_weights=[1, 1])
    same = float(both(ids, logits)) == pytest.approx(float(plain[0]), rel=1e-5)
    assert same == law.symmetric


@losses_with(lambda law: law.mean)
@few
@given(seed=seeds, weights=st.lists(st.floats(0.1, 5), min_size=3, max_size=3))
def test_weights_mean_the_losses_of_the_classes(law, seed, weights):
    ids, logits = batch(seed, 3)
    ids = all_classes(ids, 3)
    alone = [
        float(law.make(ignore_class=IGNORE, class_weights=one)(ids, logits)) for one in np.eye(3)
    ]
    sizes = np.array([(ids == k).sum() for k in range(3)]) if law.of == "pixels" else np.ones(3)
    found = float(law.make(ignore_class=IGNORE, class_weights=weights)(ids, logits))
    assert found == pytest.approx(np.average(alone, weights=weights * sizes), rel=1e-5)


@every_loss
def test_weights_come_by_name_with_a_class_map(law):
    classes = ClassMap(["road", "car", "sky"], ignore_class=IGNORE)
    named = law.make(class_weights={"car": 3.0}, class_map=classes)
    ids, logits = batch(7, 3)
    close(
        in_numpy(named, ids, logits),
        in_numpy(law.make(ignore_class=IGNORE, class_weights=[1, 3, 1]), ids, logits),
    )
    with pytest.raises(ValueError, match=r"does not have: \['bus'\]"):
        law.make(class_weights={"bus": 1.0}, class_map=classes)
    with pytest.raises(ValueError, match="need the names: pass class_map"):
        law.make(class_weights={"car": 3.0})


@every_loss
def test_wrong_class_weights_are_an_error(law):
    ids, logits = batch(8, 3)
    with pytest.raises(ValueError, match="class_weights must hold 3 numbers"):
        law.make(ignore_class=IGNORE, class_weights=[1, 2])(ids, logits)
    for bad in ([1, -1], [0, 0], [np.nan, 1], [1], 2.0):
        with pytest.raises(ValueError, match="class_weights must be"):
            law.make(class_weights=bad)


@of_regions
@both_forms
def test_an_absent_class_contributes_what_was_asked_for(law, channels):
    ids, logits = batch(9, channels, ignored=False)
    ids[ids == 1] = 0
    if channels == 3:
        ids[0, 0, 0] = 2
    values = {a: float(law.make(absent=a)(ids, logits)) for a in ("skip", "zero", "share")}
    if channels == 1:  # only the foreground counts, and there is none
        assert values["skip"] == values["zero"] == 0
        if law.mean:
            assert values["share"] == pytest.approx((1 / (1 + np.exp(-logits))).mean(), rel=1e-5)
    elif law.mean:
        predicted = np.asarray(ops.softmax(logits))[..., 1].mean()
        assert values["zero"] == pytest.approx(values["skip"] * 2 / 3, rel=1e-5)
        assert values["share"] == pytest.approx((values["skip"] * 2 + predicted) / 3, rel=1e-5)
    else:
        assert values["zero"] == values["skip"] < values["share"]
    with pytest.raises(ValueError, match="absent must be one of"):
        law.make(absent="one")
    with pytest.raises(ValueError, match="pooling must be one of"):
        law.make(pooling="pixels")
