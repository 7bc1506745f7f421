"""What every test may rely on: fixed seeds, no windows, no chatter, and where the data sets are."""

import gc
import os
import random
import sys
from pathlib import Path

# Before anything imports TensorFlow or Matplotlib.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
from hypothesis import settings

# Python's collector runs after every 700 new objects, and TensorFlow makes those by the million.
gc.set_threshold(20_000, 20, 20)

# "ci", the default: few examples and the same ones every time, so that a red run stays red.
# "dev" looks for new ones each time; "nightly" (make test-all) does so for long; "versions" is for
# other versions of what we depend on, after "ci" has passed with one.
settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("dev", max_examples=25, deadline=None, print_blob=True)
settings.register_profile("versions", max_examples=5, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=500, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _seeds():
    """The global generators start alike in every test; Keras's too if the test file uses it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  third-party code draws from it
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def _data_root() -> Path | None:
    """SEMSEG_DATA, else ../shared/data beside the checkout, else None."""
    named = os.environ.get("SEMSEG_DATA")
    if named:
        if not Path(named).is_dir():
            raise pytest.UsageError(f"SEMSEG_DATA must name a folder, received {named!r}")
        return Path(named).resolve()
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return beside if beside.is_dir() else None


NO_DATA = "needs the data sets: set SEMSEG_DATA or put them into ../shared/data beside the checkout"


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of the real data sets; the test is skipped where there is none."""
    root = _data_root()
    if root is None:
        pytest.skip(NO_DATA)
    return root


# Files that take half a minute: they begin first, as one that begins last leaves a core idle.
LONG = {
    "test_examples.py",
    "test_export.py",
    "test_fresh_process.py",
    "test_two_replicas.py",
    "test_contract.py",
    "test_py_dataset.py",
    "test_pages.py",
    "test_chain.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; skips tests marked `data` where there is none."""
    items.sort(key=lambda item: item.path.name not in LONG)
    if _data_root() is None:
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason=NO_DATA))
