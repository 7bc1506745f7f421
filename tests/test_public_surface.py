"""The public names and signatures are those of public_surface.txt: a change is a decision.

    python tests/test_public_surface.py --update

rewrites the file; the commit that does so says why, and CHANGELOG.md tells the users.
"""

import argparse
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

SURFACE = Path(__file__).with_name("public_surface.txt")

PACKAGES = [
    "semseg",
    "semseg.analysis",
    "semseg.data",
    "semseg.data.doctor",
    "semseg.data.transforms",
    "semseg.inference",
    "semseg.layers",
    "semseg.losses",
    "semseg.metrics",
    "semseg.metrics.functional",
    "semseg.models",
    "semseg.models.blocks",
    "semseg.preflight",
    "semseg.regions",
    "semseg.training",
    "semseg.viz",
]


def surface() -> str:
    """One line a public name, and one for each public method or property of a class."""
    lines = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in sorted(module.__all__):
            lines += describe(f"{package}.{name}", getattr(module, name))
    return "\n".join(lines) + "\n"


def describe(path: str, thing: Any) -> Iterator[str]:
    if isinstance(thing, types.ModuleType):
        yield f"{path}: module"
    elif inspect.isclass(thing):
        yield f"{path}{_constructor(thing)}"
        for name, member in sorted(_own_members(thing).items()):
            yield f"{path}.{name}{_member(member)}"
    elif inspect.isfunction(thing):
        yield f"{path}{_signature(thing)}"
    elif isinstance(thing, types.GenericAlias) or callable(thing):
        yield f"{path}: type"
    else:
        yield f"{path}: {type(thing).__name__}"


def _own_members(cls: type) -> dict[str, Any]:
    """Public members that our classes define: what Keras adds differs from release to release."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] == "semseg":
            members |= {k: v for k, v in vars(base).items() if not k.startswith("_")}
    fields = getattr(cls, "__dataclass_fields__", {})  # in the constructor's signature already
    return {k: v for k, v in members.items() if k not in fields}


def _constructor(cls: type) -> str:
    """From our own class's code: Keras's `__new__` takes `*args, **kwargs`."""
    for base in cls.__mro__:
        if base.__module__.split(".")[0] == "semseg":
            for name in ("__init__", "__new__"):
                if name in vars(base):
                    return _signature(getattr(cls, name), bound=True)
    return "()"


def _member(member: Any) -> str:
    if isinstance(member, property | cached_property):
        return ": property"
    if isinstance(member, classmethod | staticmethod):
        bound = isinstance(member, classmethod)
        return f"{_signature(member.__func__, bound)}: {type(member).__name__}"
    if inspect.isfunction(member):
        return _signature(member, bound=True)
    return ": attribute"


def _signature(function: Any, bound: bool = False) -> str:
    """Names, kinds and defaults. How annotations print differs with Python and NumPy."""
    parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    bare = [
        p.replace(annotation=p.empty, default=p.default if p.default is p.empty else _Shown(p))
        for p in parameters
    ]
    return str(inspect.Signature(bare))


class _Shown:
    """A default as a reader would write it, without addresses in memory."""

    def __init__(self, parameter: inspect.Parameter) -> None:
        default = parameter.default
        plain = default is None or isinstance(default, bool | int | float | str | tuple | Enum)
        self._text = repr(default) if plain else getattr(default, "__qualname__", "...")

    def __repr__(self) -> str:
        return self._text


def test_the_public_surface_is_the_committed_one():
    committed = SURFACE.read_text(encoding="utf-8").splitlines()
    hint = "meant? python tests/test_public_surface.py --update"
    assert surface().splitlines() == committed, hint


def test_every_public_package_is_looked_at():
    for package in PACKAGES:
        module = importlib.import_module(package)
        inner = [n for n in module.__all__ if isinstance(getattr(module, n), types.ModuleType)]
        assert {f"{package}.{name}" for name in inner} <= set(PACKAGES)


def test_a_changed_default_a_new_method_and_a_keyword_show():
    class Was:
        def __init__(self, a, b=1): ...

    class Is:
        def __init__(self, a, *, b=2): ...
        def method(self, x: int = 3) -> int: ...
        @property
        def size(self): ...

    Was.__module__ = Is.__module__ = "semseg.fake"
    assert list(describe("C", Was)) == ["C(a, b=1)"]
    assert list(describe("C", Is)) == ["C(a, *, b=2)", "C.method(x=3)", "C.size: property"]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # the checkout, installed or not
    parser = argparse.ArgumentParser(description="Compares or rewrites public_surface.txt.")
    parser.add_argument("--update", action="store_true", help="rewrite the file")
    if parser.parse_args().update:
        SURFACE.write_text(surface(), encoding="utf-8")
        print(f"wrote {SURFACE}")
    else:
        print(surface(), end="")
