"""draw_grid and draw_augmentations: which samples, with what written above them."""

from types import SimpleNamespace

import numpy as np
import pytest

from semseg.classes import ClassMap
from semseg.data import Dataset, digits, from_arrays, shapes
from semseg.data.transforms import Brightness, Compose, Flip, aerial
from semseg.viz import WRONG_COLOR, draw_augmentations, draw_grid, draw_overlay, grid
from semseg.viz._marks import hatch
from semseg.viz._theme import DARK

CELLS = ClassMap(["background", "cell"], ignore_class=255)


@pytest.fixture
def rows(monkeypatch):
    """The rows of the page that is drawn next."""
    seen = []
    assemble = grid.assemble
    monkeypatch.setattr(grid, "assemble", lambda *page: seen.extend(page[0]) or assemble(*page))
    return seen


def data_set(count, size=(96, 128)):
    images = [np.full((*size, 3), i, np.uint8) for i in range(count)]
    return from_arrays(images, [np.zeros(size, int)] * count, CELLS)


def captions(rows):
    return [caption for row in rows for caption in row.captions]


def report(*problems):
    found = [SimpleNamespace(kind=kind, examples=names) for kind, names in problems]
    return SimpleNamespace(problems=found)


def test_thumbnails_are_overlays_in_rows(rows):
    ds = shapes("val", count=3)
    draw_grid(ds, columns=2, max_width=2 * 128 + 100 + 480)
    assert [len(row.pictures) for row in rows] == [2, 2]
    assert rows[1].pictures[1] is None
    for place, (image, mask) in zip(((0, 0), (0, 1), (1, 0)), ds, strict=True):
        thumbnail = rows[place[0]].pictures[place[1]]
        factor = len(thumbnail) // len(mask)
        assert factor * len(mask) == len(thumbnail)
        small = thumbnail[factor // 2 :: factor, factor // 2 :: factor]
        colored = (mask != 0) & (mask != 255)
        close = np.abs(small.astype(int) - draw_overlay(image, mask, ds.class_map))[colored]
        assert np.median(close) <= 4  # the picture is interpolated


def test_without_a_report_samples_are_spread_over_the_data_set(rows):
    draw_grid(data_set(100), count=5)
    assert captions(rows)[:5] == ["0", "25", "50", "74", "99"]


def test_a_small_data_set_is_shown_whole(rows):
    draw_grid(data_set(3))
    assert captions(rows) == ["0", "1", "2"]


def test_samples_with_problems_come_first_with_their_kinds_and_a_frame(rows):
    found = report(
        ("conflicting_masks", ["12 = 7", "4 = 9 of val"]),
        ("unusual_size", ["30 (96x128)", "7 (96x128)"]),
        ("dominant_class", ["background"]),
    )
    picture = draw_grid(data_set(40), count=6, columns=6, report=found)
    assert captions(rows) == [
        "12: conflicting_masks",
        "7: conflicting_masks, unusual_size",
        "4: conflicting_masks",
        "30: unusual_size",
        "0",
        "39",
    ]
    framed = [bool((p[0] == WRONG_COLOR).all()) for p in rows[0].pictures]
    assert framed == [True] * 4 + [False] * 2
    assert (picture[-60:] == WRONG_COLOR).all(-1).sum() > 50  # the legend says what a frame is


def test_the_doctors_own_report_is_understood(rows):
    image, mask = shapes("val", count=1)[0]
    ds = from_arrays([image] * 3 + [image[::-1]], [mask, mask, mask * 0, mask], shapes().class_map)
    draw_grid(ds, report=ds.check())
    kinds = dict(caption.split(": ") for caption in captions(rows) if ": " in caption)
    assert "conflicting_masks" in kinds["2"]


def broken_data_set():
    def read(index):
        if index == 1:
            raise OSError("1.png ends too early")
        return np.zeros((12, 16, 3), np.uint8), np.full((12, 16), 7 * (index == 2))

    return Dataset(read, ["0", "1", "2"], CELLS)


def test_samples_that_cannot_be_read_are_hatched_where_the_report_says_so(rows):
    found = report(("unreadable_image", ["1"]), ("unknown_ids", ["2"]))
    draw_grid(broken_data_set(), report=found)
    assert captions(rows) == ["1: unreadable_image", "2: unknown_ids", "0"]
    for picture in rows[0].pictures[:2]:
        np.testing.assert_array_equal(picture[4:-4, 4:-4], hatch(*picture.shape[:2])[4:-4, 4:-4])
    draw_grid(broken_data_set(), count=1, report=found)


def test_a_sample_that_cannot_be_read_is_an_error_else():
    with pytest.raises(OSError, match="ends too early"):
        draw_grid(broken_data_set(), report=report(("unknown_ids", ["2"])))
    with pytest.raises(ValueError, match="sample '2'"):
        draw_grid(broken_data_set().subset([0, 2]))


def test_samples_of_different_sizes_share_a_row(rows):
    images = [np.zeros((40, 60, 3), np.uint8), np.zeros((80, 60, 3), np.uint8)]
    picture = draw_grid(from_arrays(images, [i[..., 0] for i in images], CELLS), dark=True)
    assert len(rows[0].pictures[0]) * 2 == len(rows[0].pictures[1])
    assert tuple(picture[0, 0]) == DARK.paper


def test_augmentations_are_those_of_the_first_epochs(rows):
    ds = digits("train", count=4)
    transform = Compose([Flip(0.5), Brightness(0.3)])
    draw_augmentations(ds, transform, index=2, count=3, seed=5)
    assert captions(rows) == ["original", "epoch 1", "epoch 2", "epoch 3"]
    seen = []

    def watched(image, mask, rng):
        seen.append(transform(image, mask, rng))
        return seen[-1]

    draw_augmentations(ds, watched, index=2, count=3, seed=5)
    source = ds.batch_source(4, augment=transform, seed=5, shuffle=False, epochs=3)
    for epoch, (image, mask) in enumerate(seen[1:]):  # the first is a look at what comes
        images, masks = source[epoch]
        np.testing.assert_array_equal(images[2], image)
        np.testing.assert_array_equal(masks[2], mask)


def test_the_same_seed_draws_the_same():
    ds = digits("train", count=1)
    first = draw_augmentations(ds, Brightness(0.5), seed=1)
    np.testing.assert_array_equal(first, draw_augmentations(ds, Brightness(0.5), seed=1))
    assert not np.array_equal(first, draw_augmentations(ds, Brightness(0.5), seed=2))


def test_presets_fill_what_lies_outside_with_the_ignored_id_as_in_training(rows):
    ds = shapes("train", count=1)
    draw_augmentations(ds, aerial(size=(96, 96)), count=1)
    assert rows[0].pictures[1].shape[0] == rows[0].pictures[1].shape[1]


def test_a_preview_needs_no_sample_but_its_own():
    ds = broken_data_set()
    with pytest.raises(OSError, match="ends too early"):
        draw_augmentations(ds, Flip(), index=1)
    assert draw_augmentations(ds, Flip(), index=0, count=1).shape[-1] == 3
    first = draw_augmentations(ds, Flip(), index=-3, count=1)
    np.testing.assert_array_equal(first, draw_augmentations(ds, Flip(), index=0, count=1))


def test_a_transform_that_fails_is_named_with_its_sample():
    with pytest.raises(ZeroDivisionError, match="sample '0' of 'arrays'"):
        draw_augmentations(data_set(1), lambda image, mask, rng: 1 / 0)


@pytest.mark.parametrize("name", ["count", "columns"])
def test_numbers_below_1_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be an int >= 1, received 0"):
        draw_grid(data_set(2), **{name: 0})
    with pytest.raises(ValueError, match=f"{name} must be an int >= 1, received 0"):
        draw_augmentations(data_set(2), Flip(), **{name: 0})


def test_a_transform_that_invents_ids_is_named_with_its_sample():
    message = r"sample '0' of 'arrays': mask after Compose\(\[<lambda>\]\) has ids \[9\] outside 0"
    with pytest.raises(ValueError, match=message):
        draw_augmentations(data_set(1), lambda image, mask, rng: (image, mask + 9))


def test_a_narrow_page_is_refused():
    with pytest.raises(ValueError, match="max_width must be a whole number of pixels >= 480"):
        draw_grid(data_set(1), max_width=100)
