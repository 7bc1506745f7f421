"""Every fault of the factory is found by its name, and nothing certain beside it."""

import inspect
import re

import pytest
from broken_setups import FAULTS, healthy

from semseg.preflight import Report, check, checkup
from semseg.preflight.kinds import KINDS, finding
from semseg.preflight.rules import first_step, learning

# Found by training, which takes longer than all else together.
BY_LEARNING = {"learning_rate_high", "learning_rate_low", "does_not_learn"}
AT_ONCE = [fault for fault in FAULTS if FAULTS[fault] not in BY_LEARNING]
#: Kinds that need what no small model on any machine has; `test_cost.py` has them.
ELSEWHERE = {"memory", "data_bottleneck"}


def found(fault, folder):
    """The report on a set-up, with more time than it needs."""
    takes_folder = inspect.signature(fault).parameters
    setup = fault(folder) if takes_folder else fault()
    return check(setup.model, setup.ds, seconds=600, **setup.arguments)


def assert_named(report, kind):
    named = report.of_kind(kind)
    assert named is not None, f"{kind} was not found:\n{report}"
    others = {f.kind for f in report.findings if f.level != "hint"} - {kind}
    assert not others, f"{others} beside {kind}:\n{report}"
    for text in (named.message, named.evidence, named.fix):
        assert text and "{}" not in text
    assert f"{kind}: " in str(report)


@pytest.mark.parametrize("fault", AT_ONCE, ids=lambda fault: fault.__name__)
def test_a_fault_is_found_by_its_name(fault, tmp_path, monkeypatch):
    quick = [each for each in checkup._CHECKS if each.run is not learning.learning]
    if "gradient" not in FAULTS[fault]:
        quick = [each for each in quick if each.run is not first_step.gradients]
    monkeypatch.setattr(checkup, "_CHECKS", quick)
    assert_named(found(fault, tmp_path), FAULTS[fault])


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if f not in AT_ONCE], ids=lambda fault: fault.__name__
)
def test_what_only_training_shows_is_found_by_training(fault, tmp_path):
    report = found(fault, tmp_path)
    assert_named(report, FAULTS[fault])
    # Each rate begins with the model's own weights.
    begun = re.findall(r"goes from (\S+) to", report.of_kind(FAULTS[fault]).evidence)
    assert len(begun) == 2 and len(set(begun)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", AT_ONCE, ids=lambda fault: fault.__name__)
def test_training_names_nothing_beside_the_fault(fault, tmp_path):
    assert_named(found(fault, tmp_path), FAULTS[fault])


def test_every_kind_has_a_set_up_that_shows_it():
    assert set(KINDS) == set(FAULTS.values()) | ELSEWHERE


def test_this_harness_bites(tmp_path):
    """A healthy set-up shows no fault; a finding of another kind does not pass for one."""
    report = found(healthy, tmp_path)
    assert report.worst in ("nothing", "hint"), str(report)
    with pytest.raises(AssertionError, match="was not found"):
        assert_named(report, "softmax_twice")
    two = Report("", 0, {}, (finding("softmax_twice", "here"), finding("dead_relu", "too")), ())
    with pytest.raises(AssertionError, match="beside"):
        assert_named(two, "softmax_twice")
