"""Annotated data sets, joint augmentation of image and mask, and `tf.data` pipelines."""

from semseg.data import transforms
from semseg.data.dataset import Dataset
from semseg.data.sources.arrays import from_arrays
from semseg.data.sources.camvid import camvid
from semseg.data.sources.digits import digits
from semseg.data.sources.folders import from_folders
from semseg.data.sources.pairs import from_pairs
from semseg.data.statistics import channel_statistics, class_frequencies, class_weights

__all__ = [
    "Dataset",
    "camvid",
    "channel_statistics",
    "class_frequencies",
    "class_weights",
    "digits",
    "from_arrays",
    "from_folders",
    "from_pairs",
    "transforms",
]
