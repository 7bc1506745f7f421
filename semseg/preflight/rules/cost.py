"""What a step costs: memory by a rule of thumb, seconds as they were measured."""

from collections.abc import Iterator

import keras
import numpy as np

from semseg._backend import deciding_settings
from semseg.data.feeding.caching import physical_memory, shown_bytes
from semseg.preflight.kinds import finding
from semseg.preflight.report import Finding
from semseg.preflight.subject import Subject

_RUNTIME = 250e6  # bytes
_ROOM = 0.8  # of the machine's memory, what a training may take


def memory(subject: Subject) -> Iterator[Finding]:
    """What all layers gave, four times the weights, and what TensorFlow itself takes.

    Measured on a CPU (Linux's peak of two steps of 96x128 pictures): U-Net of depth 3 and 16
    filters 21 MB a picture (by this rule 24), SegNet-Basic 28 (28); U-Net of 64 filters 951 MB for
    two pictures (940).
    """
    size = 2 if keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16") else 4
    weights = 4 * 4 * sum(int(np.prod(w.shape)) for w in subject.model.weights)
    each = size * subject.larger * subject.seen.values / len(subject.images)
    step = _RUNTIME + weights + each * subject.batch_size
    subject.facts["memory of a step"] = (
        f"about {shown_bytes(step)} (weights, gradients and moments {shown_bytes(weights)}, a "
        f"picture {shown_bytes(each)})"
    )
    there = physical_memory()
    if there is None or _on_gpu():
        subject.skipped.append("the largest batch that fits: how much memory there is, isn't known")
        return
    largest = int((_ROOM * there - _RUNTIME - weights) / max(each, 1))
    subject.facts["largest batch"] = f"about {max(largest, 0):,} in {shown_bytes(there)}"
    if largest < subject.batch_size:
        evidence = f"about {shown_bytes(step)} of {shown_bytes(there)}"
        yield finding("memory", evidence, max(largest, 1))


def speed(subject: Subject) -> Iterator[Finding]:
    """Seconds a step against seconds to read its pictures."""
    if subject.step_seconds is None:
        return
    reading = float(np.median([s.seconds for s in subject.samples.read])) * subject.batch_size
    step = subject.step_seconds * subject.larger * subject.batch_size / len(subject.images)
    bound = "the data" if reading > step else "the model"
    subject.facts["speed"] = (
        f"about {1 / max(step, 1e-9):.3g} steps of {subject.batch_size} pictures a second "
        f"({1000 * step:.3g} ms); reading them takes {1000 * reading:.3g} ms in one thread: "
        f"{bound} is the bottleneck"
    )
    if reading > step:
        yield finding("data_bottleneck", f"{1000 * reading:.3g} ms against {1000 * step:.3g} ms")


def _on_gpu() -> bool:
    return any(device.lower() != "cpu" for device in deciding_settings()["devices"])
