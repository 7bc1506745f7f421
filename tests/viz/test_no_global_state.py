"""Pictures need no Matplotlib, figures no pyplot."""

import subprocess
import sys

_DRAW = """
import sys
import numpy as np
from semseg.classes import ClassMap
from semseg.viz import draw_comparison, draw_error, draw_legend, draw_overlay, save
cells = ClassMap(["background", "Zelle_ä"], ignore_class=255)
image, mask = np.zeros((8, 9, 3), "uint8"), np.zeros((8, 9), int)
draw_overlay(image, mask, cells); draw_error(mask, mask, cells, image); draw_legend(cells)
save(sys.argv[1], draw_comparison([image], [mask], [mask], cells))
loaded = {name.split(".")[0] for name in sys.modules if sys.modules[name] is not None}
print(sorted(loaded & {"matplotlib", "keras", "tensorflow", "scipy"}))
"""

_PLOT = """
import sys
from semseg.viz import plot_history, save
save(sys.argv[1], plot_history({"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}))
from matplotlib._pylab_helpers import Gcf
print("matplotlib.pyplot" in sys.modules, len(Gcf.figs))
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
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
