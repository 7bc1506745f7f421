"""Small deliberate faults: each one, put into a copy of the code, must turn the fast tests red.

    python tests/mutate.py                 all faults; exit 1 if one survives
    python tests/mutate.py --only NAME     one of them (may be repeated)
    python tests/mutate.py --list

A fault that survives shows a promise that no test holds. The list grows with every part of the
library; it is run by `make test-all` and before a release.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[1]
COPIED = [
    "semseg", "tests", "examples", "benchmarks", "docs", "pyproject.toml", "conftest.py",
    "README.md",
]  # fmt: skip
TIMEOUT = 600  # seconds for one fault; a fault that makes a test hang is caught too


class Tree:
    """A copy of the checkout in a temporary folder, mended after each fault."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            if (source / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.py[cod]", "_build")
                shutil.copytree(source / name, folder / name, ignore=ignored)
            elif (source / name).exists():
                shutil.copy(source / name, folder / name)

    def imports_itself(self) -> bool:
        """Whether `import semseg` finds this copy, not an installed package."""
        done = self._python("-c", "import semseg; print(semseg.__file__)")
        found = Path(done.stdout.strip() or "nowhere").resolve()
        return found.is_relative_to(self.folder.resolve())

    def test(self, tests: tuple[str, ...]) -> tuple[str, str]:
        """("green" | "red" | "hung" | "broken", pytest's output)."""
        try:
            done = self._python(
                "-m", "pytest", "-x", "-q", "--color=no", "-p", "no:cacheprovider", *tests
            )
        except subprocess.TimeoutExpired:
            return "hung", f"no answer in {TIMEOUT} s"
        # 1: a test failed. Anything else (no test ran, an import error) proves nothing.
        return {0: "green", 1: "red"}.get(done.returncode, "broken"), done.stdout + done.stderr

    def test_with(self, fault: Fault) -> tuple[str, str]:
        """The same with the fault in the copy."""
        path = self.folder / fault.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole.replace(fault.old, fault.new), encoding="utf-8")
        try:
            return self.test(fault.tests)
        finally:
            path.write_text(whole, encoding="utf-8")

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            # A cached .pyc of the same size and second would hide the fault.
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_PROFILE": "ci",
        }
        beside = ROOT.parent / "shared" / "data"
        if beside.is_dir():
            environment.setdefault("SEMSEG_DATA", str(beside))
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


def problems(fault: Fault, source: Path) -> list[str]:
    """What makes a fault of the list unfit: its text moved, or its tests are gone."""
    path = source / fault.file
    if not path.is_file():
        return [f"{fault.name}: {fault.file} does not exist"]
    found = []
    times = path.read_text(encoding="utf-8").count(fault.old)
    if times != 1:
        found.append(f"{fault.name}: `old` must occur once in {fault.file}, found {times} times")
    if fault.old == fault.new:
        found.append(f"{fault.name}: `old` and `new` are the same")
    if not fault.tests:
        found.append(f"{fault.name}: names no tests")
    missing = [t for t in fault.tests if not (source / t.split("::")[0]).exists()]
    return found + [f"{fault.name}: {test} does not exist" for test in missing]


def run(faults: list[Fault], source: Path = ROOT) -> bool:
    """Tries each fault, prints a table, and returns whether all were caught."""
    unfit = [problem for fault in faults for problem in problems(fault, source)]
    if unfit:
        print("\n".join(unfit))
        return False
    with tempfile.TemporaryDirectory(prefix="semseg-mutate-") as folder:
        tree = Tree(source, Path(folder))
        if not tree.imports_itself():
            print("the copy is not what `import semseg` finds; nothing was tried")
            return False
        # A fault is caught by a test that is green without it.
        tests = tuple(dict.fromkeys(test for fault in faults for test in fault.tests))
        if tests and (before := tree.test(tests))[0] != "green":
            print(f"{before[1]}\nthe tests are {before[0]} without any fault; nothing was tried")
            return False
        survived = [fault.name for fault in faults if not _caught(tree, fault)]
    print(f"{len(faults) - len(survived)} caught, {len(survived)} survived")
    return not survived


def _caught(tree: Tree, fault: Fault) -> bool:
    start = time.perf_counter()
    verdict, output = tree.test_with(fault)
    caught = verdict in ("red", "hung")
    word = {"red": "caught", "hung": "caught (hung)", "green": "SURVIVED"}.get(verdict, "BROKEN")
    seconds = time.perf_counter() - start
    print(f"{word:14} {seconds:6.1f} s  {fault.name}  ({fault.file})", flush=True)
    if verdict == "broken":
        print(output)
    return caught


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="try this fault")
    parser.add_argument("--list", action="store_true", help="list the faults, try none")
    args = parser.parse_args()
    known = {fault.name for fault in FAULTS}
    unknown = set(args.only or []) - known
    if unknown:
        parser.error(f"--only must name faults of the list, received {sorted(unknown)}")
    chosen = [f for f in FAULTS if not args.only or f.name in args.only]
    if args.list:
        print("\n".join(f"{f.name:32} {f.file}  {' '.join(f.tests)}" for f in chosen))
        return 0
    return 0 if run(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
