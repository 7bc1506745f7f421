"""Annotated data sets, joint augmentation of image and mask, and `tf.data` pipelines."""

from semseg.data import transforms
from semseg.data.dataset import Dataset
from semseg.data.sources.camvid import camvid
from semseg.data.sources.digits import digits
from semseg.data.sources.folders import from_folders

__all__ = ["Dataset", "camvid", "digits", "from_folders", "transforms"]
