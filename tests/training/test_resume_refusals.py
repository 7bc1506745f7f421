"""What Resume refuses: another run, a wrong start, a damaged file; each says what to do."""

import keras
import numpy as np
import pytest
from interrupted_runs import STEPS, fit, interrupted, small_model

import semseg
from semseg.training import Resume, identity

# -- another run ---------------------------------------------------------------------------------

CHANGES = {
    "dropout": ({"rate": 0.25}, r"model.layers.dropout#1.config.rate: 0.5 there, 0.25 here"),
    "activation": ({"activation": "elu"}, r"config.activation: 'relu' there, 'elu' here"),
    "filters": ({"filters": 3}, r"config.filters: 2 there, 3 here"),
    "class map": (
        {"classes": semseg.ClassMap(["background", "blob"], ignore_class=255)},
        r"class_map.*: '?cell'? there, '?blob'? here",
    ),
    "optimizer": ({"optimizer": "adam"}, r"optimizer.class_name: 'SGD' there, 'Adam' here"),
    "loss": ({"weights": [1.0, 2.0]}, r"compile.loss.config.class_weights: None there, \[1"),
    "steps": ({"steps": 1}, r"steps_per_epoch: 2 there, 1 here"),
    "fingerprint": ({"fingerprint": {"seed": 1}}, r"\(seed: 'nothing' there, 1 here\)"),
    "callback": (
        {"callbacks": [keras.callbacks.EarlyStopping("loss")]},
        r"callbacks: \[\] there, \[.*EarlyStopping",
    ),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun")
    interrupted(folder, 0)
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_named(change, begun):
    options, message = CHANGES[change]
    before = (begun / "state.npz").read_bytes()
    with pytest.raises(ValueError, match=rf"state.npz belongs to another run .*{message}"):
        fit(begun, **options)
    assert (begun / "state.npz").read_bytes() == before


@pytest.mark.parametrize("setting", ["deterministic", "threads in an operation", "devices"])
def test_another_setting_of_the_backend_is_named(setting, begun, monkeypatch):
    found = identity.deciding_settings()
    assert setting in found
    monkeypatch.setattr(identity, "deciding_settings", lambda: {**found, setting: "other"})
    with pytest.raises(ValueError, match=rf"\(backend.{setting}: .* there, 'other' here\)"):
        fit(begun)


def test_compilation_is_a_setting(begun):
    def make():
        model = small_model()
        model.jit_compile = True
        return model

    with pytest.raises(ValueError, match=r"\(compile.jit_compile: False there, True here\)"):
        fit(begun, make=make)


def test_another_patience_is_named(tmp_path):
    def stopping(patience):
        return [keras.callbacks.EarlyStopping("loss", patience=patience)]

    interrupted(tmp_path, 0, callbacks=stopping(1))
    with pytest.raises(ValueError, match=r"\(callbacks.0.patience: 1 there, 2 here\)"):
        fit(tmp_path, callbacks=stopping(2))


# -- what fit must be given ----------------------------------------------------------------------


def test_the_wrong_first_epoch_is_named(tmp_path):
    fit(tmp_path, epochs=1)
    with pytest.raises(ValueError, match=r"go on with epoch 1 of .*received epoch 0; pass initial"):
        fit(tmp_path, initial_epoch=0)
    with pytest.raises(ValueError, match=r"received epoch 2"):
        fit(tmp_path, initial_epoch=2)


@pytest.mark.parametrize("forgotten", [False, True])
def test_callbacks_behind_resume_are_named(forgotten, tmp_path):
    stopping = keras.callbacks.EarlyStopping("loss")
    stopping.set_params({"steps": STEPS})  # of an earlier fit
    with pytest.raises(ValueError, match=r"received \['EarlyStopping'\] behind it or not at all"):
        fit(
            tmp_path,
            callbacks=[stopping],
            order=lambda kept: [kept] if forgotten else [kept, stopping],
        )
    assert not (tmp_path / "state.npz").exists()


def test_a_model_without_weights_is_named(tmp_path):
    def make():
        model = keras.Sequential([keras.layers.Conv2D(2, 1)], name="late")
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    with pytest.raises(ValueError, match=r"must receive a built model, received 'late'"):
        fit(tmp_path, make=make)


def test_epochs_of_unknown_length_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"must know the steps of an epoch.*steps_per_epoch="):
        fit(tmp_path, steps=None)


@pytest.mark.parametrize("fingerprint", [{"mask": np.zeros(2)}, {"seed": {1}}])
def test_a_fingerprint_that_json_can_not_hold_is_named(fingerprint, tmp_path):
    with pytest.raises(TypeError, match="fingerprint must hold what JSON can hold"):
        Resume(tmp_path, fingerprint=fingerprint)


def test_a_half_file_is_not_looked_at_and_a_damaged_one_is_named(begun, tmp_path):
    state = (begun / "state.npz").read_bytes()
    (tmp_path / "state.npz.half").write_bytes(state[:1000])
    assert Resume(tmp_path).initial_epoch == 0
    (tmp_path / "state.npz").write_bytes(state[:-100])
    with pytest.raises(ValueError, match=r"state.npz is damaged .*put a copy of it back, or rem"):
        Resume(tmp_path)
