"""The whole way together: wrong labels end in a named error or in `invalid_pixels`, never in a
score that looks right.
"""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import semseg

CLASSES = 3
IGNORED = 255
STREETS = semseg.ClassMap(["road", "car", "sky"], ignore_class=IGNORED)
SIZE = (16, 20)


def true_mask(index):
    """All classes and the ignored label, never symmetric."""
    mask = np.random.default_rng(index).integers(0, CLASSES, SIZE).astype("uint8")
    mask[0, :CLASSES] = range(CLASSES)
    mask[1, :2] = IGNORED
    return mask


def write_folders(folder, change_mask=lambda mask: mask, change_image=lambda image: image):
    """Four pairs; the images show the true masks."""
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for index in range(4):
        mask = true_mask(index)
        image = np.repeat((mask * 60)[..., None], 3, axis=-1)
        cv2.imwrite(str(folder / f"images/{index}.png"), change_image(image))
        cv2.imwrite(str(folder / f"masks/{index}.png"), change_mask(mask))
    return folder / "images", folder / "masks"


def run_chain(images, masks, class_map=STREETS):
    """from_folders -> pipeline -> fit -> score, as a user writes it."""
    ds = semseg.data.from_folders(images, masks, class_map)
    model = small_model(class_map)
    model.fit(ds.pipeline(2), verbose=0)
    return semseg.inference.score(model, ds)


def small_model(class_map=STREETS):
    model = semseg.models.UNet(class_map=class_map, depth=1, filters=4)
    model.compile(
        "adam",
        semseg.losses.Crossentropy(ignore_class=class_map.ignore_class),
        metrics=[semseg.metrics.MeanIoU(class_map.num_classes, class_map.ignore_class)],
    )
    return model


def test_right_folders_go_all_the_way(tmp_path):
    scores = run_chain(*write_folders(tmp_path))
    valid = sum((true_mask(i) != IGNORED).sum() for i in range(4))
    assert scores.confusion.sum() == valid
    assert scores.invalid_pixels == 0
    assert scores.absent == ()


def test_0_255_masks_are_told_how_to_become_0_1(tmp_path):
    folders = write_folders(tmp_path, lambda mask: np.where(mask == 1, 255, 0).astype("uint8"))
    binary = semseg.ClassMap(["background", "car"])
    with pytest.raises(ValueError, match=r"ids \[255\].*remap=\{255: 1\}.*masks.0\.png"):
        run_chain(*folders, binary)
    mended = semseg.ClassMap(["background", "car"], remap={255: 1})
    assert run_chain(*folders, mended).pixels[1] > 0


def test_ids_that_start_at_one_are_told_to_be_mapped_down(tmp_path):
    def off_by_one(mask):
        return np.where(mask == IGNORED, IGNORED, mask + 1).astype("uint8")

    folders = write_folders(tmp_path, off_by_one)
    with pytest.raises(ValueError, match=r"ids \[3\] outside 0\.\.2.*start at 1.*remap="):
        run_chain(*folders)


def test_another_ignore_label_is_named(tmp_path):
    folders = write_folders(tmp_path, lambda mask: np.where(mask == IGNORED, 254, mask))
    with pytest.raises(ValueError, match=r"ids \[254\].*ignore_class=254"):
        run_chain(*folders)


def test_images_and_masks_in_each_others_place_are_noticed(tmp_path):
    images, masks = write_folders(tmp_path)
    with pytest.raises(ValueError, match=r"mask has ids .* outside 0\.\.2.*images.0\.png"):
        run_chain(masks, images)


def test_16_bit_images_for_an_8_bit_model_are_refused(tmp_path):
    folders = write_folders(tmp_path, change_image=lambda image: image.astype("uint16") * 257)
    with pytest.raises(ValueError, match=r"\[0, 255\].*uint16.*preprocessing="):
        run_chain(*folders)


def test_images_divided_by_255_are_warned_of():
    ds = semseg.data.Dataset(
        lambda i: (np.full((*SIZE, 3), 0.5, "float32"), true_mask(i)), ["a", "b"], STREETS
    )
    with pytest.warns(UserWarning, match=r"\[0, 1\].*preprocessing=None"):
        ds.pipeline(2)
    with pytest.warns(UserWarning, match=r"\[0, 1\].*preprocessing=None"):
        semseg.inference.predict(small_model(), ds[0][0])


def test_wrong_arrays_given_to_fit_show_in_loss_and_invalid_pixels():
    model = small_model()
    images = np.zeros((2, *SIZE, 3), "uint8")
    masks = np.stack([true_mask(0), true_mask(1)])
    wrong = np.where(masks == 2, 77, masks)
    logs = model.fit(images, wrong, verbose=0).history
    assert np.isnan(logs["loss"][0])
    metric = next(m for m in model.metrics[1].metrics if m.name == "mean_iou")
    assert metric.invalid_pixels == (wrong == 77).sum()


@pytest.fixture(scope="module")
def compiled_metric():
    """MeanIoU and PixelAccuracy as a compiled evaluation sees them."""
    metrics = [
        semseg.metrics.MeanIoU(CLASSES, IGNORED),
        semseg.metrics.PixelAccuracy(CLASSES, IGNORED),
    ]

    @tf.function
    def update(mask, pred):
        for metric in metrics:
            metric.update_state(mask, pred)

    def evaluate(mask, pred):
        for metric in metrics:
            metric.reset_state()
        update(tf.constant(mask, tf.int32), tf.constant(pred, tf.int32))
        return [float(metric.result()) for metric in metrics], metrics[0].invalid_pixels

    return evaluate


masks = arrays(np.int32, (1, 4, 5), elements=st.integers(0, CLASSES - 1))
outside = st.sampled_from([-1, CLASSES, CLASSES + 1, 254, 100_000])


@given(mask=masks, pred=masks, corrupted=arrays(bool, (1, 4, 5)), wrong=outside)
def test_labels_that_become_no_class_never_raise_a_score(
    compiled_metric, mask, pred, corrupted, wrong
):
    scores, _ = compiled_metric(mask, pred)
    worse, invalid = compiled_metric(np.where(corrupted, wrong, mask), pred)
    assert invalid == corrupted.sum()
    assert all(after <= before + 1e-6 for before, after in zip(scores, worse, strict=True))


tables = st.lists(st.integers(-2, CLASSES + 2), min_size=CLASSES, max_size=CLASSES)


@given(mask=masks, table=tables)
def test_no_relabelling_raises_the_score_of_a_perfect_prediction(compiled_metric, mask, table):
    corrupted = np.array(table)[mask]
    scores, _ = compiled_metric(corrupted, mask)
    assert all(score <= 1 for score in scores)
    if (corrupted != mask).any():
        assert all(score < 1 for score in scores)


def test_the_perfect_prediction_scores_one(compiled_metric):
    mask = true_mask(0)[None].astype("int32")
    scores, invalid = compiled_metric(mask, np.where(mask == IGNORED, 0, mask))
    assert scores == [1.0, 1.0]
    assert invalid == 0


def test_the_metric_names_the_cure_of_a_0_255_mask():
    mask, pred = np.array([[[0, 255, 255]]]), np.zeros((1, 1, 3), int)
    with pytest.raises(ValueError, match=r"remap=\{255: 1\}"):
        semseg.metrics.MeanIoU(num_classes=2).update_state(mask, pred)
