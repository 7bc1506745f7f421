"""Faults in regions: cleaning, tables of objects, outlines."""

from faults.fault import Fault

CLEANING = "tests/regions/test_cleaning.py"
TABLES = "tests/regions/test_object_tables.py"
OUTLINES = "tests/regions/test_outlines.py"

FAULTS = [
    Fault(
        "parts-of-just-enough-pixels-removed",
        "semseg/regions/cleaning.py",
        "np.bincount(parts.ravel()) < least",
        "np.bincount(parts.ravel()) <= least",
        (CLEANING,),
    ),
    Fault(
        "background-removed-too",
        "semseg/regions/cleaning.py",
        "small[0] = False",
        "small[0] = small[0]",
        (CLEANING,),
    ),
    Fault(
        "holes-leak-at-corners",
        "semseg/regions/cleaning.py",
        "components(ids == background, neighbours=4)",
        "components(ids == background, neighbours=8)",
        (CLEANING,),
    ),
    Fault(
        "holes-at-the-frame-filled",
        "semseg/regions/cleaning.py",
        "if min(top, left) == 0 or bottom == height or right == width:",
        "if min(top, left) == 0 and bottom == height and right == width:",
        (CLEANING,),
    ),
    Fault(
        "holes-filled-with-ignored",
        "semseg/regions/cleaning.py",
        "if len(rim) == 1 and rim[0] != ignore_class:",
        "if len(rim) == 1:",
        (CLEANING,),
    ),
    Fault(
        "ignored-pixels-are-objects",
        "semseg/regions/object_tables.py",
        "counts &= classes != ignore_class",
        "counts &= classes != -1",
        (TABLES,),
    ),
    Fault(
        "boxes-without-their-last-row",
        "semseg/regions/object_tables.py",
        "r.stop, c.stop",
        "r.stop - 1, c.stop",
        (TABLES,),
    ),
    Fault(
        "pockets-are-no-holes",
        "semseg/regions/outlines.py",
        "(left >= 0) & (part_of[left] == part_of)",
        "(left >= 0) & (ahead < 0) & (right < 0)",
        (OUTLINES,),
    ),
    Fault(
        "corners-join-parts",
        "semseg/regions/outlines.py",
        "(left >= 0) & (part_of[left] == part_of)",
        "left >= 0",
        (OUTLINES,),
    ),
    Fault(
        "holes-are-filled",
        "semseg/regions/outlines.py",
        "ring if sign * signed_area(ring) > 0 else ring[::-1]",
        "ring if signed_area(ring) > 0 else ring[::-1]",
        (OUTLINES,),
    ),
    Fault(
        "coco-along-rows",
        "semseg/regions/interchange.py",
        "_runs(inside.T.ravel())",
        "_runs(inside.ravel())",
        (OUTLINES,),
    ),
    Fault(
        "runs-begin-inside",
        "semseg/regions/interchange.py",
        "[0, *lengths] if flat[0] else lengths",
        "lengths",
        (OUTLINES,),
    ),
    Fault(
        "rings-left-open",
        "semseg/regions/interchange.py",
        "return [*corners, corners[0]]",
        "return corners",
        (OUTLINES,),
    ),
]
