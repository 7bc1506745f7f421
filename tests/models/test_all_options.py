"""Laws of every architecture under options drawn at random."""

import keras
import numpy as np
import pytest
from architectures import perturbed, pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from narrow import narrowed

from semseg.models import FCN, SegNet, SegNetBasic, UNet, load
from semseg.models.segnet_basic_decoders import ENLARGED, UNPOOLED

tf = pytest.importorskip("tensorflow")

sizes = st.tuples(st.integers(1, 97), st.integers(1, 97))
common = {
    "num_classes": st.integers(1, 12),
    "input_shape": st.tuples(st.none(), st.none(), st.sampled_from([1, 3, 4])),
}
ARCHITECTURES = {
    UNet: st.fixed_dictionaries(
        {
            **common,
            "depth": st.integers(1, 4),
            "filters": st.sampled_from([2, 5]),
            "norm": st.sampled_from(["batch", "layer", None]),
            "upsampling": st.sampled_from(["transpose", "bilinear"]),
            "dropout": st.sampled_from([0.0, 0.3]),
            "hidden_activation": st.sampled_from(["relu", "gelu"]),
        }
    ),
    FCN: st.fixed_dictionaries(
        {
            **common,
            "variant": st.sampled_from(["32s", "16s", "8s"]),
            "padding": st.sampled_from(["same", "pad100"]),
            "learned_upsampling": st.booleans(),
            "at_once": st.booleans(),
            "fc_units": st.just(4),
        }
    ).filter(lambda options: not (options["at_once"] and options["variant"] == "32s")),
    SegNetBasic: st.one_of(
        st.fixed_dictionaries(
            {**common, "bayesian": st.booleans(), "decoder": st.sampled_from([*UNPOOLED])}
        ),
        st.fixed_dictionaries({**common, "decoder": st.sampled_from([*ENLARGED])}),
    ),
    SegNet: st.fixed_dictionaries({**common, "use_bias": st.booleans()}),
}


def close(one, other):
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("builder", ARCHITECTURES, ids=lambda builder: builder.__name__)
def test_shapes_graphs_batches_and_files_agree(builder, tmp_path_factory):
    few = 1 if builder in (SegNet, SegNetBasic) else 2  # of pooling and unpooling: slow to trace

    @settings(max_examples=few if settings().max_examples < 100 else 40)
    @given(arguments=ARCHITECTURES[builder], size=sizes, batch=st.integers(1, 3))
    def law(arguments, size, batch):
        keras.utils.set_random_seed(0)
        model = perturbed(narrowed(builder)(**arguments))
        images = pictures(model, size, batch).astype(np.float32)
        logits = np.asarray(model(images))
        assert logits.shape == (batch, *size, arguments["num_classes"])
        assert np.isfinite(logits).all()
        close(tf.function(model)(tf.constant(images)), logits)
        close(np.concatenate([model(images[i : i + 1]) for i in range(batch)]), logits)
        path = tmp_path_factory.mktemp("saved") / "model.keras"
        model.save(path)
        close(load(path).predict(images, verbose=0), logits)
        path.unlink()

    law()
