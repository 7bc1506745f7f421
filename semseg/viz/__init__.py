"""Pictures: `draw_*` gives a uint8 RGB array, `plot_*` a Matplotlib Figure, `save` writes both.

`Table` shows rows of numbers. Nothing here shows a window or keeps a figure;
Matplotlib is imported by `plot_*` alone.
"""

from semseg.viz._marks import CORRECT_COLOR, ERROR_COLORS, WRONG_COLOR
from semseg.viz.animation import save_animation
from semseg.viz.architecture import plot_architecture, plot_architectures
from semseg.viz.augmentations import draw_augmentations
from semseg.viz.boundary_errors import plot_boundary_error
from semseg.viz.class_activations import plot_class_activation
from semseg.viz.class_frequencies import plot_class_frequencies
from semseg.viz.class_scores import plot_class_scores
from semseg.viz.comparison import draw_comparison
from semseg.viz.confusion import plot_confusion
from semseg.viz.error_picture import draw_error
from semseg.viz.feature_maps import plot_feature_maps
from semseg.viz.grid import draw_grid
from semseg.viz.heat import draw_uncertainty, draw_weights
from semseg.viz.history import plot_history
from semseg.viz.learning_rate import plot_learning_rate
from semseg.viz.legend import draw_legend
from semseg.viz.outline import draw_outline
from semseg.viz.overlay import draw_overlay
from semseg.viz.pooling_indices import plot_pooling_indices
from semseg.viz.receptive_field import plot_receptive_field
from semseg.viz.rejection import plot_reject_curve
from semseg.viz.reliability import plot_reliability
from semseg.viz.runs import plot_runs
from semseg.viz.skip_ablation import plot_skip_ablation
from semseg.viz.table import Table
from semseg.viz.writing import save

__all__ = [
    "CORRECT_COLOR",
    "ERROR_COLORS",
    "WRONG_COLOR",
    "Table",
    "draw_augmentations",
    "draw_comparison",
    "draw_error",
    "draw_grid",
    "draw_legend",
    "draw_outline",
    "draw_overlay",
    "draw_uncertainty",
    "draw_weights",
    "plot_architecture",
    "plot_architectures",
    "plot_class_activation",
    "plot_feature_maps",
    "plot_pooling_indices",
    "plot_receptive_field",
    "plot_skip_ablation",
    "plot_boundary_error",
    "plot_class_frequencies",
    "plot_class_scores",
    "plot_confusion",
    "plot_history",
    "plot_learning_rate",
    "plot_reject_curve",
    "plot_reliability",
    "plot_runs",
    "save",
    "save_animation",
]
