"""What README and documentation show is what happens."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    str(p.relative_to(ROOT)): p for p in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"].read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
LINKS = [
    (page, target)
    for page, path in PAGES.items()
    for target in sorted(set(re.findall(r"\]\(([\w./-]+)\)", path.read_text(encoding="utf-8"))))
]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A user's working folder with 0/255 masks beside small pictures, and scans of their own."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    (tmp_path / "scans").mkdir()
    for index in range(12):
        mask = np.zeros((48, 64), np.uint8)
        mask[8:26, 5 + index : 34 + index] = 255
        image = np.clip(mask[..., None] // 2 + rng.integers(0, 60, (48, 64, 3)), 0, 255)
        name = f"{index}.png"
        cv2.imwrite(f"data/images/{name}", image.astype("uint8"))
        cv2.imwrite(f"data/masks/{name}", mask)
        np.savez(f"scans/{index}.npz", image=image.astype("uint8"), labels=mask // 255)
    return tmp_path


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_python_snippet_of_the_readme_runs(number, folders, capsys):
    exec(compile(SNIPPETS[number], f"README snippet {number}", "exec"), {})


@pytest.mark.once
@pytest.mark.parametrize(
    "page",
    [
        # Builds the networks of the papers; each of its pictures has tests of its own.
        pytest.param(page, marks=pytest.mark.slow if page == "docs/gallery.md" else ())
        for page in PAGES
        if page != "README.md"
    ],
)
def test_a_page_of_the_documentation_runs_from_top_to_bottom(page, folders, capsys):
    """A text block after a snippet is what the snippet prints."""
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGES[page].read_text("utf-8"), re.DOTALL)
    names: dict = {}
    printed = ""
    for number, (kind, block) in enumerate(blocks):
        if kind == "python":
            exec(compile(block, f"{page}, block {number}", "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == block


def test_there_are_snippets():
    assert len(SNIPPETS) == 2


def test_the_model_in_15_lines_has_15_lines():
    lines = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(lines) - sum(line.startswith("import") for line in lines) <= 15


@pytest.mark.once
@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_lead_to_files(page, target):
    assert (PAGES[page].parent / target).exists()


@pytest.mark.parametrize("command", re.findall(r"^make ([\w-]+)", README, flags=re.MULTILINE))
def test_make_targets_exist(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
