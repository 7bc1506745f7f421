"""Why a file is not read: one error that names it, and what more than one reader refuses."""

from pathlib import Path

#: A file that declares more pixels is refused before it is decoded: Pillow's own limit.
MAX_PIXELS = 178_956_970


class UnreadableFileError(ValueError):
    """A file that can't be read as it should; `fault` says in one word what is wrong with it.

    The faults: empty, damaged, truncated, too_large, several_pages, turned_tiff, transparent,
    mask_alpha, mask_depth, channels, needs_tifffile.
    """

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault

    def with_message(self, message: str) -> "UnreadableFileError":
        """The same fault in other words."""
        return type(self)(self.fault, message)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # For loaders that read in other processes: an error that can't be sent hangs them.
        return type(self), (self.fault, str(self))


def check_pixels(path: Path, height: int, width: int, max_pixels: int) -> None:
    """Refuses what would fill the memory when decoded."""
    if height * width > max_pixels:
        raise UnreadableFileError(
            "too_large",
            f"the file declares {width}x{height} pixels, more than max_pixels={max_pixels}: "
            f"{path}; pass a larger max_pixels= if it is a picture, and cut it into tiles",
        )


def check_pages(path: Path, pages: int) -> None:
    """Refuses a file of several pictures: OpenCV would take the first in silence."""
    if pages != 1:
        raise UnreadableFileError(
            "several_pages",
            f"the file holds {pages} pictures (pages or frames), and which one is meant can't be "
            f"known: {path}; save each as a file of its own",
        )


def check_tiff_is_upright(path: Path, orientation: int) -> None:
    """Refuses a TIFF that its orientation tag turns."""
    if orientation != 1:
        raise UnreadableFileError(
            "turned_tiff",
            f"the TIFF is stored turned (orientation {orientation}), and OpenCV spoils such files: "
            f"{path}; save it upright",
        )
