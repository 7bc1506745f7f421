"""What is odd about the pictures."""

from collections import Counter

from semseg.data.doctor.examine import Examined, ImageFacts, Size
from semseg.data.doctor.kinds import Tally, problem
from semseg.data.doctor.report import Problem

_FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0}
_DARK = 8 / 255  # of the full scale
_CUT = 31  # 8-bit images that stay below may be 12 or 13 of 16 bits, the lower 8 cut off
_AREA_RATIO, _ASPECT_RATIO = 8.0, 4.0


class Images:
    """Depth, range, channels and sizes."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.forms: Counter[tuple[int, str]] = Counter()
        self.examples: dict[tuple[int, str], str] = {}
        self.sizes: Counter[Size] = Counter()
        self.size_examples: dict[Size, str] = {}
        self.low, self.high = float("inf"), float("-inf")
        self.means: list[float] = [0.0, 0.0]  # sum of means, of deviations

    def see(self, sample: Examined) -> None:
        image = sample.image
        if image is None:
            return
        form = (image.channels, image.dtype)
        self.forms[form] += 1
        self.examples.setdefault(form, sample.id)
        self.sizes[image.size] += 1
        self.size_examples.setdefault(image.size, sample.id)
        self.low, self.high = min(self.low, image.low), max(self.high, image.high)
        self.means[0] += image.mean
        self.means[1] += image.std
        if not image.is_finite:
            self.tally.add("not_finite", sample.id)
        elif image.is_constant:
            self.tally.add("constant_image", sample.id)
        elif image.high <= _DARK * _FULL_SCALE.get(image.dtype, 0):
            self.tally.add("black_image", f"{sample.id} (up to {image.high:g})")

    def problems(self) -> list[Problem]:
        found = self.tally.problems()
        if not self.forms:
            return found
        number = self.forms.total()
        all_dark = self.tally.count("black_image") == number
        found = [p for p in found if p.kind != "black_image" or not all_dark]
        if len(self.forms) > 1:
            rarest = min(self.forms, key=self.forms.__getitem__)
            forms = ", ".join(f"{n}x {_text(*form)}" for form, n in self.forms.most_common(4))
            found.append(problem("mixed_images", forms, examples=[self.examples[rarest]]))
        kinds = {dtype for _, dtype in self.forms}
        if "uint16" in kinds:
            found.append(problem("sixteen_bit_images", f"{self.high:g}"))
        if kinds == {"uint8"} and self.high <= _CUT and self.tally.count("constant_image") < number:
            found.append(problem("sixteen_bit_cut", f"{self.high:g}"))
        if any(kind.startswith("float") for kind in kinds):
            found += self._normalised(number)
        return found + self._unusual_sizes()

    def _normalised(self, number: int) -> list[Problem]:
        mean, std = (total / number for total in self.means)
        span = f"{self.low:.3g} to {self.high:.3g}, mean {mean:.2g}, deviation {std:.2g}"
        in_unit_range = self.low >= -1 and self.high <= 1
        standardised = self.low < 0 and abs(mean) < 1 and 0.2 < std < 3
        return [problem("normalised_images", span)] if in_unit_range or standardised else []

    def _unusual_sizes(self) -> list[Problem]:
        """Against the size in the middle, of all images by area and by width to height."""
        area = _median({s: s[0] * s[1] for s in self.sizes}, self.sizes)
        aspect = _median({s: s[1] / s[0] for s in self.sizes}, self.sizes)
        odd = [
            size
            for size in self.sizes
            if _ratio(size[0] * size[1], area) > _AREA_RATIO
            or _ratio(size[1] / size[0], aspect) > _ASPECT_RATIO
        ]
        if not odd:
            return []
        examples = [f"{self.size_examples[s]} ({s[0]}x{s[1]})" for s in odd]
        return [problem("unusual_size", count=sum(self.sizes[s] for s in odd), examples=examples)]


def _text(channels: int, dtype: str) -> str:
    names = {1: "grey", 3: "RGB"}
    return f"{names.get(channels, f'{channels} channels')} {dtype}"


def _median(values: dict[Size, float], counts: Counter[Size]) -> float:
    half, seen = counts.total() / 2, 0
    for size in sorted(values, key=values.__getitem__):
        seen += counts[size]
        if seen >= half:
            return values[size]
    raise AssertionError("no sizes")


def _ratio(a: float, b: float) -> float:
    return max(a / b, b / a)


def looks_like_mask(image: ImageFacts) -> bool:
    """Few values, in large areas: what a picture never has."""
    return 1 < image.distinct <= 32
