"""A hundred thousand samples stream and shuffle in less memory than they have."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.data import Dataset, write_records

COUNT, SIDE = 100_000, 64

#: Reads every sample once, in random order, and prints what that took.
READS = """
import json, resource, sys
import numpy as np
import semseg.data

ds = semseg.data.read_records(sys.argv[1])
seen = np.zeros(len(ds), bool)
for images, masks in ds.pipeline(64, seed=1):
    numbers = images[:, 0, 0, 0].numpy() + 256 * images[:, 0, 1, 0].numpy().astype(int)
    seen[numbers + 65536 * images[:, 0, 2, 0].numpy().astype(int)] = True
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seen": int(seen.sum()), "megabytes": peak / 1024}))
"""


def numbered(index):
    """A picture that carries its number, 12 kB, and a mask of 4 kB."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[0, :3, 0] = index % 256, index // 256 % 256, index // 65536
    return image, np.full((SIDE, SIDE), index % 2, np.uint8)


@pytest.mark.slow
def test_a_hundred_thousand_samples_take_less_than_a_gigabyte(tmp_path):
    cells = ClassMap(["background", "cell"])
    ds = Dataset(numbered, [f"{i:06}" for i in range(COUNT)], cells, "many")
    write_records(ds, tmp_path / "records", shards=8, images="raw")
    on_disk = sum(path.stat().st_size for path in Path(tmp_path / "records").iterdir())
    assert on_disk > 1.6e9
    done = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path / "records")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert found["seen"] == COUNT
    assert found["megabytes"] < 1000, found
