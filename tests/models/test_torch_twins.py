"""The same weights in PyTorch, written independently from the papers, give the same logits."""

import numpy as np
import pytest

import semseg
from semseg.layers import LearnedUpsampling2D

torch = pytest.importorskip("torch", reason="parity with PyTorch needs torch")
F = torch.nn.functional

SIZES = [(37, 53), (45, 61), (64, 32)]
TOLERANCE = 1e-4


class Twin:
    """Reads a Keras model's weights by layer name, and computes in PyTorch."""

    def __init__(self, model):
        self.model = model

    def weights(self, name):
        return [torch.from_numpy(np.array(w)) for w in self.model.get_layer(name).get_weights()]

    def conv(self, name, x):
        kernel, *bias = self.weights(name)
        return F.conv2d(x, kernel.permute(3, 2, 0, 1), *bias, padding=kernel.shape[0] // 2)

    def up(self, name, x):
        kernel, bias = self.weights(name)
        return F.conv_transpose2d(x, kernel.permute(3, 2, 0, 1), bias, stride=kernel.shape[0])

    def depthwise(self, name, x):
        kernel, *bias = self.weights(name)
        kernel = kernel.permute(2, 3, 0, 1)
        return F.conv2d(x, kernel, *bias, padding=kernel.shape[2] // 2, groups=x.shape[1])

    def enlarged(self, name, x):
        (kernel,) = self.weights(name)  # 8x8: it reaches three pixels over the two of its cell
        x = F.pad(x, (2, 2, 2, 2), mode="replicate")
        return F.conv_transpose2d(x, kernel.permute(3, 2, 0, 1), stride=2, padding=2 * 2 + 3)

    def norm(self, name, x):
        gamma, beta, mean, variance = self.weights(name)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=1e-3)

    def block(self, name, x, count, relu=True):
        for i in range(1, count + 1):
            x = self.norm(f"{name}_norm_{i}", self.conv(f"{name}_conv_{i}", x))
            x = F.relu(x) if relu else x
        return x


def unet(twin, x, depth=3):
    skips = []
    for level in range(1, depth + 1):
        x = twin.block(f"encoder_{level}", x, 2)
        skips.append(x)
        x = F.max_pool2d(x, 2, ceil_mode=True)
    x = twin.block("bottleneck", x, 2)
    for level in range(depth, 0, -1):
        skip = skips.pop()
        x = twin.up(f"decoder_{level}_up", x)[..., : skip.shape[2], : skip.shape[3]]
        x = twin.block(f"decoder_{level}", torch.cat([x, skip], 1), 2)
    return twin.conv("classifier", x)


def segnet_like(twin, x, encoder, decoder, decoder_relu=True):
    remembered = []
    for stage, count in enumerate(encoder, start=1):
        x = twin.block(f"encoder_{stage}", x, count)
        size = x.shape
        x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        remembered.append((indices, size))
    for stage in range(len(encoder), 0, -1):
        indices, size = remembered.pop()
        x = F.max_unpool2d(x, indices, 2, output_size=size)
        x = twin.block(f"decoder_{stage}", x, decoder[stage - 1], decoder_relu)
    return twin.conv("classifier", x)


def segnet(twin, x):
    return segnet_like(twin, x, encoder=(2, 2, 3, 3, 3), decoder=(1, 2, 3, 3, 3))


def segnet_basic(twin, x):
    return segnet_like(twin, x, encoder=(1,) * 4, decoder=(1,) * 4, decoder_relu=False)


def segnet_basic_decoded(twin, x, decoder):
    befores, places, pools = [], [], []
    for stage in range(1, 5):
        befores.append(twin.block(f"encoder_{stage}", x, 1))
        x, where = F.max_pool2d(befores[-1], 2, ceil_mode=True, return_indices=True)
        places.append(where)
        pools.append(x)
    scored = decoder in ("bilinear", "fcn", "fcn_no_addition")
    if scored:
        x = twin.conv("score_pool4", x)
    for stage in range(4, 0, -1):
        height, width = befores[stage - 1].shape[2:]
        name = f"decoder_{stage}"
        if decoder in ("encoder_addition", "single_channel"):
            x = F.max_unpool2d(x, places[stage - 1], 2, output_size=(height, width))
            depthwise = decoder == "single_channel"
            x = (twin.depthwise if depthwise else twin.conv)(f"{name}_conv_1", x)
        elif decoder == "bilinear":
            x = enlarged(x, 2)[..., :height, :width]
        else:
            x = twin.enlarged(f"{name}_up", x)[..., :height, :width]
        if not scored:
            x = twin.norm(f"{name}_norm_1", x)
        if stage > 1 and decoder in ("encoder_addition", "fcn", "fcn_no_reduction"):
            pool = pools[stage - 2]
            x = x + (twin.conv(f"score_pool{stage - 1}", pool) if scored else pool)
    return x if scored else twin.conv("classifier", x)


def fcn8s(twin, x):
    height, width = x.shape[2:]
    pools = []
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for i in range(1, count + 1):
            x = F.relu(twin.conv(f"block{block}_conv{i}", x))
        x = F.max_pool2d(x, 2, ceil_mode=True)
        pools.append(x)
    x = F.relu(twin.conv("fc7", F.relu(twin.conv("fc6", x))))
    x = twin.conv("score_fc7", x)
    for level in (4, 3):
        skip = twin.conv(f"score_pool{level}", pools[level - 1])
        x = enlarged(x, 2)[..., : skip.shape[2], : skip.shape[3]] + skip
    return enlarged(x, 8)[..., :height, :width]


def enlarged(x, factor):
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def rescaled(images):
    return images / 127.5 - 1


def response_normalised(images):
    return F.local_response_norm(images, size=5, alpha=1e-4, beta=0.75, k=1.0)


CASES = {
    "unet": (
        lambda: semseg.models.UNet(num_classes=5, depth=3, filters=8),
        rescaled,
        unet,
    ),
    "segnet": (lambda: semseg.models.SegNet(num_classes=5), rescaled, segnet),
    "segnet_basic": (
        lambda: semseg.models.SegNetBasic(num_classes=5),
        response_normalised,
        segnet_basic,
    ),
    "fcn8s": (
        lambda: semseg.models.FCN(num_classes=5, variant="8s", fc_units=32),
        rescaled,
        fcn8s,
    ),
}


@pytest.fixture(scope="module", params=CASES)
def pair(request):
    """A Keras model with random weights and statistics, and its twin as a function of images."""
    build, preprocess, forward = CASES[request.param]
    model = build()
    randomise(model)
    twin = Twin(model)
    return model, lambda x: forward(twin, preprocess(x))


def randomise(model):
    """Statistics and scores must not be the neutral ones that hide a mistake."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        weights = layer.get_weights()
        if "_norm_" in layer.name:
            gamma, beta, mean, variance = weights
            layer.set_weights(
                [
                    rng.uniform(0.7, 1.3, gamma.shape),
                    rng.normal(0, 0.2, beta.shape),
                    rng.normal(0, 0.2, mean.shape),
                    rng.uniform(0.7, 1.3, variance.shape),
                ]
            )
        elif layer.name.startswith("score_"):
            layer.set_weights([rng.normal(0, 0.05, w.shape) for w in weights])
        elif layer.name.startswith("decoder_") and isinstance(layer, LearnedUpsampling2D):
            layer.set_weights([w + rng.normal(0, 0.02, w.shape) for w in weights])


@pytest.mark.parametrize("size", SIZES)
def test_logits_are_those_of_pytorch(pair, size):
    model, twin = pair
    images = np.random.default_rng(1).integers(0, 256, (2, *size, 3)).astype("float32")
    ours = np.asarray(model(images))
    theirs = compute(twin, images)
    assert np.abs(theirs).max() > 0.01  # a dead network would agree with anything
    np.testing.assert_allclose(ours, theirs, atol=TOLERANCE * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize(
    "decoder",
    ["encoder_addition", "single_channel", "bilinear", "fcn", "fcn_no_reduction",
     "fcn_no_addition_no_reduction"],
)  # fmt: skip
def test_each_decoder_of_segnet_basic_is_that_of_pytorch(decoder):
    model = semseg.models.SegNetBasic(num_classes=5, decoder=decoder, preprocessing="rescale")
    randomise(model)
    twin = Twin(model)
    images = np.random.default_rng(1).integers(0, 256, (2, 37, 53, 3)).astype("float32")
    ours = np.asarray(model(images))
    theirs = compute(lambda x: segnet_basic_decoded(twin, rescaled(x), decoder), images)
    assert np.abs(theirs).max() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=TOLERANCE * max(1, np.abs(theirs).max()))


def compute(twin, images):
    with torch.no_grad():
        return twin(torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()


def test_a_resized_skip_does_not_pass():
    """Bite: a decoder that enlarges its crop instead of cutting it is another network."""
    model = CASES["unet"][0]()
    randomise(model)
    twin = Twin(model)
    images = np.random.default_rng(1).integers(0, 256, (1, 37, 53, 3)).astype("float32")

    def wrong_up(name, x):
        y = Twin.up(twin, name, x)
        return F.interpolate(y[..., :-1, :-1], size=y.shape[2:], mode="bilinear")

    right = compute(lambda x: unet(twin, rescaled(x)), images)
    twin.up = wrong_up
    wrong = compute(lambda x: unet(twin, rescaled(x)), images)
    assert np.abs(right - wrong).max() > 100 * TOLERANCE


def test_an_approximate_index_does_not_pass():
    """Bite: values put back at the first position of their window are another network."""
    model = CASES["segnet_basic"][0]()
    randomise(model)
    images = np.random.default_rng(1).integers(0, 256, (1, 37, 53, 3)).astype("float32")
    twin = Twin(model)
    right = compute(lambda x: segnet_basic(twin, response_normalised(x)), images)
    max_unpool2d = F.max_unpool2d
    try:
        F.max_unpool2d = lambda x, _, p, output_size: F.interpolate(x, size=output_size[2:])
        wrong = compute(lambda x: segnet_basic(twin, response_normalised(x)), images)
    finally:
        F.max_unpool2d = max_unpool2d
    assert np.abs(right - wrong).max() > 100 * TOLERANCE
