"""The import floors of the house: who may import whom, read from the source by `ast`."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# A room (module or package right under semseg/) imports from lower floors and from itself.
FLOORS = {
    "_backend": -1,
    "_checks": -1,
    "_optimizers": 0,
    "_palette": -1,
    "_writing": -1,
    "classes": 0,
    "layers": 1,
    "losses": 2,
    "regions": 1,
    "metrics": 2,
    "data": 2,
    "models": 3,
    "analysis": 4,
    "viz": 5,
    "inference": 6,
    "training": 7,
    "preflight": 8,
}

# What a room may import besides, anywhere. The standard library and NumPy are for all.
THIRD_PARTY = {
    "_backend": {"keras"},
    "_optimizers": {"keras"},
    "layers": {"keras"},
    "losses": {"keras"},
    "regions": {"cv2", "scipy"},
    "metrics": {"keras"},
    "data": {"cv2", "PIL", "sklearn", "tqdm"},
    "data/feeding/pipeline.py": {"tensorflow"},
    "data/feeding/py_dataset.py": {"keras"},
    "models": {"keras"},
    "analysis": {"keras"},
    "inference": {"keras", "cv2", "PIL", "tqdm"},
    "viz": {"cv2", "PIL"},
    "training": {"keras"},
    "preflight": {"keras"},
}

# And inside functions only, where the room has to work without.
THIRD_PARTY_DEFERRED = {
    "_backend": {"tensorflow", "jax", "torch"},
    "layers": {"tensorflow"},
    "metrics": {"tensorflow"},
    "data/statistics.py": {"keras"},
    "data/reading/arrays.py": {"tifffile"},
    "viz": {"matplotlib"},
}

STRANGERS = {"utils.py", "helpers.py", "common.py"}
MAX_LINES = 400


class Import(NamedTuple):
    """One import statement's one target; `semseg.x.y` where it is ours."""

    target: str
    line: int
    deferred: bool  # inside a function
    typing_only: bool  # under `if TYPE_CHECKING:`
    from_root: bool  # `import semseg`, `from semseg import ...`


class House(NamedTuple):
    """The package's modules by dotted name, such as `semseg.data` and `semseg.data.dataset`."""

    root: Path
    modules: dict[str, Path]


def read_house(root: Path) -> House:
    modules = {}
    for path in sorted(root.rglob("*.py")):
        parts = ("semseg", *path.relative_to(root).with_suffix("").parts)
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return House(root, modules)


def imports_of(house: House, module: str) -> Iterator[Import]:
    path = house.modules[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]

    def walk(node: ast.AST, deferred: bool, typing_only: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name == "semseg"
                yield Import(alias.name, node.lineno, deferred, typing_only, root)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                source = ".".join([*above, *([source] if source else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                target = inner if inner in house.modules else source
                root = source == "semseg"
                yield Import(target, node.lineno, deferred, typing_only, root)
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(
                        child,
                        deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef),
                        typing_only or (field == "body" and _is_type_checking(node)),
                    )

    return walk(ast.parse(path.read_text(encoding="utf-8")), False, False)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def upward_imports(house: House) -> list[str]:
    """Imports of a room on the same or a higher floor, for types too; rooms without a floor."""
    found = []
    for module in house.modules:
        room = _room(module)
        if room == "":
            continue  # the root itself has a rule of its own
        if room not in FLOORS:
            found.append(f"{module} is in no room of the table FLOORS")
            continue
        for item in imports_of(house, module):
            other = _room(item.target)
            if not _is_ours(item.target) or other in ("", room):
                continue
            if FLOORS.get(other, 99) >= FLOORS[room]:
                found.append(f"{module}:{item.line} imports {item.target}, which is not below it")
    return found


def root_imports(house: House) -> list[str]:
    """Modules that import the package root; a root that loads more than `semseg.classes`."""
    found = []
    for module in house.modules:
        for item in imports_of(house, module):
            if module != "semseg" and item.from_root:
                found.append(f"{module}:{item.line} imports from the package root")
            at_once = module == "semseg" and not (item.deferred or item.typing_only)
            if at_once and item.target != "semseg.classes" and not _is_standard(item.target):
                found.append(f"semseg:{item.line} imports {item.target} at once")
    return found


def foreign_imports(house: House) -> list[str]:
    """Third-party packages that a room is not meant to need (those for types alone are free)."""
    found = []
    for module, path in house.modules.items():
        room = _room(module)
        allowed = {"numpy"} | THIRD_PARTY.get(room, set())
        file = path.relative_to(house.root).as_posix()
        allowed |= THIRD_PARTY.get(file, set())
        later = THIRD_PARTY_DEFERRED.get(room, set()) | THIRD_PARTY_DEFERRED.get(file, set())
        for item in imports_of(house, module):
            name = item.target.split(".")[0]
            if _is_ours(item.target) or _is_standard(name) or item.typing_only or name in allowed:
                continue
            if item.deferred and name in later:
                continue
            found.append(f"{module}:{item.line} imports {name}")
    return found


def import_cycles(house: House) -> list[str]:
    """Cycles among the imports that run when a module is imported."""
    graph = {
        module: sorted(
            {
                item.target
                for item in imports_of(house, module)
                if item.target in house.modules and not (item.deferred or item.typing_only)
            }
        )
        for module in house.modules
    }
    found: set[str] = set()
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> None:
        if module in way:
            cycle = way[way.index(module) :]
            first = cycle.index(min(cycle))
            found.add(" -> ".join([*cycle[first:], *cycle[:first], cycle[first]]))
        elif module not in done:
            for target in graph[module]:
                visit(target, [*way, module])
            done.add(module)

    for module in graph:
        visit(module, [])
    return sorted(found)


def bad_files(house: House) -> list[str]:
    """Files of strangers, and files that are too long."""
    found = []
    for path in house.modules.values():
        name = path.relative_to(house.root).as_posix()
        if path.name in STRANGERS:
            found.append(f"{name}: name the file after its one idea")
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            found.append(f"{name} has {lines} lines, at most {MAX_LINES}")
    return found


def shadowed_names(house: House) -> list[str]:
    """Public names of a package that are also one of its modules, but not that module.

    Importing the module later would replace the name: "'module' object is not callable".
    """
    found = []
    for package, path in house.modules.items():
        if path.name != "__init__.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module != package:
                bound = [alias.asname or alias.name for alias in node.names]
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound = [node.name]
            else:
                continue
            found += [f"{package}.{n}" for n in bound if f"{package}.{n}" in house.modules]
    return found


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _is_ours(target: str) -> bool:
    return target.split(".")[0] == "semseg"


def _is_standard(target: str) -> bool:
    return target.split(".")[0] in sys.stdlib_module_names


RULES = [upward_imports, root_imports, foreign_imports, import_cycles, bad_files, shadowed_names]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    spec = importlib.util.find_spec("semseg")
    assert spec is not None
    house = read_house(Path(spec.origin).parent)
    assert len(house.modules) > 10
    assert rule(house) == []


# For each rule: a small house that breaks it, and what the rule must say.
BITES = {
    "absolute": (upward_imports, {"layers/pool.py": "from semseg.models import UNet"}, "models"),
    "relative": (upward_imports, {"layers/pool.py": "from ..models.unet import UNet"}, "unet"),
    "module": (upward_imports, {"classes.py": "import semseg.losses"}, "semseg.losses"),
    "same floor": (upward_imports, {"metrics/x.py": "from semseg.data import d"}, "semseg.data"),
    "in a function": (
        upward_imports,
        {"data/x.py": "def f():\n    from semseg.viz import draw"},
        "data.x:2",
    ),
    "for types": (
        upward_imports,
        {"data/x.py": "if TYPE_CHECKING:\n    from semseg.models import UNet"},
        "data.x:2",
    ),
    "no floor": (upward_imports, {"attic/x.py": ""}, "attic"),
    "root": (root_imports, {"data/x.py": "from semseg import ClassMap"}, "data.x:1"),
    "root, relative": (root_imports, {"data/x.py": "from .. import ClassMap"}, "data.x:1"),
    "heavy root": (root_imports, {"__init__.py": "import keras"}, "keras"),
    "tensorflow": (foreign_imports, {"data/dataset.py": "import tensorflow as tf"}, "tensorflow"),
    "matplotlib": (foreign_imports, {"viz/x.py": "import matplotlib.pyplot"}, "matplotlib"),
    "cycle": (
        import_cycles,
        {"data/x.py": "from semseg.data.y import b", "data/y.py": "from semseg.data import x"},
        "semseg.data.x -> semseg.data.y -> semseg.data.x",
    ),
    "cycle through a package": (
        import_cycles,
        {"data/__init__.py": "from semseg.data.x import a", "data/x.py": "from . import a"},
        "semseg.data -> semseg.data.x -> semseg.data",
    ),
    "strangers": (bad_files, {"viz/utils.py": ""}, "utils.py"),
    "length": (bad_files, {"viz/x.py": "a = 1\n" * 401}, "401"),
    "shadow": (
        shadowed_names,
        {"viz/__init__.py": "from semseg.viz.save import save", "viz/save.py": ""},
        "semseg.viz.save",
    ),
}


def build(root: Path, files: dict[str, str]) -> House:
    for name, text in files.items():
        path = root / "semseg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_house(root / "semseg")


@pytest.mark.parametrize("bite", BITES)
def test_each_rule_bites(bite, tmp_path):
    rule, files, said = BITES[bite]
    models = {"models/__init__.py": "", "models/unet.py": ""}
    found = rule(build(tmp_path, models | files))
    assert len(found) == 1
    assert said in found[0]


def test_what_the_rules_allow_is_not_reported(tmp_path):
    house = build(
        tmp_path,
        {
            "__init__.py": "from semseg.classes import ClassMap\ndef f():\n    import semseg.data",
            "classes.py": "from semseg._checks import check\nimport numpy as np, json",
            "_checks.py": "",
            "data/__init__.py": "from semseg.data import transforms",
            "data/transforms.py": "if TYPE_CHECKING:\n    import tensorflow",
            "data/feeding/pipeline.py": "import tensorflow as tf\nfrom . import transforms",
            "layers/__init__.py": "import keras\ndef f():\n    import tensorflow",
            "models/__init__.py": "import semseg.layers",
        },
    )
    assert [rule(house) for rule in RULES] == [[]] * len(RULES)
