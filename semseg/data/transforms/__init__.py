"""Joint, exact, stateless transforms of image and mask: functions of (image, mask, rng)."""

from semseg.data.transforms.compose import Compose
from semseg.data.transforms.geometric import Flip, RandomCrop, RandomScale, Resize
from semseg.data.transforms.photometric import Brightness, Contrast

__all__ = ["Brightness", "Compose", "Contrast", "Flip", "RandomCrop", "RandomScale", "Resize"]
