"""How fast a data set becomes batches: milliseconds an image by stage, and what to change."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from semseg.data.feeding.batches import BatchSource
from semseg.data.feeding.caching import decoded_bytes, look_at, physical_memory, shown_bytes
from semseg.data.feeding.look_ahead import THREADS, LookAhead

_STAGES = ("read", "decode", "augment", "batch")
_ROOM = 0.5  # of the machine's memory, what a cache may take that is worth advising


@dataclass(frozen=True, repr=False)
class Throughput:
    """What `Dataset.benchmark` measured; `print` shows it as a table.

    Args:
        name: the data set's.
        milliseconds: one thread's time an image, by stage: "read" (files from disk), "decode"
            (or whatever else makes a sample), "augment" (resize too), "batch" (mixed too).
        images_per_second: of whole batches, with threads.
        threads: how many.
        decoded_bytes: about what the decoded samples take in memory.
        fits_in_ram: whether that is at most half of the machine's memory.
    """

    name: str
    milliseconds: dict[str, float]
    images_per_second: float
    threads: int
    decoded_bytes: int
    fits_in_ram: bool

    @property
    def bound(self) -> str:
        """The stage that takes longest."""
        return max(self.milliseconds, key=self.milliseconds.__getitem__)

    @property
    def advice(self) -> str:
        """What to change, in words."""
        share = self.milliseconds[self.bound] / sum(self.milliseconds.values())
        what, size = f"{self.bound} takes {share:.0%} of the time", shown_bytes(self.decoded_bytes)
        if self.bound == "augment":
            return f"{what}: crop or resize first, so that later transforms see fewer pixels"
        if self.bound == "batch":
            return f"{what}: pass a smaller size=, so that there are fewer pixels to copy"
        if self.fits_in_ram:
            return f"{what}: pass cache='ram' ({size}), which reads and decodes once"
        return (
            f"{what}: the decoded samples ({size}) are too many for this machine's memory; pass "
            "cache= a folder, or store the pictures smaller"
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON can hold them."""
        return {
            "name": self.name,
            "milliseconds": dict(self.milliseconds),
            "images_per_second": self.images_per_second,
            "threads": self.threads,
            "decoded_bytes": self.decoded_bytes,
            "bound": self.bound,
            "advice": self.advice,
        }

    def __repr__(self) -> str:
        lines = [f"{'stage':8}  {'ms an image':>11}  {'images a second':>15}"]
        for stage, ms in self.milliseconds.items():
            rate = f"{1000 / ms:15,.0f}" if ms else f"{'-':>15}"
            bounds = "  <- bounds" if stage == self.bound else ""
            lines.append(f"{stage:8}  {ms:11.3f}  {rate}{bounds}")
        together = (
            f"together, {self.threads} threads: {self.images_per_second:,.0f} images a second"
        )
        return "\n".join([*lines, together, self.advice])


def measure(source: BatchSource, samples: int) -> Throughput:
    """Times the stages one by one in one thread, and then whole batches in several."""
    indices = source.order(0)[:samples].tolist()
    source.sample(indices[0], epoch=0)  # what first calls load is no sample's time
    seconds = dict.fromkeys(_STAGES, 0.0)
    for start in range(0, len(indices), source.batch_size):
        _time_batch(source, indices[start : start + source.batch_size], seconds)
    every = source.order(0).tolist()
    size = decoded_bytes(look_at(source.decoded, every), len(every))
    memory = physical_memory()
    return Throughput(
        name=source.ds.name,
        milliseconds={k: 1000 * max(0.0, v) / len(indices) for k, v in seconds.items()},
        images_per_second=_images_per_second(source, len(indices)),
        threads=THREADS,
        decoded_bytes=size,
        fits_in_ram=memory is None or size <= _ROOM * memory,
    )


def _time_batch(source: BatchSource, indices: list[int], seconds: dict[str, float]) -> None:
    made = []
    for index in indices:
        clock = [time.perf_counter()]
        _read_files(source, index)  # perhaps from the disk, and then from the system's memory
        clock.append(time.perf_counter())
        _read_files(source, index)
        clock.append(time.perf_counter())
        decoded = source.decoded(index)
        clock.append(time.perf_counter())
        image, mask, weights = source.augmented(decoded, index, epoch=0)
        clock.append(time.perf_counter())
        read, read_again, whole, augment = np.diff(clock)
        seconds["read"] += read
        seconds["decode"] += whole - read_again
        seconds["augment"] += augment
        made.append((image, mask) if weights is None else (image, mask, weights))
    start = time.perf_counter()
    source.mixed(source.stacked(made, indices), 0, indices)
    seconds["batch"] += time.perf_counter() - start


def _read_files(source: BatchSource, index: int) -> None:
    files = getattr(source.ds, "files", None)
    for path in files(index)[:2] if files else ():
        path.read_bytes()


def _images_per_second(source: BatchSource, count: int) -> float:
    """Of whole batches, made ahead by threads."""
    batches = LookAhead(source)
    images = len(batches[0][0])  # the threads have started
    start, made = time.perf_counter(), 0
    for step in range(1, 1 + max(1, count // images)):
        made += len(batches[step][0])
    return made / (time.perf_counter() - start)
