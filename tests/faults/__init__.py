"""The faults that `mutate.py` puts into copies of the code, part by part."""

from faults import (
    in_analysis,
    in_data,
    in_inference,
    in_losses,
    in_metrics,
    in_models,
    in_networks,
    in_preflight,
    in_regions,
    in_rest,
    in_training,
    in_transforms,
    in_viz,
)
from faults.fault import Fault

__all__ = ["FAULTS", "Fault"]

PARTS = (
    in_analysis,
    in_data,
    in_inference,
    in_losses,
    in_metrics,
    in_models,
    in_networks,
    in_preflight,
    in_regions,
    in_rest,
    in_training,
    in_transforms,
    in_viz,
)
FAULTS = [fault for part in PARTS for fault in part.FAULTS]
