"""The mask doctor: everything that is wrong with a data set, with what to do about it."""

from semseg.data.doctor.checkup import check, check_folders
from semseg.data.doctor.report import Problem, Report

__all__ = ["Problem", "Report", "check", "check_folders"]
