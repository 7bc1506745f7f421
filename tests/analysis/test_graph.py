import keras
import numpy as np
import pytest
from architectures import built, pictures
from keras import layers, ops

from semseg.analysis.graph import read_graph
from semseg.models import UNet


def nested():
    inner_input = layers.Input((None, None, 2))
    taps = {"P1": layers.MaxPooling2D(2, name="pool")(inner_input), "P0": inner_input * 2.0}
    inner = keras.Model(inner_input, taps, name="encoder")
    inputs, conv = layers.Input((None, None, 2)), layers.Conv2D(2, 1, name="conv")
    pyramid = inner(conv(conv(inputs)))
    up = layers.UpSampling2D(2, name="up")(pyramid["P1"])
    tail = keras.Sequential([layers.Input((None, None, 2)), layers.ReLU(name="end")], name="tail")
    return keras.Model(inputs, tail(layers.Add(name="sum")([up, pyramid["P0"]])))


def test_nested_models_are_opened_and_shared_layers_come_twice():
    names = [node.name for node in read_graph(nested()).nodes]
    assert names[:2] == ["conv", "conv"] and names[-2:] == ["sum", "tail/end"]
    assert set(names[2:-2]) == {"encoder/pool", "encoder/multiply", "up"} or any(
        name.startswith("encoder/multiply") for name in names
    )


@pytest.mark.parametrize("name", ["unet", "segnet_basic", "fcn16s learnt", "unet group norm"])
def test_the_calls_in_their_order_compute_the_model(name):
    model = built(name)
    graph, images = read_graph(model), pictures(model, (21, 34), batch=2)
    target = graph.output_of(None)
    values = graph.values([ops.convert_to_tensor(images)], target)
    np.testing.assert_allclose(values[target], model(images), atol=1e-5)
    sized = read_graph(model, (21, 34))
    for tensor, value in values.items():
        assert tuple(sized.tensors[tensor].shape[1:]) == tuple(value.shape[1:])


def test_nested_calls_compute_the_model():
    model, x = nested(), np.random.default_rng(0).normal(size=(1, 4, 6, 2)).astype("float32")
    graph = read_graph(model, (4, 6))
    target = graph.output_of(None)
    np.testing.assert_allclose(graph.values([x], target)[target], model(x), atol=1e-6)


def test_reading_leaves_the_model_as_it_is():
    model = built("unet")
    calls = [len(layer._inbound_nodes) for layer in model.layers]
    read_graph(model), read_graph(model, (8, 8))
    assert [len(layer._inbound_nodes) for layer in model.layers] == calls


def test_outputs_have_names_and_only_what_they_need():
    model = UNet(num_classes=2, depth=2, filters=2, deep_supervision=True)
    graph = read_graph(model)
    assert list(graph.outputs) == ["logits", "logits_2"]
    assert graph.output_of(None) == graph.outputs["logits"]
    needed = {node.name for node in graph.needed(graph.outputs["logits_2"])}
    assert "decoder_2_relu_2" in needed and "decoder_1_up" not in needed
