"""The report and its order, the time, the arguments, the command line."""

import json

import keras
import numpy as np
import pytest
from broken_setups import (
    MASKS,
    PAIRS,
    SHAPES,
    compiled,
    data,
    good_loss,
    small,
    unet,
)

from semseg.data import digits, from_arrays, write_records
from semseg.preflight import check, checkup
from semseg.preflight.__main__ import main
from semseg.preflight.clock import Clock
from semseg.preflight.rules import cost, first_step, learning, outputs
from semseg.preflight.samples import MOST, Samples
from semseg.training.trials import with_learning_rate


@pytest.fixture
def quick(monkeypatch):
    """Without what trains, which takes longer than all else together."""
    trains = (learning.learning, first_step.gradients)
    others = [each for each in checkup._CHECKS if each.run not in trains]
    monkeypatch.setattr(checkup, "_CHECKS", others)


def broken():
    """Three things at once: the loss, a metric, and pictures of two sizes."""
    return compiled(loss=good_loss(from_logits=False), metrics=["accuracy"])


def test_the_worst_comes_first_and_the_report_prints_and_travels_as_json(quick):
    masks = np.where(MASKS > 0, 0, MASKS)
    masks[0, 0, 0] = 1
    report = check(broken(), data(masks=masks), seconds=600)
    kinds = [finding.kind for finding in report.findings]
    assert kinds[0] == "logits_as_probabilities" and kinds[-1] == "class_imbalance"
    assert report.worst == "certain" and report.exit_status == 1
    text = str(report)
    assert text.index("CERTAIN (") < text.index("HINT (") < text.index("SKIPPED (")
    assert "fix: from_logits=True" in text
    assert "median frequency weights would be [" in text
    again = json.loads(report.to_json())
    assert [finding["kind"] for finding in again["findings"]] == kinds
    assert again["worst"] == "certain"
    assert "the first loss: mend logits_as_probabilities first" in again["skipped"]


def test_a_healthy_report_says_so_with_its_facts(quick):
    report = check(compiled(), data(), seconds=600)
    assert report.worst == "nothing" and report.exit_status == 0
    assert "nothing wrong was found" in str(report)
    assert {"pictures", "classes", "first loss", "memory of a step"} <= set(report.facts)
    assert "(ln 7 = 1.946)" in report.facts["first loss"]


def test_what_no_longer_fits_is_skipped_and_named(monkeypatch):
    clock = iter([100.0] * 3 + [1.0] * 100)
    monkeypatch.setattr(Clock, "left", lambda self: next(clock))
    monkeypatch.setattr(checkup, "_seconds_of_a_pass", lambda subject: 0.5)
    report = check(compiled(), data(), seconds=100)
    assert "learning one batch, and the learning rate: takes about 6 s, and 1 s are left" in (
        report.skipped
    )
    assert "one batch" not in report.facts and "first loss" in report.facts


def test_a_deadline_that_is_over_ends_the_steps_but_judges_nothing(monkeypatch):
    monkeypatch.setattr(Clock, "left", lambda self: -1.0)
    monkeypatch.setattr(checkup, "_reason_to_skip", lambda *_: None)
    report = check(compiled(rate=1e-9), data(), seconds=1)
    assert "in 2 steps" in report.facts["one batch"]
    assert not [f for f in report.findings if f.kind.startswith("learning")]


def test_samples_are_spread_over_the_whole_set_and_read_within_a_share_of_the_time():
    ds = from_arrays(np.zeros((500, 4, 4, 3), np.uint8), np.zeros((500, 4, 4), np.uint8), _two())
    samples = Samples(ds, None, Clock(1000))
    places = [sample.place for sample in samples.read]
    assert len(places) == MOST and places[0] == 0 and places[-1] == 499
    assert max(np.diff(places)) < 30 and not samples.all
    hurried = Samples(ds, None, Clock(1e-9))
    assert len(hurried.read) == 1


def _two():
    from semseg.classes import ClassMap

    return ClassMap(["background", "cell"])


def test_pictures_are_resized_where_that_is_asked_for(quick):
    ds = from_arrays([PAIRS[0][0], PAIRS[1][0][:20]], [MASKS[0], MASKS[1][:20]], SHAPES.class_map)
    assert check(compiled(), ds, seconds=600).of_kind("mixed_sizes")
    report = check(compiled(), ds, seconds=600, size=(24, 16))
    assert report.worst == "nothing" and report.facts["pictures"].startswith("24x16x3 uint8")
    assert check(compiled(), ds, seconds=600, batch_size=1).of_kind("mixed_sizes") is None


def test_of_large_pictures_as_much_is_tried_as_the_time_allows(quick, monkeypatch):
    monkeypatch.setattr(outputs, "_SHARE", 0.0)
    big = [(np.tile(image, (8, 6, 1)), np.tile(mask, (8, 6))) for image, mask in PAIRS[:4]]
    whole = from_arrays(*map(list, zip(*big, strict=True)), SHAPES.class_map)
    report = check(compiled(), whole, seconds=600)
    assert report.worst == "nothing", str(report)
    assert any("1 parts of 64x64 were tried" in reason for reason in report.skipped)
    assert report.facts["memory of a step"] == _without_cut(whole, monkeypatch)


def _without_cut(ds, monkeypatch):
    monkeypatch.setattr(outputs, "_SHARE", 1.0)
    report = check(compiled(), ds, seconds=600)
    assert not report.skipped
    return report.facts["memory of a step"]


def test_a_step_larger_than_the_memory_is_told_with_the_batch_that_fits(quick, monkeypatch):
    monkeypatch.setattr(cost, "_on_gpu", lambda: False)
    monkeypatch.setattr(cost, "_RUNTIME", 0)
    monkeypatch.setattr(cost, "physical_memory", lambda: 350_000)
    finding = check(compiled(), data(), seconds=600).of_kind("memory")
    assert finding.level == "likely" and finding.fix.startswith("batch_size=2,")
    monkeypatch.setattr(cost, "physical_memory", lambda: None)
    report = check(compiled(), data(), seconds=600)
    assert report.of_kind("memory") is None
    assert any("largest batch" in reason for reason in report.skipped)


def test_of_a_schedule_the_highest_rate_is_tried():
    falling = keras.optimizers.schedules.CosineDecay(0.0, 900, warmup_target=0.02, warmup_steps=50)
    given = keras.optimizers.SGD(falling, momentum=0.9, clipnorm=1.0)
    rate = learning._peak(given)
    fresh = with_learning_rate(given, rate)
    assert rate == pytest.approx(0.02, rel=0.02)
    assert float(fresh.learning_rate) == pytest.approx(rate)
    assert fresh.momentum == 0.9 and fresh.clipnorm == 1.0


def test_slow_samples_are_called_the_bottleneck(monkeypatch):
    def measured(subject):
        subject.step_seconds = 0.0
        yield from ()

    changed = [
        each._replace(run=measured) if each.run is learning.learning else each
        for each in checkup._CHECKS
    ]
    monkeypatch.setattr(checkup, "_CHECKS", changed)
    report = check(compiled(), data(), seconds=600)
    assert report.of_kind("data_bottleneck").level == "hint"


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "unet"}, TypeError, "model must be a keras.Model, received str"),
        ({"ds": [1]}, TypeError, "ds must be a semseg.data.Dataset, received list"),
        ({"seconds": 0}, ValueError, "seconds must be a finite number > 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be an int >= 1, received 0"),
        ({"size": (0, 4)}, ValueError, r"size must be \(height, width\)"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, said):
    with pytest.raises(error, match=said):
        check(**{"model": small(), "ds": data(), **arguments})


# -- command line --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    model = compiled(unet())
    model.optimizer.build(model.trainable_variables)  # Keras warns where it was not
    model.save(path)
    return path


def test_the_command_prints_the_report_and_writes_json(saved, quick, tmp_path, capsys):
    write_records(data(), tmp_path / "records")
    written = tmp_path / "report.json"
    assert main([str(saved), str(tmp_path / "records"), "--json", str(written)]) == 0
    assert "looked at for" in capsys.readouterr().out
    assert json.loads(written.read_text())["worst"] == "nothing"


def test_the_command_ends_with_1_for_what_is_certain(saved, quick, capsys):
    arguments = [str(saved), "digits", "--size", "32", "32", "--batch-size", "2"]
    assert main(arguments) == 1  # eleven classes for a model of seven
    assert "wrong_number_of_outputs" in capsys.readouterr().out
    assert len(digits("train", count=1).class_map.names) == 11


def test_the_command_takes_two_folders_with_the_models_own_classes(saved, quick, tmp_path, capsys):
    import cv2

    for part, arrays in (("images", 0), ("masks", 1)):
        (tmp_path / part).mkdir()
        for i, pair in enumerate(PAIRS[:4]):
            assert cv2.imwrite(str(tmp_path / part / f"{i}.png"), pair[arrays])
    folders = [str(tmp_path / "images"), str(tmp_path / "masks")]
    assert main([str(saved), *folders]) == 0
    assert "unet on images" in capsys.readouterr().out


def test_the_command_says_why_it_can_not_run(saved, tmp_path, capsys):
    assert main([str(saved), "no-such-set"]) == 2
    assert "data must be digits, shapes, NAME=FOLDER" in capsys.readouterr().err
    assert main([str(tmp_path / "none.keras"), "digits"]) == 2
    assert "path must be a .keras file" in capsys.readouterr().err
    assert main([str(saved), f"camvid={tmp_path}"]) == 2
    assert "CamVid" in capsys.readouterr().err
