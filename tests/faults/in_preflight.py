"""Faults in what looks at a model before it is trained."""

from faults.fault import Fault

_FOUND = "tests/preflight/test_faults_found.py::test_a_fault_is_found_by_its_name"
_BY_TRAINING = (
    "tests/preflight/test_faults_found.py::test_what_only_training_shows_is_found_by_training"
)
_LEFT = "tests/preflight/test_left_as_found.py"

FAULTS = [
    Fault(
        "preflight-forgets-the-weights",
        "semseg/training/trials.py",
        "        kept.put_back()\n        for layer",
        "        for layer",
        (_LEFT,),
    ),
    Fault(
        "preflight-forgets-python-s-generator",
        "semseg/training/trials.py",
        "        random.setstate(python)\n",
        "",
        (f"{_LEFT}::test_a_check_that_raises_leaves_everything_as_it_was",),
    ),
    Fault(
        "preflight-trains-with-the-users-optimizer",
        "semseg/preflight/rules/learning.py",
        "optimizer = with_learning_rate(subject.model.optimizer, rate)",
        "optimizer = subject.model.optimizer",
        (f"{_LEFT}::test_what_was_never_used_is_as_new_afterwards",),
    ),
    Fault(
        "preflight-takes-a-schedule-at-its-start",
        "semseg/preflight/rules/learning.py",
        "return max(float(",
        "return min(float(",
        ("tests/preflight/test_checkup.py::test_of_a_schedule_the_highest_rate_is_tried",),
    ),
    Fault(
        "preflight-takes-logits-for-shares",
        "semseg/preflight/subject.py",
        "return bool(self.scores.min() >= 0 and",
        "return bool(self.scores.min() > 0.5 and",
        (f"{_FOUND}[softmax_twice]",),
    ),
    Fault(
        "preflight-reads-one-loss-of-a-sum",
        "semseg/preflight/objectives.py",
        "return [term for one in loss.losses for term in _terms(one)]",
        "return _terms(loss.losses[-1])",
        (f"{_FOUND}[one_loss_of_a_sum_takes_probabilities]",),
    ),
    Fault(
        "preflight-ignores-what-ignored-pixels-do",
        "semseg/preflight/rules/losses.py",
        "changed[under, 0] += _GARBAGE",
        "changed[under, 0] += 0",
        (f"{_FOUND}[ignored_pixels_in_the_loss]",),
    ),
    Fault(
        "preflight-judges-gradients-after-one-step",
        "semseg/preflight/rules/first_step.py",
        "_gradients(subject, steps=3)",
        "_gradients(subject, steps=1)",
        ("tests/preflight/test_healthy.py::test_an_architecture_gives_no_alarm[fcn8s]",),
    ),
    Fault(
        "preflight-sees-dead-relus-nowhere",
        "semseg/preflight/watching.py",
        "if _is_relu(layer) and not array.any():",
        "if _is_relu(layer) and not array.size:",
        (f"{_FOUND}[dead_relu]",),
    ),
    Fault(
        "preflight-tries-no-lower-rate",
        "semseg/preflight/rules/learning.py",
        "_FACTORS = (1e-1, 1e-2, 1e-3, 1e1, 1e2, 1e3)",
        "_FACTORS = (1e1, 1e2, 1e3)",
        (f"{_BY_TRAINING}[rate_a_thousand_times_too_high]",),
    ),
    Fault(
        "preflight-tries-rates-one-after-the-other",
        "semseg/preflight/rules/learning.py",
        "    subject.kept.put_back()\n    for variable",
        "    for variable",
        (_BY_TRAINING,),
    ),
    Fault(
        "preflight-shifted-ids-are-unknown-ids",
        "semseg/preflight/rules/masks.py",
        "if set(found) == {subject.classes} and not (mask == 0).any():",
        "if set(found) == {subject.classes + 1} and not (mask == 0).any():",
        (f"{_FOUND}[ids_from_one]",),
    ),
    Fault(
        "preflight-has-no-deadline",
        "semseg/preflight/checkup.py",
        "if each.passes and needed > left:",
        "if each.passes and left <= -9:",
        ("tests/preflight/test_checkup.py::test_what_no_longer_fits_is_skipped_and_named",),
    ),
    Fault(
        "preflight-trains-whatever-was-found",
        "semseg/preflight/checkup.py",
        "if stops:",
        "if len(stops) > 9:",
        (
            "tests/preflight/test_checkup.py::test_the_worst_comes_first_and_the_report_prints_and_travels_as_json",
        ),
    ),
    Fault(
        "preflight-counts-norms-of-frozen-layers-only",
        "semseg/preflight/rules/compiled.py",
        "if _is_frozen(_before(layer))]",
        "if not _is_frozen(_before(layer))]",
        (f"{_FOUND}[frozen_encoder_with_live_norms]", "tests/preflight/test_healthy.py"),
    ),
]
