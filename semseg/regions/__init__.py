"""Masks as shapes: boundaries and bands along them, distances, objects and the gaps between."""

from semseg.regions.borders import border_weights, touching_borders
from semseg.regions.boundaries import boundary_band, class_boundary, contour_band
from semseg.regions.distances import near, signed_distance
from semseg.regions.objects import components, split_touching, thin_borders

__all__ = [
    "border_weights",
    "boundary_band",
    "class_boundary",
    "components",
    "contour_band",
    "near",
    "signed_distance",
    "split_touching",
    "thin_borders",
    "touching_borders",
]
