"""Tiny public data sets in the layouts of their download pages: three samples each."""

import cv2
import numpy as np
from image_files import saved_palette

SIZE = (6, 8)


def raw_mask(values, number=0, dtype=np.uint8):
    """A mask in which the values take turns."""
    places = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) + number
    return np.asarray(values, dtype)[places % len(values)]


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(array)
    assert cv2.imwrite(str(path), array[..., ::-1] if array.ndim == 3 else array)


def picture(number):
    return np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8)


def write_ids(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(ids) + "\n")


def write_camvid_full(root):
    colours = np.array([(64, 128, 64), (0, 0, 0), (64, 192, 0)], np.uint8)
    for i, stem in enumerate(["0001TP_1", "0006R0_f1", "0016E5_1"]):
        write(root / f"701_StillsRaw_full/{stem}.png", picture(i))
        write(root / f"LabeledApproved_full/{stem}_L.png", colours[raw_mask([0, 1, 2], i)])
    return root


def write_voc(root):
    ids = ["2007_000032", "2007_000039", "2007_000063"]
    for i, stem in enumerate(ids):
        write(root / f"JPEGImages/{stem}.jpg", picture(i))
        (root / "SegmentationClass").mkdir(exist_ok=True)
        saved_palette(root / f"SegmentationClass/{stem}.png", raw_mask([0, 1, 20, 255], i))
    write_ids(root / "ImageSets/Segmentation/train.txt", ids)
    return root


def write_oxford_pets(root):
    for i, stem in enumerate(["Abyssinian_1", "beagle_1", "yorkshire_terrier_9"]):
        write(root / f"images/{stem}.jpg", picture(i) if i else picture(i)[..., 0])
        write(root / f"annotations/trimaps/{stem}.png", raw_mask([1, 2, 3], i))
    (root / "annotations/trimaps/._beagle_1.png").write_bytes(b"the archive has such files too")
    (root / "annotations/trainval.txt").write_text(
        "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\nbeagle_1 5 2 4\n"
        "yorkshire_terrier_9 37 2 25\n"
    )
    return root


def write_cityscapes(root):
    for i, stem in enumerate(["aachen/aachen_0_1", "bochum/bochum_0_1", "bochum/bochum_0_2"]):
        write(root / f"leftImg8bit/train/{stem}_leftImg8bit.png", picture(i))
        gt = root / "gtFine/train"
        write(gt / f"{stem}_gtFine_labelIds.png", raw_mask([*range(34), 255], i))
        write(gt / f"{stem}_gtFine_instanceIds.png", raw_mask([7, 26001], i, np.uint16))
        write(gt / f"{stem}_gtFine_color.png", picture(9))
    return root


def write_ade20k(root):
    for i in range(3):
        write(root / f"images/training/ADE_train_{i}.jpg", picture(i) if i else picture(0)[..., 0])
        write(root / f"annotations/training/ADE_train_{i}.png", raw_mask([0, 1, 150], i))
    return root


def write_isbi_em(root, slices=30):
    for i in range(slices):
        write(root / f"image/{i:02d}.png", picture(i)[..., 0])
        write(root / f"label/{i:02d}.png", raw_mask([0, 255], i))
    return root


def write_nuclei(root):
    ids = ["00071198d059", "01d44a26f668", "0280fa8f60f6"]
    for i, stem in enumerate(ids):
        write(root / f"image/{stem}.png", picture(i) if i else picture(i)[..., 0])
        instances = np.zeros(SIZE, np.uint16)
        instances[1:3, 1:3], instances[1:3, 4:6], instances[5, 7] = 300, 2, 1
        write(root / f"instances/{stem}.png", instances)
    write_ids(root / "train.txt", ids)
    return root


WRITERS = {
    "ade20k": write_ade20k,
    "camvid_full": write_camvid_full,
    "cityscapes": write_cityscapes,
    "isbi_em": write_isbi_em,
    "nuclei": write_nuclei,
    "oxford_pets": write_oxford_pets,
    "voc": write_voc,
}
