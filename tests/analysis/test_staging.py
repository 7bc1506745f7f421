import functools
import itertools
import re

import keras
import pytest
from architectures import MODELS
from keras import layers
from narrow import narrowed
from nested_encoder import nested_unet

from semseg.analysis import stages
from semseg.models import FCN, SegNet, SegNetBasic, UNet

unet = functools.partial(UNet, num_classes=3, filters=2)
NAMED = {
    "unet": functools.partial(unet, depth=3),
    "unet bilinear": functools.partial(unet, depth=1, upsampling="bilinear", dropout=0.5),
    "unet group norm": MODELS["unet group norm"],
    "segnet": functools.partial(narrowed(SegNet, 1), num_classes=3, bayesian=True),
    "segnet_basic": functools.partial(narrowed(SegNetBasic, 1), num_classes=3),
    "encoder_addition": functools.partial(
        narrowed(SegNetBasic, 1), num_classes=3, decoder="encoder_addition"
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_stages_read_from_the_strides_are_those_of_our_layers_names(name):
    for stage in stages(NAMED[name]()):
        prefixes = {
            match[0]
            for node in stage.nodes
            if (match := re.match(r"encoder_\d|decoder_\d|bottleneck", node.name))
        }
        assert prefixes == ({stage.name} if stage.kind not in ("input", "head") else set())


def links(model):
    return {(link.source, stage.name, link.kind) for stage in stages(model) for link in stage.links}


def test_the_u_of_unet():
    found = stages(unet(depth=2))
    assert [(s.name, s.stride[0], s.channels) for s in found] == [
        ("input", 1, 3), ("encoder_1", 1, 2), ("encoder_2", 2, 4), ("bottleneck", 4, 8),
        ("decoder_2", 2, 4), ("decoder_1", 1, 2), ("head", 1, 3),
    ]  # fmt: skip
    chain = ["input", "encoder_1", "encoder_2", "bottleneck", "decoder_2", "decoder_1", "head"]
    forward = {(a, b, "forward") for a, b in itertools.pairwise(chain)}
    skips = {(f"encoder_{n}", f"decoder_{n}") for n in (1, 2)}
    assert links(unet(depth=2)) == forward | {(*skip, "skip") for skip in skips}
    valid = unet(depth=2, padding="valid", norm=None)
    assert links(valid) == forward | {(*skip, "crop") for skip in skips}


def test_the_hourglass_of_segnet_hands_on_positions():
    found = links(narrowed(SegNetBasic, 1)(num_classes=2))
    assert {link for link in found if link[2] != "forward"} == {
        (f"encoder_{n}", f"decoder_{n}", "index") for n in (1, 2, 3, 4)
    }
    assert ("encoder_4", "decoder_4", "forward") in found
    assert ("encoder_3", "decoder_3", "forward") not in found


@pytest.mark.parametrize("padding", ["same", "pad100"])
def test_the_ladder_of_fcn8s(padding):
    model = narrowed(FCN, 1)(num_classes=2, fc_units=1, padding=padding)
    found = stages(model)
    assert [s.name for s in found[6:]] == [
        "bottleneck", "decoder_5", "decoder_4", "decoder_1", "head",
    ]  # fmt: skip
    kind = "skip" if padding == "same" else "crop"
    assert {link for link in links(model) if link[2] == kind} == {
        ("encoder_4", "decoder_5", kind), ("encoder_3", "decoder_4", kind),
    }  # fmt: skip
    assert {node.name for node in found[6].nodes} >= {"fc6", "fc7", "score_fc7"}


@pytest.mark.parametrize("decoder", ["bilinear", "fcn_no_reduction"])
def test_decoders_without_weights_are_stages_too(decoder):
    found = stages(narrowed(SegNetBasic, 1)(num_classes=2, decoder=decoder))
    assert [s.name for s in found if s.kind == "decoder"] == [f"decoder_{n}" for n in (4, 3, 2, 1)]


def test_every_call_is_in_one_stage_and_links_come_from_earlier_ones():
    for build in (nested_unet, MODELS["fcn16s learnt"], users_model):
        found = stages(build())
        nodes = [node for stage in found for node in stage.nodes]
        assert len(nodes) == len(set(nodes))
        for i, stage in enumerate(found):
            earlier = {other.name for other in found[:i]}
            assert {link.source for link in stage.links} <= earlier
            assert stage.links or i == 0


def test_a_nested_encoder_is_staged_like_our_own():
    found = stages(nested_unet())
    assert [s.name for s in found] == [
        "input", "encoder_2", "encoder_3", "bottleneck", "decoder_3", "decoder_2", "decoder_1",
        "head",
    ]  # fmt: skip
    assert {link.kind for stage in found for link in stage.links} == {"forward", "skip"}


def users_model(strided=True):
    """Squeeze-and-excitation, additions and other people's names."""
    x = inputs = layers.Input((64, 64, 3))
    kept = []
    for width in (4, 8):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        gate = layers.Dense(width)(layers.GlobalAveragePooling2D(keepdims=True)(x))
        x = layers.Multiply()([x, gate])
        kept.append(x)
        x = layers.Conv2D(width, 3, 2, "same")(x) if strided else layers.AveragePooling2D(2)(x)
    x = layers.SeparableConv2D(16, 3, padding="same")(x)
    for width, skip in ((8, kept[1]), (4, kept[0])):
        x = layers.Conv2D(width, 1)(layers.UpSampling2D(2)(x))
        x = layers.ReLU()(layers.Add()([x, skip]))
    return keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax")(x))


@pytest.mark.parametrize("strided", [False, True])
def test_other_peoples_encoder_decoders(strided):
    found = stages(users_model(strided))
    assert [s.name for s in found] == [
        "input", "encoder_1", "encoder_2", "bottleneck", "decoder_2", "decoder_1", "head",
    ]  # fmt: skip
    assert [s.channels for s in found] == [3, 4, 8, 16, 8, 4, 2]
    skips = {link for link in links(users_model(strided)) if link[2] == "skip"}
    assert skips == {(f"encoder_{n}", f"decoder_{n}", "skip") for n in (1, 2)}


def test_a_model_of_one_resolution_has_one_stage():
    inputs = layers.Input((None, None, 1))
    x = layers.Conv2D(4, 3, padding="same", dilation_rate=2)(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 1)(x))
    assert [s.name for s in stages(model)] == ["input", "encoder_1", "head"]
    assert links(model) == {("input", "encoder_1", "forward"), ("encoder_1", "head", "forward")}
