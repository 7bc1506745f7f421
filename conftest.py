"""What tests and docstring examples share: names without import, and nothing left turned on."""

import importlib
import os
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class _Late:
    """A module that is imported when an example first touches it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str):
        return getattr(importlib.import_module(self._name), attribute)


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace):
    for alias, module in (("np", "numpy"), ("keras", "keras"), ("semseg", "semseg")):
        doctest_namespace.setdefault(alias, _Late(module))


@pytest.fixture(autouse=True)
def _determinism():
    """What a test or a page turns on for its process does not reach the next: XLA is off then."""

    def on() -> bool:
        loaded = sys.modules.get("tensorflow") is not None  # None where a test blocks it
        return loaded and config().is_op_determinism_enabled()

    def config():
        return importlib.import_module("tensorflow.python.framework.config")

    before = on()
    yield
    if on() and not before:
        config().disable_op_determinism()
