"""No page and no public name is missing from the site: told here without building it."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from test_layering import FLOORS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {
    str(path.relative_to(DOCS).with_suffix(""))
    for pattern in ("*.md", "api/*.rst")
    for path in DOCS.glob(pattern)
}
PACKAGES = [
    re.search(r"^(semseg[\w.]*)\n==", p.read_text("utf-8"), re.MULTILINE)[1]
    for p in sorted((DOCS / "api").glob("*.rst"))
]


def listed_pages(text: str) -> list[str]:
    """The entries of a page's toctrees."""
    trees = re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
    return [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]


def listed_names(text: str) -> list[str]:
    """The names that an API page has an entry for."""
    entries = r"^\.\. (?:autoclass|autofunction|py:data):: (\w+)$"
    return re.findall(entries, text, re.MULTILINE)


def summarised_names(text: str) -> list[str]:
    """The names in the tables at the head of an API page's sections."""
    return re.findall(r"^   (\w+)$", text, re.MULTILINE)


def public_names(package: str) -> set[str]:
    """What a package exports, but for the packages in it."""
    module = importlib.import_module(package)
    return {
        name
        for name in module.__all__
        if not name.startswith("__") and not inspect.ismodule(getattr(module, name))
    }


def api_page(package: str) -> str:
    name = package.removeprefix("semseg.").replace(".", "_")
    return (DOCS / "api" / f"{name}.rst").read_text("utf-8")


@pytest.mark.once
def test_every_page_is_in_one_toctree():
    listed = [
        entry for page in DOCS.glob("*.md") for entry in listed_pages(page.read_text("utf-8"))
    ]
    assert sorted([*listed, "index"]) == sorted(PAGES)


@pytest.mark.once
@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_api_reference_once(package):
    text = api_page(package)
    listed = listed_names(text)
    assert set(listed) == public_names(package) and len(set(listed)) == len(listed)
    assert set(summarised_names(text)) <= set(listed_names(text))


@pytest.mark.once
def test_every_public_package_has_an_api_page():
    surface = (Path(__file__).parent / "public_surface.txt").read_text("utf-8")
    modules = {line.removesuffix(": module") for line in surface.splitlines() if ": module" in line}
    assert modules <= set(PACKAGES)


@pytest.mark.once
@pytest.mark.parametrize("page", [DOCS / "design.md", DOCS.parent / "CONTRIBUTING.md"])
def test_the_house_is_drawn_as_it_stands(page):
    rows = re.findall(r"^\| (\d) \| ([^|]*) \|", page.read_text("utf-8"), re.MULTILINE)
    drawn = {room: int(floor) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}
    assert drawn == {room: floor for room, floor in FLOORS.items() if floor >= 0}


def test_a_forgotten_page_and_a_forgotten_name_show():
    assert listed_pages("```{toctree}\n:caption: Learn\n\nstart\napi/data\n```\n") == [
        "start",
        "api/data",
    ]
    assert listed_names(".. autoclass:: Dice\n\n   Dice\n.. autofunction:: from_dict\n") == [
        "Dice",
        "from_dict",
    ]
    assert "Dice" in public_names("semseg.losses") and "blocks" not in public_names("semseg.models")
