"""What a process of its own shows of `Dataset.pipeline`: two devices, memory, and an end.

    python tests/pipelines_in_a_process.py

prints JSON, and ends although it leaves an endless stream open.
"""

import gc
import json
import os
import time

import numpy as np
import tensorflow as tf
from streams_in_fit import AUGMENT, cells, hashed

from semseg.data import Dataset


def distributed():
    """Two epochs on two devices, each global batch as a hash; the data set itself is let go."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    ds = strategy.experimental_distribute_dataset(cells(8).pipeline(4, augment=AUGMENT))
    gc.collect()
    whole = []
    for _ in range(2):
        for batch in ds:
            parts = zip(*map(strategy.experimental_local_results, batch), strict=True)
            images, masks = zip(*parts, strict=True)
            assert [len(part) for part in images] == [2, 2]
            whole.append(hashed([np.concatenate(images), np.concatenate(masks)]))
    return whole


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory():
    """Megabytes of the cache of 288 MB, while a stream has it and after: of two kinds."""

    def read(index):  # the C library keeps what smaller arrays leave
        return np.full((3000, 4000, 3), index, "uint8"), np.ones((3000, 4000), "uint8")

    ds = Dataset(read, [str(i) for i in range(6)], cells().class_map, "big")
    found = {}
    for make in ("pipeline", "batches"):
        before = resident()
        stream = getattr(ds, make)(2, size=(8, 8), cache="ram")
        next(iter(stream))
        filled = resident() - before
        del stream
        for _ in range(200):  # threads make their last batch
            gc.collect()
            if resident() - before < filled - 180:
                break
            time.sleep(0.05)
        found[make] = (filled, resident() - before)
    return found


if __name__ == "__main__":
    result = {"distributed": distributed()}
    if os.path.exists("/proc/self/statm"):
        result["memory"] = memory()
    print(json.dumps(result), flush=True)  # noqa: T201
    left_open = iter(cells(64).pipeline(8, repeat=True))
    next(left_open)
