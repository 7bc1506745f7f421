"""What a model's graph says: how far a pixel sees, what it costs, and which stages it has."""

from semseg.analysis.costs import Cost, StageCost, cost
from semseg.analysis.receptive_fields import ReceptiveField, receptive_field
from semseg.analysis.staging import Link, Stage, stages

__all__ = [
    "Cost",
    "Link",
    "ReceptiveField",
    "Stage",
    "StageCost",
    "cost",
    "receptive_field",
    "stages",
]
