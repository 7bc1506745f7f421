"""What a model's graph says: how far a pixel sees, what it costs, and which stages it has."""

from semseg.analysis.receptive_fields import ReceptiveField, receptive_field

__all__ = ["ReceptiveField", "receptive_field"]
