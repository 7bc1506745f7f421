"""Pictures need no Matplotlib, figures no pyplot."""

import subprocess
import sys

_DRAW = """
import sys
import numpy as np
from semseg.classes import ClassMap
from semseg.viz import (draw_comparison, draw_error, draw_grid, draw_legend, draw_outline,
    draw_overlay, draw_uncertainty, draw_weights, save, save_animation)
cells = ClassMap(["background", "Zelle_ä"], ignore_class=255)
image, mask = np.zeros((8, 9, 3), "uint8"), np.zeros((8, 9), int)
draw_overlay(image, mask, cells); draw_error(mask, mask, cells, image); draw_legend(cells)
draw_outline(image, mask, cells); draw_weights(mask * 1.0, image)
draw_uncertainty(mask * 1.0, image, mask, cells)
class Samples(list):
    ids, class_map = ["a"], cells
draw_grid(Samples([(image, mask)]))
save_animation(sys.argv[1] + ".gif", [image + 1, image])
save(sys.argv[1], draw_comparison([image], [mask], [mask], cells))
loaded = {name.split(".")[0] for name in sys.modules if sys.modules[name] is not None}
print(sorted(loaded & {"matplotlib", "keras", "tensorflow", "scipy"}))
"""

_PLOT = """
import sys
import matplotlib
from semseg.viz import (plot_class_frequencies, plot_class_scores, plot_confusion, plot_history,
    plot_learning_rate, plot_reliability, save)
before = dict(matplotlib.rcParams)
save(sys.argv[1], plot_history({"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}))
class Found:
    error, confidence, accuracy, pixels = 0.1, [0.5], [0.4], [3]
for figure in (plot_class_frequencies([3, 1]), plot_class_scores({"a": 0.5}, dark=True),
        plot_confusion([[1, 0], [0, 1]]), plot_learning_rate([1, 2], [1, 2]),
        plot_reliability(Found)):
    figure.draw_without_rendering()
assert dict(matplotlib.rcParams) == before
from matplotlib._pylab_helpers import Gcf
print("matplotlib.pyplot" in sys.modules, len(Gcf.figs))
"""


def run(code, *arguments):
    # What Matplotlib 3.8's mathematical letters make a later pyparsing say.
    ignored = "ignore:Forward defined here but no expression attached later:UserWarning"
    command = [sys.executable, "-W", "error", "-W", ignored, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_drawing_imports_neither_matplotlib_nor_keras(tmp_path):
    assert run(_DRAW, tmp_path / "panel.png") == "[]"


def test_drawing_works_where_matplotlib_is_not_installed(tmp_path):
    blocked = 'import sys; sys.modules["matplotlib"] = None\n'
    assert run(blocked + _DRAW, tmp_path / "panel.png") == "[]"


def test_plotting_leaves_no_figure_in_pyplot(tmp_path):
    assert run(_PLOT, tmp_path / "curves.png") == "False 0"
