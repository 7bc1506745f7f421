"""Runs the notebook's script cell by cell and writes the notebook with its outputs.

    python docs/notebook.py                                   # examples/semantic_segmentation.ipynb
    python docs/notebook.py --stored                          # cells that draw benchmarks/results
    SEMSEG_FAST=1 python docs/notebook.py --out /tmp/x.ipynb  # a few steps, to try it

The script (jupytext's percent format) is what is edited and reviewed; the notebook is made.
"""

import argparse
import base64
import io
import re
import time
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
from gallery import with_palette
from nbclient import NotebookClient
from PIL import Image, ImageChops

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "semantic_segmentation.py"
NOTEBOOK = SCRIPT.with_suffix(".ipynb")
_START_UP = re.compile(  # TensorFlow's, which no setting silences
    r"^(WARNING: All log messages before absl|[IWE]0000 |To enable the following).*\n?",
    re.MULTILINE,
)
# Cells that need nothing but the first one and files of benchmarks/results.
_STORED = re.compile(
    r"^def stored\(|^answer\(|\blosses\(|\bmeasured\(\"|\bstored\(\"", re.MULTILINE
)
_CHANGED = 0.003  # of the pixels
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def paired(script: Path = SCRIPT) -> nbformat.NotebookNode:
    """The script's cells, without outputs."""
    return jupytext.read(script)


def executed(script: Path = SCRIPT) -> nbformat.NotebookNode:
    """The script's cells with what they print and show; the first error is raised."""
    notebook = paired(script)
    _run(notebook, script.parent)
    return tidied(notebook)


def redrawn(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the present contents of benchmarks/results, nothing trained again."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    _run(
        nbformat.v4.new_notebook(
            cells=[c for c in code if c is code[0] or _STORED.search(c.source)]
        ),
        folder,
    )
    for cell, count in zip(code, counts, strict=True):
        cell.execution_count = count
    return tidied(notebook)


def _run(notebook: nbformat.NotebookNode, folder: Path) -> None:
    NotebookClient(
        notebook,
        timeout=1800,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        on_cell_executed=_report(time.perf_counter()),
    ).execute()


def tidied(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What a reader sees at the end: no half-drawn progress bars, no traces of the machine."""
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", {}
        if cell.cell_type == "code":
            cell.outputs = [o for o in map(_tidied_output, _joined(cell.outputs)) if o]
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = cell.execution_count
    return notebook


def structure(notebook: Any) -> list[tuple[str, str, list[str]]]:
    """(kind, source, kinds of outputs) of every cell: what two runs have in common."""
    return [
        (cell["cell_type"], cell["source"], [kind_of(o) for o in cell.get("outputs", [])])
        for cell in notebook["cells"]
    ]


def kind_of(output: Any) -> str:
    """ "picture", "table", "text", or what is no good: "error", "stderr"."""
    if output["output_type"] == "error":
        return "error"
    if output["output_type"] == "stream":
        return "text" if output["name"] == "stdout" else "stderr"
    data = output["data"]
    return "picture" if "image/png" in data else "table" if "text/markdown" in data else "text"


def _report(begun: float) -> Any:
    def show(cell: Any, cell_index: int, **_: Any) -> None:
        first = cell["source"].split("\n")[0][:60]
        print(f"{time.perf_counter() - begun:6.0f} s  cell {cell_index}: {first}", flush=True)

    return show


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """One output for what was printed piece by piece."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        same = [o for o in joined if output.output_type == o.output_type == "stream"]
        same = [o for o in same if o.name == output.name]
        if same:
            same[0].text += output.text
        else:
            joined.append(output)
    return joined


def _tidied_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    if output.output_type == "stream":
        output.text = as_shown(_START_UP.sub("", output.text))
        return output if output.text.strip() else None
    data = output.get("data", {})
    if "image/png" in data:
        output.data = {"image/png": _smaller(data["image/png"]), "text/plain": "<picture>"}
        output.metadata = {}
    return output


def as_shown(text: str) -> str:
    """What a terminal shows in the end: progress bars go back to the start of their line."""
    lines = []
    for line in _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in re.split("\r|\b+", line):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return "\n".join(lines)


def _smaller(png: str) -> str:
    """Without transparency, and with a palette where hardly a colour changes by that."""
    image = Image.open(io.BytesIO(base64.b64decode(png)))
    if image.mode == "P":  # has been made smaller already
        return png
    image = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(paper, image).convert("RGB")
    few = with_palette(image)
    changed = np.asarray(ImageChops.difference(image, few.convert("RGB"))).max(axis=-1) > 48
    file = io.BytesIO()
    (image if changed.mean() > _CHANGED else few).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=NOTEBOOK)
    parser.add_argument("--stored", action="store_true", help="only what draws benchmarks/results")
    args = parser.parse_args()
    if args.stored:
        made = redrawn(nbformat.read(NOTEBOOK, as_version=4), NOTEBOOK.parent)
    else:
        made = executed()
    nbformat.write(made, args.out)
    print(f"{args.out}  {args.out.stat().st_size / 2**20:.1f} MiB")
