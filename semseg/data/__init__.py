"""Annotated data sets, joint augmentation of image and mask, and `tf.data` pipelines."""

from semseg.data import transforms
from semseg.data.dataset import Dataset
from semseg.data.feeding.failures import original_errors
from semseg.data.reading import read_image
from semseg.data.records import read_records, write_records
from semseg.data.sources.ade20k import ade20k
from semseg.data.sources.arrays import from_arrays
from semseg.data.sources.camvid import camvid
from semseg.data.sources.camvid_full import camvid_full
from semseg.data.sources.cityscapes import cityscapes
from semseg.data.sources.digits import digits
from semseg.data.sources.folders import from_folders
from semseg.data.sources.isbi_em import isbi_em
from semseg.data.sources.nuclei import nuclei
from semseg.data.sources.oxford_pets import oxford_pets
from semseg.data.sources.pairs import from_pairs
from semseg.data.sources.shapes import shapes
from semseg.data.sources.voc import voc
from semseg.data.statistics import channel_statistics, class_frequencies, class_weights

__all__ = [
    "Dataset",
    "ade20k",
    "camvid",
    "camvid_full",
    "channel_statistics",
    "cityscapes",
    "class_frequencies",
    "class_weights",
    "digits",
    "from_arrays",
    "from_folders",
    "from_pairs",
    "isbi_em",
    "nuclei",
    "original_errors",
    "oxford_pets",
    "read_image",
    "read_records",
    "shapes",
    "transforms",
    "voc",
    "write_records",
]
