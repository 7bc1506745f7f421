"""Batches for training from CamVid, against albumentations with PyTorch's DataLoader.

    python benchmarks/data.py [--rounds N] [--data FOLDER]

Random scale, crop of 256 x 256, flip, brightness and contrast; batches of 8; one epoch a round, in
turn. Every contestant lives in a process of its own (the DataLoader forks two workers, which
TensorFlow does not bear) and reports the CPU time of that process and its children: on a shared
machine wall time says less. "decode" is the floor: the files' pictures decoded by two threads and
nothing else. "1 core" is the same with the process bound to one.

Needs an extra: pip install -e ".[bench]"
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import harness
import numpy as np

BATCH, SIZE = 8, (256, 256)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def dataset(root: Path) -> Any:
    import semseg

    return semseg.data.camvid(root / "camvid", "train")


@dataclass(frozen=True)
class Passes:
    """What gives the batches of an epoch each time that it is looped over."""

    epoch: Callable[[], Iterable[Any]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.epoch())


# -- semseg --------------------------------------------------------------------------------------


def semseg_lean() -> list[Any]:
    from semseg.data.transforms import Brightness, Contrast, Flip, RandomCrop, RandomScale

    return [RandomScale(0.5, 2.0), RandomCrop(SIZE), Flip(), Brightness(0.2), Contrast(0.2)]


def semseg_elastic() -> list[Any]:
    from semseg.data.transforms import Affine, Elastic, RandomCrop

    return [Affine(rotation=15, zoom=(0.8, 1.25)), Elastic(sd=10), RandomCrop(SIZE)]


def semseg_pipeline(root: Path, augment: list[Any], **options: Any) -> Iterable[Any]:
    return dataset(root).pipeline(BATCH, augment=augment, drop_remainder=True, **options)


def semseg_batches(root: Path, augment: list[Any], **options: Any) -> Iterable[Any]:
    batches = dataset(root).batches(BATCH, augment=augment, drop_remainder=True, **options)
    return Passes(lambda: (batches[i] for i in range(len(batches))))


def semseg_records(root: Path, augment: list[Any]) -> Iterable[Any]:
    import semseg

    folder = Path(tempfile.gettempdir()) / "semseg-benchmark-camvid-raw"
    semseg.data.write_records(dataset(root), folder, images="raw")
    records = semseg.data.read_records(folder)
    return records.pipeline(BATCH, augment=augment, drop_remainder=True)


# -- the peer ------------------------------------------------------------------------------------


def peer_lean() -> Any:
    import albumentations

    return albumentations.Compose(
        [
            albumentations.RandomScale((-0.5, 1.0), interpolation=1, p=1.0),
            albumentations.PadIfNeeded(*SIZE, border_mode=0, fill=0, fill_mask=255),
            albumentations.RandomCrop(*SIZE),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomBrightnessContrast(0.2, 0.2, p=1.0),
        ]
    )


def peer_elastic() -> Any:
    """Cropped first, which is the fastest order."""
    import albumentations

    return albumentations.Compose(
        [
            albumentations.RandomCrop(*SIZE),
            albumentations.Affine(scale=(0.8, 1.25), rotate=(-15, 15), fill_mask=255, p=1.0),
            albumentations.ElasticTransform(alpha=300, sigma=10, fill_mask=255, p=1.0),
        ]
    )


class PeerDataset:
    """What one writes for a DataLoader: OpenCV reads, albumentations augments."""

    def __init__(self, root: Path, augment: Any, in_memory: bool) -> None:
        ds = dataset(root)
        self.paths = [ds.paths(i) for i in range(len(ds))]
        self.augment = augment
        self.pairs = [self.read(i) for i in range(len(ds))] if in_memory else None

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        import cv2

        image, mask = self.paths[index]
        return (
            cv2.cvtColor(cv2.imread(str(image)), cv2.COLOR_BGR2RGB),
            cv2.imread(str(mask), cv2.IMREAD_UNCHANGED),
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, mask = self.read(index) if self.pairs is None else self.pairs[index]
        done = self.augment(image=image, mask=mask)
        return done["image"], done["mask"]


def peer(root: Path, augment: Any, in_memory: bool) -> Iterable[Any]:
    import torch

    torch.set_num_threads(1)
    return torch.utils.data.DataLoader(
        PeerDataset(root, augment, in_memory),
        BATCH,
        shuffle=True,
        num_workers=2,
        drop_last=True,
        multiprocessing_context="fork",
    )


# -- the floor -----------------------------------------------------------------------------------


def decode(root: Path) -> Iterable[Any]:
    from concurrent.futures import ThreadPoolExecutor

    import cv2

    files = PeerDataset(root, None, in_memory=False)
    data = [[np.fromfile(path, np.uint8) for path in pair] for pair in files.paths]

    def one(index: int) -> None:
        cv2.imdecode(data[index][0], cv2.IMREAD_COLOR)
        cv2.imdecode(data[index][1], cv2.IMREAD_UNCHANGED)

    def batches() -> Iterable[Any]:
        with ThreadPoolExecutor(2) as pool:
            for first in range(0, len(data) // BATCH * BATCH, BATCH):
                list(pool.map(one, range(first, first + BATCH)))
                yield first

    return Passes(batches)


Make = Callable[[Path], Iterable[Any]]
#: Scenario -> contestant -> what makes its batches, the peer second.
SCENARIOS: dict[str, dict[str, Make]] = {
    "files": {
        "semseg pipeline": lambda root: semseg_pipeline(root, semseg_lean()),
        "albumentations + DataLoader": lambda root: peer(root, peer_lean(), False),
        "semseg batches": lambda root: semseg_batches(root, semseg_lean()),
        "decode": decode,
    },
    "RAM": {
        "semseg pipeline": lambda root: semseg_pipeline(root, semseg_lean(), cache="ram"),
        "albumentations + DataLoader": lambda root: peer(root, peer_lean(), True),
        "semseg batches": lambda root: semseg_batches(root, semseg_lean(), cache="ram"),
        "semseg raw records": lambda root: semseg_records(root, semseg_lean()),
    },
    "RAM, elastic and affine": {
        "semseg pipeline": lambda root: semseg_pipeline(root, semseg_elastic(), cache="ram"),
        "albumentations + DataLoader": lambda root: peer(root, peer_elastic(), True),
        "semseg batches": lambda root: semseg_batches(root, semseg_elastic(), cache="ram"),
    },
}


def serve(scenario: str, name: str, root: Path, core: int | None) -> None:
    """One epoch for each line on standard input; answers with CPU and wall seconds and memory."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    make = SCENARIOS[scenario][name]
    batches = make(root)
    for _ in sys.stdin:
        cpu, wall, count = _cpu_seconds(), time.perf_counter(), 0
        for _batch in batches:
            count += BATCH
        answer = {
            "cpu": _cpu_seconds() - cpu,
            "wall": time.perf_counter() - wall,
            "images": count,
            "mb": harness.peak_memory() + (2 * _children_mb() if "DataLoader" in name else 0),
        }
        print(json.dumps(answer), flush=True)


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended: the DataLoader ends its workers."""
    return sum(os.times()[:4])


def _children_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


class Contestant:
    """A process that runs one epoch when it is told to."""

    def __init__(self, scenario: str, name: str, root: Path, core: int | None) -> None:
        command = [sys.executable, __file__, "--data", str(root), "--serve", scenario, name]
        command += [] if core is None else ["--core", str(core)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.rounds: list[dict[str, float]] = []

    def run(self, keep: bool) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while not line.startswith("{"):
            if not line:
                raise RuntimeError(f"a contestant ended: {self.process.args}")
            line = self.process.stdout.readline()
        if keep:
            self.rounds.append(json.loads(line))

    def column(self, key: str) -> list[float]:
        return [r[key] / (r["images"] if key == "cpu" else 1) for r in self.rounds]

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def measure(scenario: str, root: Path, rounds: int, core: int | None) -> list[dict[str, Any]]:
    contestants = {n: Contestant(scenario, n, root, core) for n in SCENARIOS[scenario]}
    for turn in range(rounds + 1):  # the first warms up
        for contestant in contestants.values():
            contestant.run(keep=turn > 0)
    ours = contestants["semseg pipeline"].column("cpu")
    rows = []
    for name, contestant in contestants.items():
        contestant.end()
        cpu = contestant.column("cpu")
        speed = [r["images"] / r["wall"] for r in contestant.rounds]
        rows.append(
            {
                "from": scenario + ("" if core is None else ", 1 core"),
                "route": name,
                "cpu_ms_per_image": 1000 * statistics.median(cpu),
                "times_semseg": harness.median_ratio(cpu, ours),
                "images_per_second": statistics.median(speed),
                "peak_mb": max(contestant.column("mb")),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", type=Path, default=os.environ.get("SEMSEG_DATA", SHARED))
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(*args.serve, args.data, args.core)
    rows = []
    for core in (None, 0):
        for scenario in SCENARIOS:
            rows += measure(scenario, args.data, args.rounds, core)
    print(f"\nwritten to {harness.write('data', rows)}")


if __name__ == "__main__":
    main()
