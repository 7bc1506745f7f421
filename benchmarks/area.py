"""Seconds and peak memory of one picture against its area: both must grow linearly.

    python benchmarks/area.py [--models unet segnet_basic ...] [--sizes 256 512 1024 2048]

Inference of one square picture, float32, a process of its own for each size, so that its peak
memory is its own. "times_linear" is how much more a pixel costs than at the smallest size, start
of the process taken off. TensorFlow's oneDNN is left as it is: where AVX-512 is
missing it is off, and with it on, convolutions of the largest pictures do not end in minutes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harness
import numpy as np

ARGUMENTS = {"unet": {"filters": 16}, "fcn8s": {"fc_units": 512}, "segnet": {}, "segnet_basic": {}}


def measure(name: str, size: int) -> None:
    """Prints seconds of a prediction, and peak memory before and after (MB)."""
    import tensorflow as tf

    import semseg

    model = semseg.models.build(name, num_classes=11, **ARGUMENTS[name])
    forward = tf.function(lambda x: model(x, training=False))
    picture = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    x = tf.constant(picture, tf.float32)
    forward(x[:, :32, :32])
    before, seconds = harness.peak_memory(), []
    for _ in range(3):
        start = time.perf_counter()
        forward(x)
        seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds), before, harness.peak_memory())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=ARGUMENTS, default=["unet", "segnet_basic"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 512, 1024, 2048])
    parser.add_argument("--only", nargs=2, metavar=("MODEL", "SIZE"), help="one, in this process")
    args = parser.parse_args()
    if args.only:
        return measure(args.only[0], int(args.only[1]))
    rows = []
    for name in args.models:
        for size in args.sizes:
            done = subprocess.run(
                [sys.executable, __file__, "--only", name, str(size)],
                check=True,
                capture_output=True,
                text=True,
            )
            seconds, before, peak = map(float, done.stdout.split()[-3:])
            row = {"model": name, "size": f"{size}x{size}", "seconds": seconds, "peak_mb": peak}
            row["extra_mb"] = peak - before
            rows.append(row)
            first = next(r for r in rows if r["model"] == name)
            pixels = (size / args.sizes[0]) ** 2
            row["time_times_linear"] = seconds / first["seconds"] / pixels
            row["memory_times_linear"] = row["extra_mb"] / first["extra_mb"] / pixels
    print(f"\nwritten to {harness.write('area', rows)}")


if __name__ == "__main__":
    main()
