"""The losses as pure functions: a mask, logits and keywords in, values to be meaned out.

Those of pixels give (B, H, W), those of regions (1,) a batch or (B,) a picture. Tensors of any
Keras backend and NumPy arrays are taken; computed is in float32, in float64 where `y_pred` is.
"""

from semseg.losses.functional.boundary_distance import boundary
from semseg.losses.functional.centerline import centerline_dice
from semseg.losses.functional.lovasz_extension import lovasz
from semseg.losses.functional.pixel_losses import crossentropy, focal, hard_pixels
from semseg.losses.functional.region_losses import dice, generalized_dice, jaccard, mcc, tversky

__all__ = [
    "boundary",
    "centerline_dice",
    "crossentropy",
    "dice",
    "focal",
    "generalized_dice",
    "hard_pixels",
    "jaccard",
    "lovasz",
    "mcc",
    "tversky",
]
