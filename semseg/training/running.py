"""`train`: a recipe carried out, in few lines over `compile` and `fit` that one can copy."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import keras

from semseg._backend import repeat_bit_for_bit
from semseg._writing import write_text
from semseg.data.dataset import Dataset
from semseg.data.feeding.failures import original_errors
from semseg.data.feeding.pixel_weights import SampleWeight
from semseg.data.transforms import Compose, RandomCrop, aerial, light, medical, street
from semseg.data.transforms.presets import AERIAL_SCALE, STREET_SCALE
from semseg.data.transforms.transform import Transform
from semseg.inference.scoring import score
from semseg.metrics.mean_scores import MeanIoU, PixelAccuracy
from semseg.metrics.score_table import Scores
from semseg.models.catalogue import build
from semseg.training.optimizers import optimizer
from semseg.training.resume import Resume
from semseg.training.run_record import fingerprint, start_run, weights_fingerprint
from semseg.training.training_recipe import LOSSES, Recipe


class Run(NamedTuple):
    """What `train` leaves.

    Attributes:
        model: with the weights of the last epoch.
        history: a list of numbers an epoch, by name, as `History.history`.
        scores: on the validation data, at the masks' own size; None without any.
        folder: `model.keras`, `run.json`, `scores.json`, `history.json`, `history.png` and the
            state to go on from.
    """

    model: keras.Model
    history: dict[str, list[float]]
    scores: Scores | None
    folder: Path


def train(
    ds: Dataset,
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    validation: Dataset | None = None,
    sample_weight: SampleWeight | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    verbose: str | int = "auto",
) -> Run:
    """Trains a model by a recipe; called again after an interruption, goes on bit for bit.

    TensorFlow is told to repeat itself (`enable_op_determinism`). The body is short on purpose:
    whoever needs something else copies it.

    Args:
        ds: the annotated pictures to train on.
        recipe: what to do, of `recipe`, `plan` or made by hand.
        out: the folder of the run.
        validation: scored after each epoch (at the size of training) and at the end.
        sample_weight: of the pixels in training, as in `ds.pipeline`: one weight a class, or a
            function of the mask such as `semseg.regions.border_weights`. Scores and the loss on
            validation data go without.
        callbacks: more of Keras's callbacks; their memory survives an interruption as well.
        verbose: of `fit`.

    Raises:
        OSError: `out` can't be written.
        ValueError: `out` holds a run of another recipe, other data or other weights.

    Example:
        >>> import tempfile
        >>> ds = semseg.data.digits("train", count=8, size=(32, 32))
        >>> small = Recipe(model="unet", model_arguments={"depth": 1, "filters": 4},
        ...                steps=4, steps_per_epoch=2, warmup=1)
        >>> run = train(ds, small, tempfile.mkdtemp(), validation=ds, verbose=0)
        >>> len(run.history["loss"]), 0 <= run.scores["mean_iou"] <= 1
        (2, True)
    """
    sets = {"train": ds} if validation is None else {"train": ds, "validation": validation}
    settings: dict[str, Any] = {"recipe": recipe.to_dict()}
    if sample_weight is not None:
        settings["sample_weight"] = weights_fingerprint(ds, sample_weight)
    folder = start_run(out, settings, sets)
    keras.utils.set_random_seed(recipe.seed)
    repeat_bit_for_bit()
    model = compiled_model(ds, recipe)
    resume = Resume(
        folder / "state",
        callbacks=callbacks or [],
        fingerprint={**settings, "data": fingerprint(ds)},
    )
    with original_errors():
        history = model.fit(
            stream(ds, recipe, resume.start_step, sample_weight=sample_weight),
            validation_data=None if validation is None else _once(validation, recipe),
            steps_per_epoch=recipe.steps_per_epoch,
            initial_epoch=resume.initial_epoch,
            epochs=recipe.epochs,
            callbacks=[*(callbacks or []), resume],
            shuffle=False,  # the stream is shuffled; Keras warns otherwise
            verbose=verbose,
        ).history
    save_model(model, folder / "model.keras")
    scores = None
    if validation is not None:
        scores = score(model, validation, size=recipe.size, batch_size=recipe.batch)
        write_text(folder / "scores.json", json.dumps(scores.to_dict(), indent=2))
    _keep(history, folder)
    return Run(model, history, scores, folder)


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a `.keras` file whole or not at all: a finished run that is called again has one."""
    half = path.with_name(f"half.{path.name}")  # Keras looks at the suffix
    model.save(half)
    os.replace(half, path)


def compiled_model(ds: Dataset, recipe: Recipe) -> keras.Model:
    """The recipe's model for the classes and channels of `ds`, compiled and ready for `fit`.

    Example:
        >>> ds = semseg.data.digits("train", count=2)
        >>> model = compiled_model(ds, Recipe(model_arguments={"depth": 1, "filters": 4}))
        >>> type(model.optimizer).__name__, model.count_params()
        ('AdamW', 1863)
    """
    arguments = dict(recipe.model_arguments)
    arguments.setdefault("input_shape", (None, None, ds[0][0].shape[-1]))
    model = build(recipe.model, class_map=ds.class_map, **arguments)
    classes, ignored = ds.class_map.num_classes, ds.class_map.ignore_class
    model.compile(
        optimizer(recipe),
        loss=_loss(ds, recipe),
        metrics=[
            MeanIoU(classes, ignore_class=ignored),
            PixelAccuracy(classes, ignore_class=ignored),
        ],
    )
    # TensorFlow traces a step twice in which variables are made.
    model.optimizer.build(model.trainable_variables)
    return model


def stream(
    ds: Dataset,
    recipe: Recipe,
    start_step: int = 0,
    *,
    sample_weight: SampleWeight | None = None,
) -> Any:
    """The endless batches of a recipe: `tf.data` on TensorFlow, else a `PyDataset`."""
    feed = ds.pipeline if keras.backend.backend() == "tensorflow" else ds.batches
    return feed(
        recipe.batch,
        recipe.size,
        _augmentation(recipe),
        seed=recipe.seed,
        sample_weight=sample_weight,
        repeat=True,
        start_step=start_step,
    )


def _once(ds: Dataset, recipe: Recipe) -> Any:
    feed = ds.pipeline if keras.backend.backend() == "tensorflow" else ds.batches
    # Where crops are trained on, whole pictures may differ in size: one by one.
    batch = 1 if recipe.size is None and recipe.crop is not None else recipe.batch
    return feed(batch, recipe.size, shuffle=False)


def _augmentation(recipe: Recipe) -> Compose | None:
    crop = recipe.crop
    if recipe.augmentation in ("street", "aerial"):
        seen = crop or recipe.size
        assert seen is not None  # the recipe's own check
        if recipe.augmentation == "street":
            return street(seen, _full_scale(recipe, STREET_SCALE))
        return aerial(seen, _full_scale(recipe, AERIAL_SCALE))
    if recipe.augmentation == "medical":
        return medical(crop)
    steps: list[Transform] = [] if crop is None else [RandomCrop(crop)]
    if recipe.augmentation == "light":
        steps.append(light())
    return Compose(steps) if steps else None


def _full_scale(recipe: Recipe, usual: tuple[float, float]) -> tuple[float, float]:
    """A preset's scales without those that leave crops partly empty, where sizes are known."""
    low, high = usual
    if recipe.crop is None:
        return 1.0, high
    if recipe.size is None:
        return usual
    full = max(c / s for c, s in zip(recipe.crop, recipe.size, strict=True))
    return max(low, min(1.0, full)), high


def _loss(ds: Dataset, recipe: Recipe) -> keras.losses.Loss:
    weights = None
    if recipe.class_weights == "root_inverse":
        weights = ds.class_weights("inverse", absent=1.0) ** 0.5
    elif recipe.class_weights is not None:
        method: Any = recipe.class_weights
        weights = ds.class_weights(method, absent=1.0)
    terms = [
        share * LOSSES[name](class_map=ds.class_map, class_weights=weights)
        for name, share in recipe.loss.items()
    ]
    return sum(terms[1:], terms[0])


def _keep(history: dict[str, list[float]], folder: Path) -> None:
    from semseg.viz.history import plot_history
    from semseg.viz.writing import save

    write_text(folder / "history.json", json.dumps(history, indent=2, default=float))
    save(folder / "history.png", plot_history(history))
