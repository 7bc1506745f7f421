"""Files that are there whole or not at all, in folders that can be written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def writable_folder(out: str | os.PathLike[str], argument: str = "out") -> Path:
    """Makes the folder and proves that a file can be written into it."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{argument} must be a folder that can be written, received {str(out)!r} ({error})"
        ) from error
    return folder


@contextmanager
def whole_file(path: Path, writer: str = "") -> Iterator[Path]:
    """Gives the path of a half to write; it gets the file's name when the block has ended well.

    The half of a writer has one name, so that what a killed process left is written over.
    """
    half = path.with_name(f"{path.name}{writer}.half")
    try:
        yield half
        os.replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str, writer: str = "") -> None:
    """Writes a file whole or not at all.

    Args:
        path, text: file and content.
        writer: tells processes apart that may write this file at the same time.
    """
    with whole_file(path, writer) as half:
        half.write_text(text)
