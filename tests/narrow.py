"""FCN, SegNet and SegNet-Basic with few filters, for laws in which the width does not occur.

The papers fix their widths, and a convolution costs their product. Here the layers, their names
and their order stay, and so does every size; what depends on the width (numbers of the papers,
parity with PyTorch, an untrained model's loss, trained weights) is tested with the widths of the
papers.
"""

import functools
from contextlib import contextmanager

import pytest

from semseg.models import SegNetBasic, segnet, vgg

BLOCKS = vgg.VGG16_BLOCKS


@contextmanager
def narrow(filters):
    """VGG16's blocks with at most `filters` filters."""
    blocks = tuple((repeats, min(filters, wide)) for repeats, wide in BLOCKS)
    with pytest.MonkeyPatch.context() as patch:
        for module in (vgg, segnet):
            patch.setattr(module, "VGG16_BLOCKS", blocks)
        yield


def narrowed(builder, filters=8):
    """A builder whose models are narrow."""

    @functools.wraps(builder)
    def build(**arguments):
        if builder is SegNetBasic:
            return builder(filters=filters, **arguments)
        with narrow(filters):
            return builder(**arguments)

    return build
