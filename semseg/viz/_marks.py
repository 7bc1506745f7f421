"""The marks that are no class: the hatch of ignored pixels, the colours of an error picture."""

import numpy as np

from semseg._palette import Color

# No default class colour is near, and on dark grey it differs in lightness too, for colour-blind
# readers as well.
WRONG_COLOR: Color = (235, 55, 255)
CORRECT_COLOR: Color = (64, 64, 64)

# Three kinds of wrong: apart from each other and from dimmed pictures for all kinds of eyes.
ERROR_COLORS: dict[str, Color] = {
    "missed": (40, 110, 255),
    "false": (255, 225, 40),
    "confused": (255, 150, 255),
}

# Greys, which the default colours leave free, in diagonal stripes, which no class has.
HATCH_COLORS: tuple[Color, Color] = ((92, 92, 92), (150, 150, 150))
_PERIOD = 8


def hatch(height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8 diagonal stripes: what ignored pixels look like in all pictures."""
    diagonals = (np.arange(_PERIOD)[:, None] + np.arange(width)) % _PERIOD
    band = np.array(HATCH_COLORS, np.uint8)[diagonals * 2 // _PERIOD]
    return np.tile(band, (-(-height // _PERIOD), 1, 1))[:height]
