"""What every docstring example may use without importing it."""

import importlib
import os

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
