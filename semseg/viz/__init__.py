"""Pictures: `draw_*` gives a uint8 RGB array, `plot_*` a Matplotlib Figure, `save` writes both.

Nothing here shows a window or keeps a figure; Matplotlib is imported by `plot_*` alone.
"""

from semseg.viz._marks import CORRECT_COLOR, WRONG_COLOR
from semseg.viz.comparison import draw_comparison
from semseg.viz.error_picture import draw_error
from semseg.viz.history import plot_history
from semseg.viz.learning_rate import plot_learning_rate
from semseg.viz.legend import draw_legend
from semseg.viz.overlay import draw_overlay
from semseg.viz.writing import save

__all__ = [
    "CORRECT_COLOR",
    "WRONG_COLOR",
    "draw_comparison",
    "draw_error",
    "draw_legend",
    "draw_overlay",
    "plot_history",
    "plot_learning_rate",
    "save",
]
