"""What a model's graph says: how far a pixel sees, what it costs, and which stages it has."""

from semseg.analysis.ablation import skip_ablation, skips, without_skip
from semseg.analysis.class_activations import ClassActivation, class_activation
from semseg.analysis.costs import Cost, StageCost, cost
from semseg.analysis.effective_fields import MeasuredField, measured_receptive_field
from semseg.analysis.features import feature_maps
from semseg.analysis.latencies import latency
from semseg.analysis.maxima import PooledMaxima, pooled_maxima
from semseg.analysis.receptive_fields import ReceptiveField, receptive_field
from semseg.analysis.staging import Link, Stage, stages

__all__ = [
    "ClassActivation",
    "Cost",
    "Link",
    "MeasuredField",
    "PooledMaxima",
    "ReceptiveField",
    "Stage",
    "StageCost",
    "class_activation",
    "cost",
    "feature_maps",
    "latency",
    "measured_receptive_field",
    "pooled_maxima",
    "receptive_field",
    "skip_ablation",
    "skips",
    "stages",
    "without_skip",
]
