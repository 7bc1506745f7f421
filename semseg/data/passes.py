"""One pass over a data set: read ahead by a few threads, with a progress bar."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from tqdm import tqdm

_WORKERS = 2
_AHEAD = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    total: int,
    what: str,
    workers: int = _WORKERS,
) -> Generator[Result, None, None]:
    """`work(item)` for each item, in order; a bar shows on a terminal. Few results wait at a time.

    An error of `work` is raised where its result would have come.
    """
    todo = iter(items)
    waiting: deque[Future[Result]] = deque()
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
                waiting.extend(pool.submit(work, item) for item in islice(todo, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
