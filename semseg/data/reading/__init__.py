"""Image and mask files, read without losing anything in silence."""

from semseg.data.reading.files import IMAGE_SUFFIXES
from semseg.data.reading.images import read_image
from semseg.data.reading.masks import read_mask
from semseg.data.reading.refusals import MAX_PIXELS, UnreadableFileError

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "UnreadableFileError", "read_image", "read_mask"]
