"""The pictures of "Reading your scores": one for each trap, every number counted by semseg.

    python docs/score_traps.py

draws `docs/images/scores/*.png` anew. The text of a trap is its picture's alt text on the page,
which a test compares.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from score_drawing import (
    MISLEADS,
    Bar,
    Trap,
    figure_of,
    grey,
    intervals,
    painted,
    pair,
    reliability,
    save,
    wrong,
)

import semseg
from semseg.metrics import Scores, functional
from semseg.regions import boundary_band

FOLDER = Path(__file__).parent / "images" / "scores"
STREETS = semseg.ClassMap(["road", "car", "sign", "tram"], ignore_class=255)


# -- the traps, in the page's order --------------------------------------------------------------


def thin_objects() -> Trap:
    mask, pred = street()
    scores = Scores(functional.confusion_matrix(mask, pred, 4, 255), STREETS.names)
    colors = dict(zip(STREETS.names, STREETS.colors, strict=True))
    bars = [
        Bar(f"IoU {name}", scores[f"iou/{name}"], "#{:02x}{:02x}{:02x}".format(*colors[name]))
        for name in ("road", "car", "sign")
    ]
    return Trap(
        f"All is one pixel off: the IoU of the road stays {bars[0].value:.3f}, that of the thin "
        f"sign is {bars[2].value:.3f}.",
        [("truth", painted(mask, STREETS)), ("prediction", painted(pred, STREETS))],
        bars,
    )


def dice_beside_iou() -> Trap:
    mask = disc(64, (32, 29), 18)
    pred = np.roll(mask, 9, axis=1)
    scores = functional.scores(functional.confusion_matrix(mask, pred, 2))
    bars = [Bar("Dice", scores.dice[1], MISLEADS), Bar("IoU", scores.iou[1])]
    return Trap(
        f"One prediction: the Dice of the cell is {bars[0].value:.3f}, its IoU "
        f"{bars[1].value:.3f}.",
        [*pair(mask, pred), ("wrong pixels", wrong(mask, pred))],
        bars,
    )


def found_everywhere() -> Trap:
    mask = disc(64, (32, 32), 16)
    preds = {"A": np.ones_like(mask), "B": disc(64, (32, 32), 4)}
    found = {
        k: functional.scores(functional.confusion_matrix(mask, p, 2)) for k, p in preds.items()
    }
    bars = [
        Bar("A: accuracy", found["A"].recall[1], MISLEADS),
        Bar("A: IoU", found["A"].iou[1]),
        Bar("B: precision", found["B"].precision[1], MISLEADS),
        Bar("B: IoU", found["B"].iou[1]),
    ]
    return Trap(
        f"A cell predicted everywhere has an accuracy of {bars[0].value:.3f}, one predicted hardly "
        f"ever a precision of {bars[2].value:.3f}; their IoU is {bars[1].value:.3f} and "
        f"{bars[3].value:.3f}.",
        [
            ("truth", painted(mask)),
            ("A: everywhere", painted(preds["A"])),
            ("B: hardly ever", painted(preds["B"])),
        ],
        bars,
    )


def equal_errors() -> Trap:
    mask = street()[0][:9, 3:17]
    sign = mask == 2
    preds = {"A": np.where(np.roll(sign, (5, -3), (0, 1)), 1, mask), "B": np.where(sign, 0, mask)}
    found = {
        k: functional.scores(functional.confusion_matrix(mask, p, 4)) for k, p in preds.items()
    }
    bars = [
        Bar("A: pixel accuracy", found["A"].pixel_accuracy, MISLEADS),
        Bar("B: pixel accuracy", found["B"].pixel_accuracy, MISLEADS),
        Bar("A: mean IoU", found["A"].mean_iou),
        Bar("B: mean IoU", found["B"].mean_iou),
    ]
    return Trap(
        f"Two pixels of road (A) or the sign's two pixels (B) are wrong: pixel accuracy is "
        f"{bars[0].value:.3f} for both, mean IoU {bars[2].value:.3f} and {bars[3].value:.3f}.",
        [
            ("truth", painted(mask, STREETS)),
            ("A", painted(preds["A"], STREETS)),
            ("B", painted(preds["B"], STREETS)),
        ],
        bars,
    )


def other_shares() -> Trap:
    """Of each class nine tenths are right, in two sets."""
    rng, sets = np.random.default_rng(0), {}
    for name, height in (("A", 20), ("B", 2)):
        mask = np.zeros((40, 40), int)
        mask[:height] = 1
        pred = mask.copy()
        for class_id in (0, 1):
            places = rng.permutation(np.flatnonzero(mask == class_id))
            pred.flat[places[: len(places) // 10]] = 1 - class_id
        sets[name] = mask, pred
    found = {k: functional.scores(functional.confusion_matrix(*s, 2)) for k, s in sets.items()}
    bars = [
        Bar("A: mean accuracy", found["A"].mean_accuracy, MISLEADS),
        Bar("B: mean accuracy", found["B"].mean_accuracy, MISLEADS),
        Bar("A: kappa", found["A"].kappa),
        Bar("B: kappa", found["B"].kappa),
    ]
    return Trap(
        f"A mean accuracy of {bars[0].value:.3f} in a set with equal shares (A) and in one with a "
        f"rare class (B): kappa is {bars[2].value:.3f} and {bars[3].value:.3f}.",
        [(f"{name}: prediction", painted(pred)) for name, (_, pred) in sets.items()],
        bars,
    )


def rare_class() -> Trap:
    y, x = np.ogrid[:100, :100]
    distance = ((y - 60) ** 2 + (x - 35) ** 2).ravel()
    mask = np.zeros(100 * 100, int)
    mask[np.argsort(distance, kind="stable")[:100]] = 1
    mask = mask.reshape(100, 100)
    pred = np.zeros_like(mask)
    scores = functional.scores(functional.confusion_matrix(mask, pred, 2))
    bars = [
        Bar("pixel accuracy", scores.pixel_accuracy, MISLEADS),
        Bar("frequency-weighted IoU", scores.frequency_weighted_iou, MISLEADS),
        Bar("mean IoU", scores.mean_iou, MISLEADS),
        Bar("IoU of the tumour", scores.iou[1]),
    ]
    return Trap(
        f"The tumour was missed: pixel accuracy {bars[0].value:.3f}, mean IoU "
        f"{bars[2].value:.3f}, IoU of the tumour {bars[3].value:.3f}.",
        pair(mask, pred),
        bars,
    )


def absent_class() -> Trap:
    mask, pred = street()
    confusion = functional.confusion_matrix(mask, pred, 4, 255)
    skip, zero, one = (
        functional.scores(confusion, absent=absent).mean_iou for absent in ("skip", "zero", "one")
    )
    return Trap(
        f"There is no tram. Mean IoU is {skip:.3f} when it is left out, {zero:.3f} when it counts "
        f"0, {one:.3f} when it counts 1.",
        [("truth", painted(mask, STREETS)), ("prediction", painted(pred, STREETS))],
        [
            Bar('"skip": left out', skip),
            Bar('"zero": tram is 0', zero, MISLEADS),
            Bar('"one": tram is 1', one, MISLEADS),
        ],
    )


def mean_over_images() -> Trap:
    masks, preds = np.zeros((2, 2, 4, 4), int)
    masks[0, 0, 0] = 1
    masks[1], preds[1] = 1, 1
    each = functional.confusion_matrix(masks, preds, 2, per_image=True)
    alone = [functional.scores(confusion).mean_iou for confusion in each]
    whole = functional.scores(each.sum(axis=0)).mean_iou
    mean = functional.scores(each, per_image=True).mean_iou
    names = ("truth 1", "prediction 1", "truth 2", "prediction 2")
    ids = (masks[0], preds[0], masks[1], preds[1])
    return Trap(
        f"Two images with a mean IoU of {alone[0]:.3f} and {alone[1]:.3f}: the mean over images is "
        f"{mean:.3f}, the value of the set {whole:.3f}.",
        [(name, painted(i)) for name, i in zip(names, ids, strict=True)],
        [Bar("mean of both", mean, MISLEADS), Bar("of the set", whole)],
    )


def labels_0_255() -> Trap:
    cell = disc(64, (34, 30), 14)
    pred = cell * (np.arange(64) < 30)
    known = cell == 0
    dropped = functional.confusion_matrix(cell[known], pred[known], 2)
    counted = Scores(dropped, invalid_pixels=int((~known).sum()))
    mended = functional.scores(functional.confusion_matrix(cell, pred, 2))
    bars = [
        Bar("255 dropped, as Keras does", functional.scores(dropped).mean_iou, MISLEADS),
        Bar("255 counted as invalid", counted["mean_iou"]),
        Bar("remap={255: 1}", mended.mean_iou),
    ]
    return Trap(
        f"A mask of 0 and 255, half of the cell found: mean IoU {bars[0].value:.3f} when 255 is "
        f"dropped, {bars[1].value:.3f} when it counts as invalid, {bars[2].value:.3f} when it is "
        "class 1.",
        pair(cell, pred),
        bars,
    )


def unlabelled_rim() -> Trap:
    mask = disc(64, (32, 32), 18)
    pred = disc(64, (32, 32), 20)
    mask[(disc(64, (32, 32), 21) == 1) & (disc(64, (32, 32), 16) == 0)] = 255
    ignored = functional.confusion_matrix(mask, pred, 2, ignore_class=255)
    counted = functional.confusion_matrix(np.where(mask == 255, 0, mask), pred, 2)
    bars = [
        Bar("IoU, rim as ground", functional.scores(counted).iou[1], MISLEADS),
        Bar("IoU, rim ignored", functional.scores(ignored).iou[1]),
    ]
    return Trap(
        f"A rim that nobody could label (hatched): the IoU of the cell is {bars[1].value:.3f} when "
        f"it is ignored, {bars[0].value:.3f} when it counts as ground.",
        pair(mask, pred),
        bars,
    )


def probability_as_logit() -> Trap:
    y, x = np.ogrid[:64, :64]
    distance = np.hypot(y - 34, x - 30)
    probability = 0.05 + 0.9 / (1 + np.exp((distance - 15) / 3))
    mask = (probability > 0.5).astype(int)
    preds = [(probability > 0.5), (probability > 0), probability.astype(int)]
    values = [functional.scores(functional.confusion_matrix(mask, p, 2)).mean_iou for p in preds]
    return Trap(
        f"Probabilities of a perfect prediction: mean IoU {values[0]:.3f} with threshold=0.5, "
        f"{values[1]:.3f} when they are read as logits, {values[2]:.3f} when cast to integers.",
        [
            ("probability", grey(probability)),
            ("> 0.5", painted(preds[0])),
            ("> 0", painted(preds[1])),
            ("cast to int", painted(preds[2])),
        ],
        [
            Bar("> 0.5", values[0]),
            Bar("> 0", values[1], MISLEADS),
            Bar("cast to int", values[2], MISLEADS),
        ],
    )


def weights_cut() -> Trap:
    mask, pred = disc(64, (32, 32), 20), disc(64, (32, 32), 17)
    weights = np.where(boundary_band(mask, 5), 0.5, 1.0)
    values = [
        functional.scores(functional.confusion_matrix(mask, pred, 2, sample_weight=w)).iou[1]
        for w in (weights, np.floor(weights))
    ]
    return Trap(
        f"Pixels near the boundary weigh a half: IoU {values[0]:.3f}; with weights cut to whole "
        f"numbers the errors weigh nothing and it is {values[1]:.3f}.",
        [("weights, 1 and 0.5", grey(weights)), ("wrong pixels", wrong(mask, pred))],
        [Bar("0.5 cut to 0", values[1], MISLEADS), Bar("0.5 is 0.5", values[0])],
    )


def blurred_borders() -> Trap:
    mask = blob(96, seed=3)
    pred = mask[4::8, 4::8].repeat(8, 0).repeat(8, 1)
    pixel = 1 / np.hypot(*mask.shape)
    f1 = {n: functional.boundary_f1(mask, pred, 2, tolerance=n * pixel).mean for n in (1, 2, 4)}
    iou = functional.scores(functional.confusion_matrix(mask, pred, 2)).mean_iou
    return Trap(
        f"A prediction in blocks of eight pixels: mean IoU {iou:.3f}; boundary F1 is {f1[1]:.3f}, "
        f"{f1[2]:.3f} and {f1[4]:.3f} with a tolerance of 1, 2 and 4 pixels.",
        pair(mask, pred),
        [
            Bar("mean IoU", iou, MISLEADS),
            *(Bar(f"boundary F1, {n} px", value) for n, value in f1.items()),
        ],
    )


def merged_objects() -> Trap:
    mask = np.zeros((64, 64), int)
    for y in (3, 23, 43):
        for x in (3, 23, 43):
            mask[y : y + 18, x : x + 18] = 1
    pred = np.zeros_like(mask)
    pred[3:61, 3:61] = 1
    pred[21:23] = pred[41:43] = 0
    return of_objects(
        "Cells in a row grown together: IoU of the class {iou:.3f}, F1 of whole cells {f1:.3f}.",
        mask,
        pred,
    )


def lost_objects() -> Trap:
    mask = disc(64, (24, 24), 19)
    pred = mask.copy()
    for centre in ((54, 10), (55, 30), (50, 52), (30, 56), (10, 54)):
        mask |= disc(64, centre, 2)
    return of_objects(
        "One large cell found, five small ones lost: IoU of the class {iou:.3f}, F1 of whole cells "
        "{f1:.3f}.",
        mask,
        pred,
    )


def of_objects(text: str, mask: np.ndarray, pred: np.ndarray) -> Trap:
    iou = functional.scores(functional.confusion_matrix(mask, pred, 2)).iou[1]
    f1 = functional.object_scores(mask, pred, 2).f1[0, 1]
    return Trap(
        text.format(iou=iou, f1=f1),
        pair(mask, pred),
        [Bar("IoU", iou, MISLEADS), Bar("F1 of objects", f1)],
    )


def too_sure() -> Trap:
    """Two models with the same ids; the second one's logits are three times as large."""
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 1.5, 20_000)
    mask = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(int)
    shares = {"A": 1 / (1 + np.exp(-logit)), "B": 1 / (1 + np.exp(-3 * logit))}
    errors = {
        name: functional.expected_calibration_error(mask, share[:, None], bins=10)
        for name, share in shares.items()
    }
    accuracy = {k: float(((share > 0.5) == mask).mean()) for k, share in shares.items()}
    bars = [
        *(Bar(f"{name}: pixel accuracy", accuracy[name], MISLEADS) for name in "AB"),
        *(Bar(f"{name}: calibration error", errors[name].error) for name in "AB"),
    ]
    return Trap(
        f"Two models with the same ids, pixel accuracy {accuracy['A']:.3f}: one knows how sure it "
        f"may be (calibration error {errors['A'].error:.3f}), the other is too sure "
        f"({errors['B'].error:.3f}).",
        [(name, reliability(errors[name])) for name in "AB"],
        bars,
    )


def chance() -> Trap:
    """The same two models compared on few images and on many."""
    rng = np.random.default_rng(4)
    ease = rng.uniform(0.75, 0.95, 160)
    confusions = []
    for gain in (0.012, 0):
        right = rng.binomial(400, np.minimum(ease + gain + rng.normal(0, 0.02, 160), 1), (2, 160))
        confusions.append([[[r, 400 - r], [400 - s, s]] for r, s in right.T.tolist()])
    found = {n: functional.compare(confusions[0][:n], confusions[1][:n]) for n in (8, 160)}
    few, many = found.values()
    return Trap(
        f"The difference of two models' mean IoU with its interval: {few.difference:.3f} on 8 "
        f"images (p = {few.p_value:.3f}), {many.difference:.3f} on 160 (p = {many.p_value:.3f}).",
        [("mean IoU of A minus mean IoU of B", intervals(found))],
        [],
    )


TRAPS: list[Callable[[], Trap]] = [
    thin_objects,
    dice_beside_iou,
    found_everywhere,
    equal_errors,
    other_shares,
    rare_class,
    absent_class,
    mean_over_images,
    labels_0_255,
    unlabelled_rim,
    probability_as_logit,
    weights_cut,
    blurred_borders,
    merged_objects,
    lost_objects,
    too_sure,
    chance,
]


# -- scenes --------------------------------------------------------------------------------------


def street() -> tuple[np.ndarray, np.ndarray]:
    """The page's first scene: everything is predicted one pixel off."""
    mask = np.zeros((10, 20), int)
    mask[2:6, 4:10] = 1
    mask[1:3, 15] = 2
    mask[9] = 255
    pred = np.roll(mask, 1, axis=1)
    pred[pred == 255] = 0
    return mask, pred


def disc(size: int, centre: tuple[int, int], radius: float) -> np.ndarray:
    y, x = np.ogrid[:size, :size]
    return ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius * (radius + 1)).astype(int)


def blob(size: int, seed: int) -> np.ndarray:
    """One region with a wavy outline."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    angle = np.arctan2(y, x)
    waves = np.random.default_rng(seed).uniform(0, 2 * np.pi, 7)
    radius = 0.33 + sum(0.035 * np.sin(k * angle + w) for k, w in enumerate(waves, start=2))
    return (np.hypot(y, x) < radius * size).astype(int)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in TRAPS:
        trap = make()
        path = FOLDER / f"{make.__name__}.png"
        save(figure_of(trap), path)
        print(f"![{trap.text}](images/scores/{path.name})\n")


if __name__ == "__main__":
    main()
