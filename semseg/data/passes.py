"""One pass over a data set: read ahead by a few threads, with a progress bar."""

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

_WORKERS = 2
_AHEAD = 8
_SILENT_SECONDS = 10  # where no bar shows, and what takes longer says once that it goes on

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    total: int,
    what: str,
    workers: int = _WORKERS,
) -> Generator[Result, None, None]:
    """`work(item)` for each item, in order. Few results wait at a time.

    A bar shows on a terminal; elsewhere a long pass says once what it does and how far it is.

    An error of `work` is raised where its result would have come.
    """
    todo = iter(items)
    waiting: deque[Future[Result]] = deque()
    speaks_at = monotonic() + _SILENT_SECONDS
    done = 0
    with (
        ThreadPoolExecutor(workers) as pool,
        tqdm(total=total, desc=what, leave=False, disable=None) as bar,
    ):
        try:
            waiting.extend(
                pool.submit(work, item) for item in islice(todo, max(_AHEAD, 2 * workers))
            )
            while waiting:
                result = waiting.popleft().result()
                bar.update()
                done += 1
                if bar.disable and monotonic() > speaks_at:
                    sys.stderr.write(f"{what}: {done} of {total} in {_SILENT_SECONDS} s\n")
                    speaks_at = float("inf")
                waiting.extend(pool.submit(work, item) for item in islice(todo, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
