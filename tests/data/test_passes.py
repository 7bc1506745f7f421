"""passes: results in order, and a word where it takes long and no bar shows."""

import pytest

from semseg.data import passes
from semseg.data.passes import in_order


def test_results_come_in_the_order_of_the_items():
    assert list(in_order(lambda i: i * i, range(50), 50, "squaring", workers=5)) == [
        i * i for i in range(50)
    ]


def test_a_short_pass_says_nothing_where_no_terminal_is(capsys):
    list(in_order(str, range(9), 9, "counting"))
    assert capsys.readouterr().err == ""


def test_a_long_pass_says_once_what_it_does_and_how_far_it_is(monkeypatch, capsys):
    seconds = iter(range(0, 100, 4))
    monkeypatch.setattr(passes, "monotonic", lambda: next(seconds))
    list(in_order(str, range(9), 9, "caching 'cells' in RAM, 2.3 GB"))
    assert capsys.readouterr().err == "caching 'cells' in RAM, 2.3 GB: 3 of 9 in 10 s\n"


def test_an_error_comes_where_its_result_would_have_come():
    results = in_order(lambda i: 1 // (3 - i), range(9), 9, "dividing")
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
