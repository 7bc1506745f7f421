"""Masks as shapes: instances, borders between them, distances."""

from semseg.regions.borders import border_weights, touching_borders

__all__ = ["border_weights", "touching_borders"]
