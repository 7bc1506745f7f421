"""The notebook: its script and its outputs belong together, and a run gives the same kinds."""

import base64
import copy
import importlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "semantic_segmentation.ipynb"
COMMITTED = json.loads(NOTEBOOK.read_text("utf-8"))
QUESTION = re.compile(r"### \d+\. .*\?$", re.MULTILINE)

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def maker():
    """`docs/notebook.py`, where its tools are installed."""
    pytest.importorskip("jupytext")
    pytest.importorskip("nbclient")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module("notebook")


def source(cell):
    return "".join(cell["source"])


def data(output):
    return {kind: "".join(value) for kind, value in output.get("data", {}).items()}


def outputs():
    return [output for cell in COMMITTED["cells"] for output in cell.get("outputs", [])]


def pictures():
    return [data(o)["image/png"] for o in outputs() if "image/png" in data(o)]


def test_script_and_notebook_have_the_same_cells(maker):
    script = [(kind, text) for kind, text, _ in maker.structure(maker.paired())]
    assert script == [(cell["cell_type"], source(cell)) for cell in COMMITTED["cells"]]


def test_every_code_cell_was_run_in_order_and_none_failed():
    code = [cell for cell in COMMITTED["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {o["output_type"] for o in outputs()}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert {o["name"] for o in outputs() if o["output_type"] == "stream"} == {"stdout"}


def test_every_question_is_answered_by_an_output():
    answers, asked = {}, None
    for cell in COMMITTED["cells"]:
        if cell["cell_type"] == "markdown":
            found = QUESTION.search(source(cell))
            heading = re.search(r"^#+ .*", source(cell), re.MULTILINE)
            asked = found[0] if found else None if heading else asked
            answers |= {asked: 0} if found else {}
        elif asked:
            answers[asked] += sum(
                bool({"image/png", "text/markdown"} & set(data(o)) or o.get("text"))
                for o in cell["outputs"]
            )
    assert len(answers) >= 18 and min(answers.values()) >= 1
    numbers = [int(re.search(r"\d+", question)[0]) for question in answers]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_the_notebook_links_to_is_there():
    texts = [source(c) for c in COMMITTED["cells"] if c["cell_type"] == "markdown"]
    headings = re.findall(r"^#+ (.*)$", "\n".join(texts), re.MULTILINE)
    anchors = {heading.replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^()]*)\)", "\n".join(texts))) <= anchors


def test_pictures_show_something():
    assert len(pictures()) >= 20
    for png in pictures():
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L"))
        assert min(image.shape) >= 100 and image.std() > 3


def test_nothing_in_it_tells_of_the_machine_or_is_unfinished():
    text = json.dumps([[o.get("text"), {k: v for k, v in data(o).items() if "image" not in k}]
                       for o in outputs()])  # fmt: skip
    for trace in ("/home/", "/root", "/tmp", "/work", "/usr", "site-packages", "Warning", "0x",
                  "\\u001b", "\\r", "Not measured here", "oneDNN"):  # fmt: skip
        assert trace not in text, trace
    assert set(COMMITTED["metadata"]) == {"jupytext", "kernelspec", "language_info"}
    assert NOTEBOOK.stat().st_size < 5_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Epoch 1/2\n\r1/3 a\x1b[1m  \x1b[0m\r3/3 b\n", "Epoch 1/2\n3/3 b\n"),
        ("12\b\b34 done", "34 done"),
    ],
)
def test_a_progress_bar_is_kept_as_it_ended(maker, text, shown):
    assert maker.as_shown(text) == shown


def test_tidying_again_changes_nothing(maker):
    notebook = maker.nbformat.read(NOTEBOOK, as_version=4)
    assert maker.tidied(copy.deepcopy(notebook)) == notebook


def test_the_page_of_the_site_shows_every_picture_and_its_links_lead_to_headings(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        page = importlib.import_module("notebook_page")
    text = page.as_markdown(page.read())
    page.write_pictures(page.read(), tmp_path)
    shown = re.findall(r'<img src="images/(notebook/[\d-]+\.png)" alt="[^"]{10,}"', text)
    assert sorted(shown) == sorted(f"notebook/{p.name}" for p in tmp_path.glob("notebook/*.png"))
    assert len(shown) == len(pictures())
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9_-]", "", h.lower().replace(" ", "-")) for h in headings}
    assert set(re.findall(r"\]\(#([^()]*)\)", text)) <= anchors


@pytest.mark.slow
def test_a_run_gives_the_same_kinds_of_outputs(maker, monkeypatch, tmp_path):
    monkeypatch.setenv("SEMSEG_FAST", "1")
    monkeypatch.delenv("SEMSEG_CAMVID", raising=False)
    run = json.loads(json.dumps(maker.executed()))
    compare(maker, run)


def compare(maker, run):
    """Raises where a run differs from the notebook by a cell or by a kind of output."""
    committed = copy.deepcopy(COMMITTED)
    for cell in committed["cells"]:
        cell["source"] = source(cell)
    for ours, theirs in zip(maker.structure(committed), maker.structure(run), strict=True):
        assert ours == theirs


@pytest.mark.parametrize("part", ["output", "cell", "kind"])
def test_the_comparison_notices(maker, part):
    run = copy.deepcopy(COMMITTED)
    for cell in run["cells"]:
        cell["source"] = source(cell)
    compare(maker, run)
    shown = next(cell for cell in reversed(run["cells"]) if cell.get("outputs"))
    if part == "output":
        shown["outputs"].pop()
    elif part == "cell":
        shown["source"] += " "
    else:
        shown["outputs"][0] = {"output_type": "error", "ename": "ValueError"}
    with pytest.raises(AssertionError):
        compare(maker, run)
