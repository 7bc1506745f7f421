"""Faults in what surrounds `fit`."""

from faults.fault import Fault

FAULTS = [
    Fault(
        "resume-forgets-seeds",
        "semseg/training/resume.py",
        "return [*self.model.variables, *self.model.optimizer.variables]",
        "return [*self.model.weights, *self.model.optimizer.variables]",
        ("tests/training/test_resume.py::test_an_interrupted_run_ends_as_one_that_was_not",),
    ),
    Fault(
        "resume-forgets-the-optimizer",
        "semseg/training/resume.py",
        "return [*self.model.variables, *self.model.optimizer.variables]",
        "return [*self.model.variables]",
        ("tests/training/test_resume.py::test_an_interrupted_run_ends_as_one_that_was_not",),
    ),
    Fault(
        "resume-counts-one-step-an-epoch",
        "semseg/training/resume.py",
        'self._place["steps"] + self.params["steps"]',
        'self._place["steps"] + 1',
        ("tests/training/test_resume.py::test_an_interrupted_run_ends_as_one_that_was_not",),
    ),
    Fault(
        "resume-forgets-that-it-was-stopped",
        "semseg/training/resume.py",
        'sys.maxsize if self._place["stopped"] else self._place["epochs"]',
        'self._place["epochs"]',
        (
            "tests/training/test_resume.py::test_early_stopping_remembers_the_best_weights_and_stays_stopped",
        ),
    ),
    Fault(
        "resume-loses-history",
        "semseg/training/resume.py",
        "if history.epoch != self._history",
        "if not history.epoch != self._history",
        ("tests/training/test_resume.py::test_an_interrupted_run_ends_as_one_that_was_not",),
    ),
    Fault(
        "resume-turns-min-delta-twice",
        "semseg/training/resume.py",
        "constructor_arguments(callback) | _OF_KERAS",
        "_OF_KERAS",
        ("tests/training/test_resume.py::test_what_a_callback_can_not_write_down_is_left_out",),
    ),
    Fault(
        "resume-takes-any-recipe",
        "semseg/training/resume.py",
        'check_same(state["identity"], self._identity, self._file)',
        "pass",
        ("tests/training/test_resume_refusals.py",),
    ),
    Fault(
        "resume-takes-callbacks-behind-it",
        "semseg/training/resume.py",
        "if c.params is not params]",
        "if c.params is None]",
        ("tests/training/test_resume_refusals.py::test_callbacks_behind_resume_are_named",),
    ),
    Fault(
        "resume-keeps-sigterm",
        "semseg/training/resume.py",
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
        "pass",
        ("tests/training/test_resume.py::test_the_handler_of_sigterm_goes_with_the_run",),
    ),
    Fault(
        "resume-forgets-pytorchs-generator",
        "semseg/training/resume.py",
        "if batch == 0:  # PyTorch",
        "if batch < 0:  # PyTorch",
        ("tests/training/test_resume_kills.py",),
    ),
    Fault(
        "state-written-in-place",
        "semseg/training/tree_file.py",
        'half = path.with_name(path.name + ".half")',
        "half = path",
        ("tests/training/test_tree_file.py",),
    ),
    Fault(
        "bfloat16-comes-back-as-bytes",
        "semseg/training/tree_file.py",
        'if array.dtype.name != value["dtype"]:',
        "if False:",
        ("tests/training/test_tree_file.py",),
    ),
    Fault(
        "names-of-a-second-build-differ",
        "semseg/training/identity.py",
        "return new.get(part, part) if isinstance(part, str) else part",
        "return part",
        ("tests/training/test_identity.py",),
    ),
]
