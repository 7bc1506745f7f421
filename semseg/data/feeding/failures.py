"""The exceptions that TensorFlow swallowed: it hands on their text, not their type."""

import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_ALL: "weakref.WeakSet[Failures]" = weakref.WeakSet()


class Failures:
    """The last exceptions that the Python code of one stream raised; they go with the stream."""

    def __init__(self) -> None:
        # Several batches are made at a time, and more than one may fail.
        self.last: deque[Exception] = deque(maxlen=8)
        _ALL.add(self)

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Failures, ()  # another process has its own


@contextmanager
def original_errors() -> Iterator[None]:
    """Raises the exception of a sample as itself, in place of TensorFlow's about it.

    For `Dataset.pipeline`, and `Dataset.batches` in a `fit` that runs on TensorFlow.

    Example:
        >>> def read(i):
        ...     if i == 1:
        ...         raise FileNotFoundError("no such file: masks/7.png")
        ...     return np.zeros((4, 4, 3), "uint8"), np.zeros((4, 4), "uint8")
        >>> classes = semseg.ClassMap(["background", "cell"])
        >>> ds = semseg.data.Dataset(read, ["6", "7"], classes, "cells")
        >>> batches = ds.pipeline(batch_size=1, shuffle=False)
        >>> with semseg.data.original_errors():
        ...     list(batches)
        Traceback (most recent call last):
            ...
        FileNotFoundError: sample '7' of 'cells': no such file: masks/7.png
    """
    try:
        yield
    except Exception as error:
        found = _behind(error)
        if found is None:
            raise
        raise found  # noqa: B904 - its cause is the user's own exception


def _behind(error: Exception) -> Exception | None:
    """The exception whose text is in that of TensorFlow's."""
    text = str(error)
    for raised in [raised for failures in list(_ALL) for raised in failures.last]:
        if raised is not error and f"{type(raised).__name__}: {raised}" in text:
            return raised
    return None
