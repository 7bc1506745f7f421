"""What all benchmarks share: interleaved timing, peak memory, the table and the JSON file."""

import json
import multiprocessing
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
THREADS = 2


def interleaved(
    contestants: dict[str, Callable[[], Any]], rounds: int, warm_ups: int = 2
) -> dict[str, list[float]]:
    """Seconds of each call, one call a contestant a round, so that a slow moment hits all alike."""
    for run in contestants.values():
        for _ in range(warm_ups):
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median_ratio(slower: list[float], faster: list[float]) -> float:
    """The median over rounds of how many times longer one took than the other."""
    return statistics.median(a / b for a, b in zip(slower, faster, strict=True))


def peak_memory_mb(script: str, arguments: list[str]) -> float:
    """Peak resident memory of `python script --only ARGUMENTS`, in a process of its own."""
    code = subprocess.run(
        [sys.executable, script, "--only", *arguments], check=True, capture_output=True, text=True
    )
    return float(code.stdout.strip().splitlines()[-1])


def in_own_process(run: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of a script's top level returns; its memory, and so its peak, are its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run, *arguments).result()


def peak_memory() -> float:
    """Peak resident memory of this process, MB.

    Not `resource.getrusage`: its peak is inherited from the process that started this one.
    """
    (line,) = (n for n in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in n)
    return int(line.split()[1]) / 1024


def added_memory(run: Callable[[], Any]) -> tuple[float, float]:
    """Peak resident memory while something runs, MB, and how much of it was not there before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = peak_memory()
    run()
    peak = peak_memory()
    return peak, peak - before


def print_peak_memory() -> None:
    """The last line of a process that `peak_memory_mb` started."""
    print(peak_memory())


def show(rows: list[dict[str, Any]]) -> None:
    """Prints the rows as a table."""
    columns = list(rows[0])
    texts = [[_text(row[c]) for c in columns] for row in rows]
    widths = [max(len(c), *(len(t[i]) for t in texts)) for i, c in enumerate(columns)]
    for line in (columns, *texts):
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())


def stored_rows(path: Path) -> list[dict[str, Any]]:
    """What `add_row` has written so far."""
    return json.loads(path.read_text())["rows"] if path.is_file() else []


def add_row(path: Path, rows: list[dict[str, Any]], row: dict[str, Any]) -> None:
    """Adds a row to those of a long run and writes all: an interruption loses none."""
    rows.append(row)
    path.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


def has_row(rows: list[dict[str, Any]], key: dict[str, Any]) -> bool:
    """Whether a row with these values is there already."""
    return any(key.items() <= row.items() for row in rows)


def write(name: str, rows: list[dict[str, Any]]) -> Path:
    """Prints the rows as a table and writes them with command, commit and versions."""
    show(rows)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**circumstances(), "rows": rows}, indent=1) + "\n")
    return path


def circumstances() -> dict[str, Any]:
    """What a number means nothing without."""
    packages = ("tensorflow", "keras", "torch", "numpy", "opencv-python-headless")
    return {
        "command": " ".join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        "commit": _commit(),
        "machine": f"{platform.machine()} with {widest_vectors()}, {THREADS} threads",
        "python": platform.python_version(),
        "versions": {p: _version(p) for p in packages if _version(p)},
    }


def _commit() -> str:
    """Of the checkout, "-dirty" where code was changed since; results that were added are none."""
    changed = _git("diff", "--name-only", "HEAD", "--", ":/", ":(exclude)results")
    return _git("describe", "--always", "--exclude=*") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=RESULTS.parent)
    return done.stdout.strip()


def widest_vectors() -> str:
    """What decides the speed of convolutions on a CPU."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set()
    known = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    return next((flag for flag in known if flag in flags), "unknown vectors")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
