"""train_folds: every picture is scored once, by a model that has not seen it."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import semseg
from semseg.inference import predict, score
from semseg.training import Recipe, train, train_folds

SMALL = Recipe(
    model_arguments={"depth": 1, "filters": 4}, batch=2, steps=4, steps_per_epoch=2, warmup=1
)


pytestmark = pytest.mark.usefixtures("step_by_step")


@pytest.fixture(scope="module")
def ds():
    return semseg.data.digits("train", count=6, size=(32, 32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("folds")


@pytest.fixture(scope="module")
def folds(ds, folder, step_by_step):
    return train_folds(ds, SMALL, folder, k=2, verbose=0)


def test_the_scores_are_of_all_pictures_each_by_the_model_that_has_not_seen_it(ds, folds):
    pairs = ds.folds(2, SMALL.seed)
    held_out = [
        score(run.model, part, batch_size=2).confusion
        for run, (_, part) in zip(folds.runs, pairs, strict=True)
    ]
    assert sorted(i for _, part in pairs for i in part.ids) == sorted(ds.ids)
    np.testing.assert_array_equal(folds.scores.confusion, sum(held_out))
    assert folds.scores.names == ds.class_map.names


def test_the_model_is_the_mean_of_the_folds(ds, folds):
    image = ds[0][0]
    shares = [predict(run.model, image, output="probabilities") for run in folds.runs]
    found = predict(folds.model, image, output="probabilities")
    np.testing.assert_allclose(found, np.mean(shares, axis=0), atol=1e-6)


def test_the_folds_have_other_seeds_and_are_runs_of_train(ds, folds, tmp_path):
    part, held_out = ds.folds(2, SMALL.seed)[1]
    alone = train(
        part, dataclasses.replace(SMALL, seed=1), tmp_path, validation=held_out, verbose=0
    )
    for one, other in zip(folds.runs[1].model.weights, alone.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_it_leaves_in_its_folder(folds, folder):
    assert {path.name for path in folder.iterdir()} == {"1", "2", "model.keras", "scores.json"}
    stored = json.loads((folder / "scores.json").read_text())
    assert stored["mean_iou"] == folds.scores["mean_iou"]
    assert semseg.models.class_map(semseg.models.load(folder / "model.keras")) is not None


def test_called_again_it_trains_nothing_anew(ds, folds, folder, monkeypatch):
    monkeypatch.setattr(keras.Model, "train_step", None)
    again = train_folds(ds, SMALL, folder, k=2, verbose=0)
    np.testing.assert_array_equal(again.scores.confusion, folds.scores.confusion)


def test_each_fold_has_its_own_callbacks(ds, tmp_path):
    made = {}

    def callbacks(fold):
        made[fold] = [keras.callbacks.CSVLogger(tmp_path / f"{fold}.csv")]
        return made[fold]

    train_folds(ds, SMALL, tmp_path / "runs", k=2, callbacks=callbacks, verbose=0)
    assert sorted(made) == [1, 2]
    assert all(len((tmp_path / f"{fold}.csv").read_text().splitlines()) == 3 for fold in made)


def test_groups_stay_together(ds, tmp_path, monkeypatch):
    seen = []

    def watched(part, recipe, out, **arguments):
        seen.append(set(part.ids))
        return train(part, recipe, out, **arguments)

    monkeypatch.setattr("semseg.training.folds.train", watched)
    patients = [0, 0, 1, 1, 2, 2]
    train_folds(ds, SMALL, tmp_path, k=2, groups=patients, verbose=0)
    assert len(seen) == 2
    for ids in seen:
        assert [ds.ids[i] in ids for i in (0, 2, 4)] == [ds.ids[i] in ids for i in (1, 3, 5)]


def test_one_fold_is_an_error(ds, tmp_path):
    with pytest.raises(ValueError, match="k must be"):
        train_folds(ds, SMALL, tmp_path, k=1)
    assert not list(tmp_path.iterdir())
