"""One pass over a data set with every rule."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.doctor.examine import Examined, examine, examine_files, image_digest
from semseg.data.doctor.kinds import problem
from semseg.data.doctor.report import LEVELS, Problem, Report
from semseg.data.doctor.rules.classes import Classes
from semseg.data.doctor.rules.files import Files
from semseg.data.doctor.rules.images import Images, looks_like_mask
from semseg.data.doctor.rules.masks import Masks
from semseg.data.doctor.rules.samples import Samples
from semseg.data.encodings import Encoding, MaskDecoder
from semseg.data.files import PathLike
from semseg.data.passes import in_order
from semseg.data.samples import SampleFiles
from semseg.data.sources.folders import pair_folders

_FEWEST_SWAPPED = 0.9  # of the samples


class _Rule(Protocol):
    def see(self, sample: Examined) -> None: ...

    def problems(self) -> list[Problem]: ...


def check(ds: Dataset, against: Sequence[Dataset] = ()) -> Report:
    """Looks at every sample once, with two threads and a progress bar, and says what is wrong.

    Args:
        ds: any data set; of files, the raw contents are judged, so that one that can't be read
            is judged too.
        against: other splits, in which no picture of this one may be found.
    """
    if isinstance(against, Dataset):
        against = (against,)
    elsewhere: dict[int, tuple[str, str]] = {}
    for other in against:
        read = partial(image_digest, other)
        digests = in_order(read, range(len(other)), len(other), f"reading {other.name}")
        for name, digest in zip(other.ids, digests, strict=True):
            if digest is not None:
                elsewhere[digest] = other.name, str(name)
    rules = _rules(ds.class_map, elsewhere)
    samples = in_order(lambda i: examine(ds, i), range(len(ds)), len(ds), f"checking {ds.name}")
    return _report(ds.name, samples, rules)


def check_folders(
    images: PathLike,
    masks: PathLike,
    class_map: ClassMap | None = None,
    encoding: Encoding = "ids",
    **pairing: Any,
) -> Report:
    """Checks two folders that need not make a data set: lone files and unknown classes too.

    Args:
        images: folder of pictures.
        masks: folder of masks.
        class_map: what the masks should hold; None judges them by themselves.
        encoding: as in `from_folders`.
        **pairing: `image_suffix`, `mask_suffix`, `pattern` and `recursive` of `from_folders`.

    Raises:
        ValueError: "rgb" without a `class_map`, whose colours it needs.
    """
    if encoding == "rgb" and class_map is None:
        raise ValueError(
            "encoding='rgb' needs a class_map with the masks' colours, received None; pass "
            "class_map= (--classes, a file of `name red green blue` lines)"
        )
    pairs = pair_folders(images, masks, **pairing)
    names = ["background", "object"] if encoding == "instances" else map(str, range(256))
    stand_in = class_map or ClassMap(list(names))
    decoder = MaskDecoder(stand_in, encoding)
    rules = _rules(class_map, {})
    samples = in_order(
        lambda pair: examine_files(pair.id, SampleFiles(pair.image, pair.mask, decoder)),
        pairs.pairs,
        len(pairs.pairs),
        "checking",
    )
    report = _report(Path(images).name, samples, rules)
    lone = [
        problem(kind, count=len(files), examples=[file.name for file in files])
        for kind, files in (
            ("image_without_mask", pairs.lone_images),
            ("mask_without_image", pairs.lone_masks),
        )
        if files
    ]
    return Report(report.name, report.samples, report.found, _sorted([*lone, *report.problems]))


def _rules(class_map: ClassMap | None, elsewhere: dict[int, tuple[str, str]]) -> list[_Rule]:
    rules: list[_Rule] = [
        Files(),
        Masks(class_map is not None),
        Images(),
        Samples(elsewhere),
        _Swapped(),
    ]
    return rules if class_map is None else [*rules, Classes(class_map)]


def _report(name: str, samples: Iterable[Examined], rules: list[_Rule]) -> Report:
    number = 0
    for sample in samples:
        number += 1
        for rule in rules:
            rule.see(sample)
    problems = [p for rule in rules for p in rule.problems()]
    if any(p.kind == "swapped_folders" for p in problems):  # which explains everything else
        problems = [p for p in problems if p.kind == "swapped_folders"]
    return Report(name, number, _found(rules), _sorted(problems))


def _found(rules: list[_Rule]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rule in rules:
        if isinstance(rule, Images):
            found["images"] = {f"{c} channels {d}": n for (c, d), n in rule.forms.most_common()}
            found["sizes"] = {f"{h}x{w}": n for (h, w), n in rule.sizes.most_common(32)}
        elif isinstance(rule, Masks):
            found |= rule.found()
    return found


def _sorted(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Worst first; within a level those of most samples, those of the whole set before."""
    key: Callable[[Problem], tuple[int, float]] = lambda p: (  # noqa: E731
        LEVELS.index(p.level),
        -p.count if p.count else float("-inf"),
    )
    return tuple(sorted(problems, key=key))


class _Swapped:
    """Whether the two folders were exchanged."""

    def __init__(self) -> None:
        self.samples = 0
        self.swapped: list[str] = []

    def see(self, sample: Examined) -> None:
        if sample.image is None or sample.mask is None:
            return
        self.samples += 1
        colourful = len(sample.mask.values) > 64 and sample.mask.classes is None
        if looks_like_mask(sample.image) and colourful:
            self.swapped.append(sample.id)

    def problems(self) -> list[Problem]:
        if self.samples and len(self.swapped) > _FEWEST_SWAPPED * self.samples:
            return [problem("swapped_folders", count=len(self.swapped), examples=self.swapped)]
        return []
