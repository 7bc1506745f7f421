"""The public blocks refuse what they would otherwise misread in silence."""

import keras
import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.models.blocks import class_scores, conv_block, enlarge

TWO = ClassMap(["background", "cell"])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (lambda x: enlarge(x, 8, "d", upsampling="nearest"), "upsampling must be one of .*'near"),
        (lambda x: conv_block(x, 8, "d", norm="batch_norm"), "norm must be one of .*'batch_norm'"),
        (lambda x: conv_block(x, [8, 12], "d", norm="group"), "divisible by 8, .*filters=12"),
        (lambda x: conv_block(x, 0, "d"), "filters must be an int >= 1, received 0"),
        (lambda x: conv_block(x, 8, "d", padding="causal"), "padding must be one of .*'causal'"),
        (lambda x: class_scores(x, 5, TWO), "received 5 and a ClassMap of 2"),
        (lambda x: class_scores(x, 3, activation="sigmoid"), "goes with num_classes=1"),
        (lambda x: class_scores(x, 3, activation="relu"), "activation must be None"),
    ],
)
def test_what_a_block_does_not_know_is_refused(block, message):
    with pytest.raises(ValueError, match=message):
        block(keras.Input((4, 4, 3)))


def test_a_block_takes_one_width_or_several():
    x = keras.Input((4, 4, 3))
    assert conv_block(x, np.int64(8), "d", repeats=1).shape == (None, 4, 4, 8)
    assert conv_block(x, [8, 5], "e").shape == (None, 4, 4, 5)
    assert class_scores(x, 1, TWO).shape == (None, 4, 4, 1)
