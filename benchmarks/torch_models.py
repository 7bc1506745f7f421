"""The benchmark's networks in PyTorch, as a user of PyTorch would write them."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


def block(channels, kernel=3, relu=True):
    layers = []
    for before, after in pairwise(channels):
        layers += [
            nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(after),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """The modern U-Net: batch normalisation, "same" padding."""

    def __init__(self, classes, filters=64, depth=4):
        super().__init__()
        widths = [filters * 2**i for i in range(depth + 1)]
        self.down = nn.ModuleList(
            block([before, after, after]) for before, after in pairwise([3, *widths])
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1])
        )
        self.join = nn.ModuleList(block([2 * w, w, w]) for w in reversed(widths[:-1]))
        self.classifier = nn.Conv2d(filters, classes, 1)

    def forward(self, x):
        x = x / 127.5 - 1
        skips = []
        for stage in self.down[:-1]:
            x = stage(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2, ceil_mode=True)
        x = self.down[-1](x)
        for up, join in zip(self.up, self.join, strict=True):
            skip = skips.pop()
            x = up(x)[..., : skip.shape[2], : skip.shape[3]]
            x = join(torch.cat([x, skip], 1))
        return self.classifier(x)


class SegNet(nn.Module):
    """SegNet and SegNet-Basic by their stages' widths."""

    def __init__(self, classes, encoder, decoder, kernel=3, relu=True, last=3, basic=False):
        super().__init__()
        self.encoder = nn.ModuleList(block(widths, kernel) for widths in encoder)
        self.decoder = nn.ModuleList(block(widths, kernel, relu) for widths in decoder)
        self.classifier = nn.Conv2d(64, classes, last, padding=last // 2)
        self.basic = basic

    def forward(self, x):
        if self.basic:
            x = functional.local_response_norm(x, 5)
        else:
            x = x / 127.5 - 1
        remembered = []
        for stage in self.encoder:
            x = stage(x)
            size = x.shape
            x, indices = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            remembered.append((indices, size))
        for stage in self.decoder:
            indices, size = remembered.pop()
            x = stage(functional.max_unpool2d(x, indices, 2, output_size=size))
        return self.classifier(x)


def build(name, classes):
    if name == "unet":
        return UNet(classes)
    if name == "segnet":
        encoder = [[3, 64, 64], [64, 128, 128], [128] + [256] * 3, [256] + [512] * 3, [512] * 4]
        decoder = [[512] * 4, [512] * 3 + [256], [256] * 3 + [128], [128, 128, 64], [64, 64]]
        return SegNet(classes, encoder, decoder)
    encoder = [[3, 64], [64, 64], [64, 64], [64, 64]]
    return SegNet(classes, encoder, [[64, 64]] * 4, kernel=7, relu=False, last=1, basic=True)
