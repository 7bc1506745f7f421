"""Losses on logits and integer masks that never see an ignored pixel."""

from semseg.losses.crossentropy import Crossentropy

__all__ = ["Crossentropy"]
