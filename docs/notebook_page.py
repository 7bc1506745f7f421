"""The notebook as a page of the site: Markdown, with its pictures as files."""

import base64
import json
import re
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "semantic_segmentation.ipynb"
_LEAD = """
This page is [`semantic_segmentation.ipynb`](../examples/semantic_segmentation.ipynb) as it was run
on two CPU cores; download it to change and run it yourself. Below a cell stands what it printed.
"""


def read() -> Any:
    """The committed notebook, a dict of cells."""
    return json.loads(NOTEBOOK.read_text("utf-8"))


def as_markdown(notebook: Any) -> str:
    """The page's text; pictures are named as `write_pictures` writes them."""
    parts, heading = [], ""
    for number, cell in enumerate(notebook["cells"]):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            heading = found[-1] if found else heading
            parts.append(re.sub(r"\]\(#((?:[^()]|\([^()]*\))*)\)", _to_anchor, text))
            if number == 0:
                title, rest = parts[0].split("\n", 1)
                parts[0] = title + "\n" + _LEAD + rest
        else:
            parts.append(f"```python\n{text}\n```")
            outputs = enumerate(cell["outputs"])
            parts += [_shown(output, f"{number}-{k}", heading) for k, output in outputs]
    return "\n\n".join(parts) + "\n"


def write_pictures(notebook: Any, images: Path) -> None:
    """Writes the pictures of all cells into `images/notebook`."""
    folder = images / "notebook"
    folder.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(notebook["cells"]):
        for k, output in enumerate(cell.get("outputs", [])):
            if png := output.get("data", {}).get("image/png"):
                (folder / f"{number}-{k}.png").write_bytes(base64.b64decode("".join(png)))


def _to_anchor(link: re.Match[str]) -> str:
    """Jupyter's anchors are the headings with hyphens; the site's are GitHub's."""
    return f"](#{re.sub(r'[^a-z0-9_-]', '', link[1].lower())})"


def _shown(output: Any, name: str, heading: str) -> str:
    data = {kind: "".join(value) for kind, value in output.get("data", {}).items()}
    if "image/png" in data:
        alt = heading.replace('"', "'")
        return f'<img src="images/notebook/{name}.png" alt="Picture: {alt}">'
    if "text/markdown" in data:
        return data["text/markdown"]
    text = "".join(output.get("text", data.get("text/plain", ""))).rstrip("\n")
    return f"```text\n{text}\n```"
