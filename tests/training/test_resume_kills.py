"""Resume in processes that are killed: the bits of a run that was not.

On TensorFlow in the fast tier; on every backend, and at many more moments, in the slow one.
"""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "killed_runs.py"
BACKENDS = ["tensorflow", "jax", "torch"]
KILLED, TERMINATED = -signal.SIGKILL if os.name == "posix" else None, 128 + signal.SIGTERM

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

# One inside the writing of a state, one inside an epoch; the slow tier has all moments.
FAST = [["half", 2], ["batch", 5]]


def start(folder, backend, kills, **environment):
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), json.dumps(kills)],
        env={**os.environ, "KERAS_BACKEND": backend, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process, seconds=600):
    printed, errors = process.communicate(timeout=seconds)
    assert process.returncode == 0, errors
    return json.loads(printed.splitlines()[-1]), errors


def test_a_killed_run_ends_with_the_bits_of_one_that_was_not(tmp_path):
    found, errors = end(start(tmp_path / "runs", "tensorflow", FAST))
    assert found["statuses"] == [KILLED, KILLED, 0], errors
    assert found["ends"] == [found["whole"]]
    assert found["whole"]["epochs"] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_u_net_killed_at_any_moment_ends_with_the_same_bits(backend, tmp_path):
    if not importlib.util.find_spec(backend):
        pytest.skip(f"needs {backend}")
    rng = random.Random(0)
    inside = [[moment, n] for moment in ("half", "synced", "renamed") for n in (1, 2)]
    kills = [
        *inside,
        *(["batch", rng.randint(1, 6)] for _ in range(4)),
        ["term", 2],
        *(["time", rng.uniform(0.1, 0.8)] for _ in range(12)),
    ]
    found, errors = end(start(tmp_path / "runs", backend, kills, KILLED_MODEL="unet"), 3600)
    assert found["statuses"].count(KILLED) >= 10, errors
    assert set(found["statuses"]) <= {KILLED, TERMINATED, 0}, errors
    assert found["ends"]
    assert all(run == found["whole"] for run in found["ends"])
