"""What must be the same for a run to go on bit for bit, and in which way two runs differ."""

import inspect
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from semseg._backend import deciding_settings
from semseg.training.run_record import installed_versions

# Attributes of callbacks that say where and how loudly, not what.
_NO_RECIPE = {"verbose", "filepath", "filename", "log_dir"}
_DECIDING_PACKAGES = ("semseg", "keras", "numpy", "opencv-python-headless")
_ABSENT = "nothing"
_SHOWN = 5


def identity(
    model: keras.Model, steps_per_epoch: int, callbacks: Sequence[keras.callbacks.Callback]
) -> dict[str, Any]:
    """The recipe of a run as far as Keras knows it, JSON-able.

    Names that Keras has numbered (`conv2d_2`) count from the start, so that a model is itself again
    when it is built a second time in one process.
    """
    configs = {
        "model": {"class": type(model).__name__, **_config(model.get_config)},
        "compile": {**_config(model.get_compile_config), "jit_compile": bool(model.jit_compile)},
    }
    plain = json.loads(json.dumps(configs, default=lambda part: type(part).__name__))
    return {
        "steps_per_epoch": steps_per_epoch,
        **_renumbered(plain),
        "variables": described([*model.variables, *model.optimizer.variables]),
        "callbacks": [{"class": type(each).__name__, **_choices(each)} for each in callbacks],
        "backend": deciding_settings(),
        "versions": installed_versions((*_DECIDING_PACKAGES, keras.backend.backend())),
    }


def described(variables: Sequence[Any]) -> list[str]:
    """Path, shape and dtype of each variable, without the numbers that Keras gives to names."""
    return [
        f"{re.sub(r'_[0-9]+(?=[_/]|$)', '', v.path)} {tuple(v.shape)} {v.dtype}" for v in variables
    ]


def check_same(there: dict[str, Any], here: dict[str, Any], path: Any) -> None:
    """Says how the run in the file `path` differs from this one.

    Raises:
        ValueError: it does.
    """
    found = list(_differences(there, here, ""))
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ValueError(
            f"{path} belongs to another run ({'; '.join(found[:_SHOWN])}{more}); start with what "
            "was there, or choose another folder to start anew"
        )


def constructor_arguments(callback: keras.callbacks.Callback) -> set[str]:
    """The names by which a callback is made, those of its parents too."""
    return {
        name
        for parent in type(callback).__mro__
        if "__init__" in vars(parent)
        for name in inspect.signature(parent.__init__).parameters  # type: ignore[misc]
    }


def _config(get_config: Any) -> dict[str, Any]:
    """A config, or its absence: someone's own model or loss may have none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras, about lambdas
            return dict(get_config() or {})
    except Exception as error:  # their code may raise anything
        return {"without config": type(error).__name__}


def _choices(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What a callback was made with, where that can be compared."""
    names = constructor_arguments(callback) - _NO_RECIPE
    found = {name: value for name, value in vars(callback).items() if name in names}
    if "min_delta" in found:
        found["min_delta"] = abs(found["min_delta"])  # Keras turns its sign in the first epoch
    return {k: v for k, v in found.items() if v is None or isinstance(v, bool | int | float | str)}


def _renumbered(tree: Any) -> Any:
    """The tree with its names (`conv2d_7`) numbered in order of appearance; no code of lambdas."""
    new: dict[str, str] = {}
    counts: dict[str, int] = {}

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            name = part.get("name")
            if isinstance(name, str) and name not in new:
                stem = re.sub(r"_[0-9]+$", "", name)
                counts[stem] = counts.get(stem, 0) + 1
                new[name] = f"{stem}#{counts[stem]}"
        for inner in part.values() if isinstance(part, dict) else part:
            if isinstance(inner, dict | list):
                collect(inner)

    def replace(part: Any) -> Any:
        if isinstance(part, dict):
            if part.get("class_name") == "__lambda__":
                return "lambda"  # its code names the file and line, which say nothing
            return {k: v if k == "class_name" else replace(v) for k, v in part.items()}
        if isinstance(part, list):
            return [replace(item) for item in part]
        return new.get(part, part) if isinstance(part, str) else part

    collect(tree)
    return replace(tree)


def _differences(there: Any, here: Any, path: str) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in {**there, **here}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _differences(there.get(key, _ABSENT), here.get(key, _ABSENT), inner)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for place, (one, other) in enumerate(zip(there, here, strict=True)):
            name = one.get("name", place) if isinstance(one, dict) else place
            yield from _differences(one, other, f"{path}.{name}")
    elif there != here and (there == there or here == here):  # two NaNs are the same
        yield f"{path}: {_shown(there)} there, {_shown(here)} here"


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} entries"
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
