"""Sharded TFRecord files with an index: written once, read by sample."""

from semseg.data.records.reading import Records, read_records
from semseg.data.records.writing import write_records

__all__ = ["Records", "read_records", "write_records"]
