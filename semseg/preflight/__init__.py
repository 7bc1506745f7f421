"""Preflight: everything that would go wrong in training, told before it begins."""

from semseg.preflight.checkup import check
from semseg.preflight.report import Finding, Report

__all__ = ["Finding", "Report", "check"]
