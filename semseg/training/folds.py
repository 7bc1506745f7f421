"""k trainings on k parts of the data: honest scores of every picture, and an ensemble."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras

from semseg._writing import write_text
from semseg.data.dataset import Dataset
from semseg.data.feeding.pixel_weights import SampleWeight
from semseg.data.splitting import Groups
from semseg.inference.averaging import average
from semseg.metrics.score_table import Scores
from semseg.training.running import Run, save_model, train
from semseg.training.training_recipe import Recipe


class Folds(NamedTuple):
    """What `train_folds` leaves.

    Attributes:
        model: the mean of the probabilities of all `k` models; no picture of `ds` is new to it.
        scores: of all pictures of `ds`, each predicted by the one model that was not trained on
            it: what a single model of the recipe is worth.
        runs: of the folds, each with its own scores.
        folder: `1`, `2`, ... with the runs, `model.keras` and `scores.json`.
    """

    model: keras.Model
    scores: Scores
    runs: list[Run]
    folder: Path


def train_folds(
    ds: Dataset,
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    k: int = 5,
    groups: Groups | None = None,
    sample_weight: SampleWeight | None = None,
    callbacks: Callable[[int], list[keras.callbacks.Callback]] | None = None,
    verbose: str | int = "auto",
) -> Folds:
    """Trains the recipe `k` times, each time on all but one of `k` parts, which validates.

    For small sets, where one held-out part is too few pictures to trust. It takes `k` times the
    time of `train`; called again after an interruption, it goes on where it was. Each fold has a
    seed of its own, counted up from the recipe's. What the ensemble is worth only pictures that
    are not in `ds` can say: `semseg.inference.score(folds.model, test, size=recipe.size)`.

    Args:
        ds: the annotated pictures.
        recipe: as for `train`.
        out: the folder of all runs.
        k: parts, at least 2.
        groups: as in `ds.folds`: pictures of one patient, drive or slide stay together.
        sample_weight, verbose: as for `train`.
        callbacks: a function of the fold (1 to `k`) that gives its callbacks, as those remember.

    Raises:
        OSError, ValueError: as `train` and `ds.folds` do.

    Example:
        >>> import tempfile
        >>> ds = semseg.data.digits("train", count=8, size=(32, 32))
        >>> small = Recipe(model="unet", model_arguments={"depth": 1, "filters": 4},
        ...                steps=2, steps_per_epoch=2, warmup=1)
        >>> folds = semseg.training.train_folds(ds, small, tempfile.mkdtemp(), k=2, verbose=0)
        >>> len(folds.runs), int(folds.scores.confusion.sum()) == sum(
        ...     int((mask != 255).sum()) for _, mask in ds)
        (2, True)
    """
    folder = Path(out)
    runs = []
    for i, (part, held_out) in enumerate(ds.folds(k, recipe.seed, groups=groups), 1):
        own = dataclasses.replace(recipe, seed=recipe.seed + i - 1)
        run = train(
            part,
            own,
            folder / str(i),
            validation=held_out,
            sample_weight=sample_weight,
            callbacks=None if callbacks is None else callbacks(i),
            verbose=verbose,
        )
        runs.append(run)
    each = [run.scores for run in runs if run.scores is not None]
    scores = Scores(
        sum(one.confusion for one in each), each[0].names, sum(one.invalid_pixels for one in each)
    )
    model = average([run.model for run in runs])
    save_model(model, folder / "model.keras")
    write_text(folder / "scores.json", json.dumps(scores.to_dict(), indent=2))
    return Folds(model, scores, runs, folder)
