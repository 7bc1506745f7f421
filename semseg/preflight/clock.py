"""The time that a preflight has, and what is left of it."""

import time


class Clock:
    """Runs from when it is made.

    Args:
        seconds: until the deadline.
    """

    def __init__(self, seconds: float) -> None:
        self._start = time.perf_counter()
        self._seconds = seconds

    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds to the deadline, less than 0 after it."""
        return self._seconds - self.spent()
