"""What all checks look at: the model, a few samples, and what was found out on the way."""

import warnings
from typing import Any

import keras
import numpy as np

from semseg.data.dataset import Dataset
from semseg.inference.forward import last_activation
from semseg.preflight.clock import Clock
from semseg.preflight.objectives import Term, terms
from semseg.preflight.samples import Samples
from semseg.training.trials import Kept, twin


class Subject:
    """A model and a data set under examination.

    Args:
        model: the user's own.
        ds: the data set.
        batch_size: pictures a step.
        size: that pictures are resized to, or None.
        clock: the time there is.
        kept: the model's values, to be put back after a trial.

    Attributes:
        facts: what the report says besides findings.
        skipped: what was not looked at, and why.
        images, masks: one batch.
        seen, scores, outputs: what layers and model gave on it in training mode; None until then.
    """

    def __init__(
        self,
        model: keras.Model,
        ds: Dataset,
        batch_size: int,
        size: tuple[int, int] | None,
        clock: Clock,
        kept: Kept,
    ) -> None:
        self.model, self.ds, self.batch_size, self.clock = model, ds, batch_size, clock
        self.kept = kept
        self.facts: dict[str, str] = {}
        self.skipped: list[str] = []
        self.classes = ds.class_map.num_classes
        self.ignored = ds.class_map.ignore_class
        self.samples = Samples(ds, size, clock)
        if self.samples.read:
            self.images, self.masks = self.samples.batch(batch_size, self.ignored)
        self.seen: Any = None  # a `Seen`
        self.scores: Any = None  # (batch, height, width, classes), float32
        self.outputs: Any = None
        self.has_learnt = False  # whether the first loss is far below that of guessing
        self.step_seconds: float | None = None
        self.forward_seconds: float | None = None
        self.twin = twin(model, "preflight") if getattr(model, "inputs", None) else _Wrapped(model)
        self.terms: list[Term] = terms(model)
        if self.has_loss:
            self.compile_twin("sgd", eager=True)

    @property
    def has_loss(self) -> bool:
        """Whether the model can be trained at all."""
        compiled = getattr(self.model, "compiled", False)
        return bool(compiled and self.terms and getattr(self.model, "optimizer", None))

    @property
    def larger(self) -> float:
        """How many times as many pixels a whole picture has as what was tried of it."""
        return float(self.samples.read[0].image.size / self.images[0].size)

    @property
    def probabilities(self) -> bool:
        """Whether the scores are shares that sum to 1, or one sigmoid."""
        if self.scores.shape[-1] == 1:
            layers = getattr(self.model, "layers", [])  # a subclassed model may have none
            return bool(layers) and last_activation(self.model) == "sigmoid"
        sums = self.scores.sum(-1)
        return bool(self.scores.min() >= 0 and np.abs(sums - 1).max() < 1e-2)

    def targets(self, masks: np.ndarray) -> Any:
        """The masks in the structure of the model's outputs."""
        if isinstance(self.outputs, dict):
            return dict.fromkeys(self.outputs, masks)
        if isinstance(self.outputs, list | tuple):
            return type(self.outputs)([masks] * len(self.outputs))
        return masks

    def loss_of(self, masks: np.ndarray, outputs: Any) -> float:
        """The compiled loss, regularisation included; what it raises is raised."""
        y, y_pred = (
            keras.tree.map_structure(keras.ops.convert_to_tensor, part)
            for part in (self.targets(masks), outputs)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = self.twin.compute_loss(x=None, y=y, y_pred=y_pred, sample_weight=None)
        return float(keras.ops.convert_to_numpy(value))

    def with_scores(self, scores: np.ndarray) -> Any:
        """Outputs whose every level is `scores`, cut to the level's own size."""

        def like(output: Any) -> np.ndarray:
            height, width = output.shape[1:3]
            return scores[:, :height, :width].astype(output.dtype)

        return keras.tree.map_structure(like, self.outputs)

    def compile_twin(self, optimizer: Any, eager: bool) -> None:
        """Makes the twin ready to be trained by another optimizer."""
        compiled = getattr(self.model, "_compile_loss", None)
        jax = keras.backend.backend() == "jax"  # which compiles each operation where it is eager
        self.twin.compile(
            optimizer,
            loss=self.model.loss,
            loss_weights=getattr(compiled, "_user_loss_weights", None),
            run_eagerly=eager and not jax,
            # XLA would compile for longer than everything else takes.
            jit_compile=jax,
            auto_scale_loss=False,
        )
        if not eager:  # or TensorFlow traces the first step twice
            self.twin.optimizer.build(self.twin.trainable_variables)


class _Wrapped(keras.Model):
    """A subclassed model inside one that can be compiled anew."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="preflight")
        self.inner = model

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.inner(inputs, training=training)
