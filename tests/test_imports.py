"""Importing semseg is cheap, and the data half works on a machine without TensorFlow."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["tensorflow", "keras", "jax", "torch", "matplotlib", "cv2", "sklearn", "scipy", "PIL"]


def run(code: str) -> str:
    """What a fresh process prints that imports the same semseg as this one."""
    spec = importlib.util.find_spec("semseg")
    assert spec is not None
    home = str(Path(spec.origin).parents[1])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fresh(package):
    """The package as a process finds it that has just imported it."""
    root = importlib.util.module_from_spec(package.__spec__)
    package.__spec__.loader.exec_module(root)
    return root


def test_importing_semseg_imports_nothing_heavy():
    loaded = run(f"import semseg, sys; print([m for m in {HEAVY} if m in sys.modules])")
    assert loaded.strip() == "[]"


def test_a_class_map_needs_nothing_heavy():
    code = (
        "import semseg, sys; semseg.ClassMap(['background', 'road']); "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert run(code).strip() == "[]"


def test_data_sets_and_transforms_work_without_tensorflow():
    code = """
import sys
sys.modules["tensorflow"] = None
import numpy as np
import semseg
ds = semseg.data.digits("train", count=2)
image, mask = ds[1]
resized = semseg.data.transforms.Resize((24, 32))(image, mask, np.random.default_rng(0))
print(image.shape, mask.shape, resized[0].shape, "keras" in sys.modules)
"""
    assert run(code).strip() == "(96, 128, 3) (96, 128) (24, 32, 3) False"


def test_every_package_is_an_attribute_of_the_root():
    import semseg

    packages = [n for n in semseg.__all__ if n.islower() and not n.startswith("_")]
    assert "models" in packages
    root = fresh(semseg)
    assert not set(packages) & set(vars(root))
    assert [getattr(root, n).__name__ for n in packages] == [f"semseg.{name}" for name in packages]


def test_an_unknown_attribute_is_an_attribute_error():
    import semseg

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = semseg.no_such_name
