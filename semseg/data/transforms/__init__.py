"""Joint, exact, stateless transforms of image and mask: functions of (image, mask, rng).

`ClassMix`, `CopyPaste`, `CutMix`, `MixUp` and `Mosaic` are of batches: (images, masks, rng).
"""

from semseg.data.transforms.affine import Affine, Perspective
from semseg.data.transforms.colors import Hue, Saturation
from semseg.data.transforms.compose import Compose, OneOf
from semseg.data.transforms.cropping import Pad, RandomCrop
from semseg.data.transforms.cutout import Cutout
from semseg.data.transforms.deforming import Elastic, GridDistortion
from semseg.data.transforms.mixing import ClassMix, CopyPaste, CutMix, Mosaic
from semseg.data.transforms.mixup import MixUp
from semseg.data.transforms.presets import aerial, light, medical, street
from semseg.data.transforms.quality import CLAHE, JPEG, Blur, MotionBlur, Noise
from semseg.data.transforms.rand_augment import RandAugment
from semseg.data.transforms.resizing import RandomScale, Resize
from semseg.data.transforms.stored import from_dict
from semseg.data.transforms.sync import assert_in_sync
from semseg.data.transforms.turning import Flip, Rotate90
from semseg.data.transforms.values import Brightness, Contrast, Gamma

__all__ = [
    "JPEG",
    "Affine",
    "Blur",
    "Brightness",
    "Compose",
    "Contrast",
    "Cutout",
    "Elastic",
    "Flip",
    "Gamma",
    "GridDistortion",
    "Hue",
    "Noise",
    "OneOf",
    "Pad",
    "Perspective",
    "RandomCrop",
    "RandomScale",
    "Resize",
    "Rotate90",
    "Saturation",
    "aerial",
    "assert_in_sync",
    "from_dict",
    "light",
    "medical",
    "street",
    "CLAHE",
    "ClassMix",
    "CopyPaste",
    "CutMix",
    "MixUp",
    "Mosaic",
    "MotionBlur",
    "RandAugment",
]
