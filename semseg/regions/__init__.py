"""Masks as shapes: boundaries and bands, distances, objects and the gaps between, polygons."""

from semseg.regions.borders import border_weights, touching_borders
from semseg.regions.boundaries import boundary_band, class_boundary, contour_band
from semseg.regions.cleaning import fill_holes, remove_small
from semseg.regions.distances import near, signed_distance
from semseg.regions.interchange import coco_segmentation, geojson_geometry
from semseg.regions.object_tables import ObjectTable, object_table
from semseg.regions.objects import components, split_touching, thin_borders
from semseg.regions.outlines import Polygon, fill_polygons, polygons

__all__ = [
    "ObjectTable",
    "Polygon",
    "border_weights",
    "boundary_band",
    "class_boundary",
    "coco_segmentation",
    "components",
    "contour_band",
    "fill_holes",
    "fill_polygons",
    "geojson_geometry",
    "near",
    "object_table",
    "polygons",
    "remove_small",
    "signed_distance",
    "split_touching",
    "thin_borders",
    "touching_borders",
]
