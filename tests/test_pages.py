"""What the README shows is what happens."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A user's working folder with 0/255 masks beside small pictures."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for index in range(4):
        mask = np.zeros((32, 40), np.uint8)
        mask[8:20, 5 + index : 25] = 255
        image = np.clip(mask[..., None] // 2 + rng.integers(0, 60, (32, 40, 3)), 0, 255)
        cv2.imwrite(f"data/images/{index}.png", image.astype("uint8"))
        cv2.imwrite(f"data/masks/{index}.png", mask)
    return tmp_path


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_python_snippet_runs(number, folders, capsys):
    exec(compile(SNIPPETS[number], f"README snippet {number}", "exec"), {})


def test_there_are_snippets():
    assert len(SNIPPETS) == 2


def test_the_model_in_15_lines_has_15_lines():
    lines = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(lines) - sum(line.startswith("import") for line in lines) <= 15


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_links_lead_to_files(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", re.findall(r"^make ([\w-]+)", README, flags=re.MULTILINE))
def test_make_targets_exist(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
