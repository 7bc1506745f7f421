"""The list of deliberate faults fits the code, and the tool that tries them can be believed."""

from collections import Counter
from pathlib import Path

import mutate
import pytest
from mutate import FAULTS, Fault, problems, run

pytestmark = pytest.mark.once  # of our own tools
ROOT = Path(__file__).resolve().parents[1]
# Where the tests run on an installed wheel, there is no source beside them to put faults into.
IN_CHECKOUT = (ROOT / "semseg").is_dir()


@pytest.mark.skipif(not IN_CHECKOUT, reason="needs the checkout, not the installed package")
def test_every_fault_fits_the_code():
    assert [problem for fault in FAULTS for problem in problems(fault, ROOT)] == []


def test_no_two_faults_have_one_name():
    assert [name for name, times in Counter(f.name for f in FAULTS).items() if times > 1] == []


@pytest.fixture
def toy(tmp_path):
    """A checkout whose one test sees a wrong sign and not a wrong message."""
    for name, text in {
        "pyproject.toml": "",
        "semseg/__init__.py": "def add(a, b):\n    'Adds two numbers.'\n    return a + b\n",
        "tests/test_add.py": "import semseg\n\ndef test_add():\n    assert semseg.add(2, 3) == 5\n",
        "tests/test_red.py": "def test_red():\n    assert False\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


TESTS = ("tests/test_add.py",)
SIGN = Fault("wrong sign", "semseg/__init__.py", "a + b", "a - b", TESTS)
WORDS = Fault("wrong words", "semseg/__init__.py", "Adds two", "Adds four", TESTS)
SYNTAX = Fault("no Python", "semseg/__init__.py", "a + b", "a +", TESTS)


def test_a_fault_that_tests_see_is_caught_and_taken_out_again(toy, capsys):
    assert run([SIGN], toy)
    assert "1 caught, 0 survived" in capsys.readouterr().out
    assert "a + b" in (toy / "semseg/__init__.py").read_text()


def test_a_fault_that_no_test_sees_and_one_that_stops_every_import_survive(toy, capsys):
    assert not run([WORDS, SYNTAX], toy)
    out = capsys.readouterr().out
    assert "SURVIVED" in out
    assert "BROKEN" in out
    assert "0 caught, 2 survived" in out


def test_red_tests_prove_nothing(toy, capsys):
    assert not run([SIGN._replace(tests=("tests/test_red.py",))], toy)
    assert "red without any fault" in capsys.readouterr().out


def test_a_fault_whose_text_is_gone_or_not_unique_is_named(toy):
    assert "found 0 times" in problems(SIGN._replace(old="a * b"), toy)[0]
    assert "found 3 times" in problems(SIGN._replace(old="a"), toy)[0]
    assert "does not exist" in problems(SIGN._replace(file="semseg/gone.py"), toy)[0]
    assert "does not exist" in problems(SIGN._replace(tests=("tests/gone.py",)), toy)[0]


def test_the_folders_it_copies_are_the_ones_the_tests_need():
    assert {"semseg", "tests", "pyproject.toml"} <= set(mutate.COPIED)
