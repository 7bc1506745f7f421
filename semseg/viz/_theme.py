"""Paper and ink: the two looks that every picture with text has, light and dark."""

from typing import NamedTuple

from semseg._palette import Color


class Theme(NamedTuple):
    """The colours of everything that is no data."""

    paper: Color
    ink: Color
    quiet: Color  # edges, grids, reference lines: seen on the paper, weaker than the ink


LIGHT = Theme(paper=(255, 255, 255), ink=(31, 35, 40), quiet=(140, 140, 140))
DARK = Theme(paper=(20, 23, 28), ink=(230, 233, 238), quiet=(128, 132, 140))


def theme(dark: bool) -> Theme:
    """The look of a picture: dark ink on white paper, or the other way round."""
    return DARK if dark else LIGHT
