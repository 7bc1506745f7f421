"""Faults in what surrounds `fit`."""

from faults.fault import Fault

TESTS = ("tests/training/test_resume.py",)

FAULTS = [
    Fault(
        "resume-forgets-seeds",
        "semseg/training/resume.py",
        "return [*self.model.variables, *self.model.optimizer.variables]",
        "return [*self.model.weights, *self.model.optimizer.variables]",
        TESTS,
    ),
    Fault(
        "resume-forgets-the-optimizer",
        "semseg/training/resume.py",
        "return [*self.model.variables, *self.model.optimizer.variables]",
        "return [*self.model.variables]",
        TESTS,
    ),
    Fault(
        "resume-counts-one-step-an-epoch",
        "semseg/training/resume.py",
        'self._place["steps"] + self.params["steps"]',
        'self._place["steps"] + 1',
        TESTS,
    ),
    Fault(
        "resume-forgets-that-it-was-stopped",
        "semseg/training/resume.py",
        'sys.maxsize if self._place["stopped"] else self._place["epochs"]',
        'self._place["epochs"]',
        TESTS,
    ),
    Fault(
        "resume-loses-history",
        "semseg/training/resume.py",
        "if history.epoch != self._history",
        "if not history.epoch != self._history",
        TESTS,
    ),
    Fault(
        "resume-turns-min-delta-twice",
        "semseg/training/resume.py",
        "constructor_arguments(callback) | _OF_KERAS",
        "_OF_KERAS",
        TESTS,
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
        ("tests/training/test_resume_refusals.py",),
    ),
    Fault(
        "resume-keeps-sigterm",
        "semseg/training/resume.py",
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
        "pass",
        TESTS,
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
        ("tests/training/test_tree_file.py", *TESTS),
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
