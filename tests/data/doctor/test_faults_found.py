"""The doctor names every fault of the factory as that fault, and nothing else in its place."""

import re
from pathlib import Path

import numpy as np
import pytest
from broken_data import FAULTS, Clean, rgb_masks, write

import semseg
from semseg.data import camvid, digits
from semseg.data.doctor.kinds import KINDS
from semseg.data.doctor.rules.files import KIND_OF_FAULT

#: What a set of six pictures, or of thin ones, may lack without being broken on purpose.
BY_NATURE = {"absent_class"}


def clean_digits():
    pairs = [digits("train", count=6, size=(96, 128))[i] for i in range(6)]
    return Clean(*map(list, zip(*pairs, strict=True)), digits("train", count=1).class_map)


def clean_camvid(folder):
    ds = camvid(folder, "train")
    # All eleven classes, from three clips, at half size without new ids.
    pairs = [ds[i] for i in (0, 61, 130, 170, 240, 330)]
    images, masks = ([np.ascontiguousarray(p[k][::2, ::2]) for p in pairs] for k in (0, 1))
    return Clean(images, masks, ds.class_map.__class__(ds.class_map.names, None, 255))


@pytest.fixture(scope="module", params=["digits", pytest.param("camvid", marks=pytest.mark.data)])
def clean(request):
    if request.param == "digits":
        return clean_digits()
    return clean_camvid(request.getfixturevalue("data_root") / "camvid")


def serious(report):
    return {p.kind for p in report.problems if p.level != "hint"} - BY_NATURE


def test_clean_pairs_have_nothing_serious(clean, tmp_path):
    assert serious(write(clean, tmp_path).check()) == set()


def test_clean_pairs_in_colours_have_nothing_serious(clean, tmp_path):
    folder = write(clean, tmp_path)
    rgb_masks(folder)
    assert serious(folder.check()) == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found_and_named_as_that_fault(clean, tmp_path, fault):
    folder = write(clean, tmp_path)
    fault(folder)
    report = folder.check()
    kind = FAULTS[fault]
    problem = report.of_kind(kind)
    assert problem is not None, f"{kind} was not found:\n{report}"
    assert problem.level == KINDS[kind].level
    others = serious(report) - {kind}
    assert not others, f"{others} beside {kind}:\n{report}"
    assert "{" not in problem.message
    if problem.count:
        assert problem.examples
    assert kind in str(report) and problem.fix.split()[0] in str(report)


def test_every_kind_can_be_found(request):
    """But those that need a file system or another split, which have tests of their own."""
    elsewhere = {
        "needs_tifffile",
        "missing_file",
        "turned_tiff",
        "unreadable_sample",
        "array_shape",
        "leak",
    }
    assert set(KINDS) == set(FAULTS.values()) | elsewhere


def test_every_reason_why_a_file_is_not_read_is_a_kind():
    source = Path(semseg.__file__).parent / "data" / "reading"
    text = "".join(path.read_text("utf-8") for path in source.glob("*.py"))
    faults = set(re.findall(r"UnreadableFileError\(\s*\"(\w+)\"", text))
    assert len(faults) >= 10
    assert {KIND_OF_FAULT.get(fault, fault) for fault in faults} <= set(KINDS)
