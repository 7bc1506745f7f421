"""The values of all masks of a set, and those among them that only stand along borders."""

from collections import Counter
from collections.abc import Callable, Collection

from semseg.data.doctor.edges import Edges
from semseg.data.doctor.examine import Examined
from semseg.data.doctor.kinds import EXAMPLES

_MOST_VALUES = 1 << 16  # of a set; whatever else there is, it holds no ids
# A drawn mask steps from class to class at nearly every border, thin objects aside.
_RAMPS, _FEWEST_BORDERS = 0.5, 20
_FEWEST_STRAYS = 3  # one or two unknown values may be thin classes
_IN_AREAS = 0.5  # a value that fills areas was not made by interpolation
# How far from the nearest valid value, as a part of the way to the next: interpolation falls
# anywhere between two (a quarter in the middle of the list), JPEG's noise stays close to one.
_CLOSE = 0.15
_MANY = 2  # values close to each valid one, as noise makes them; a wrong table makes one


class MaskValues:
    """Counts of ids or colour codes over the masks of a set."""

    def __init__(self) -> None:
        self.masks = 0
        self.pixels: Counter[int] = Counter()
        self.inside: Counter[int] = Counter()
        self.edges = Edges(0, 0)
        self.examples: list[str] = []  # of masks that can't be decoded
        self.bad = 0
        self.all_count_up = True  # every mask holds 1..n beside 0
        self.longest, self.shortest = 0, 1 << 62

    def see(self, sample: Examined) -> None:
        """One more mask."""
        mask = sample.mask
        assert mask is not None
        self.masks += 1
        if len(self.pixels) < _MOST_VALUES:
            self.pixels.update(mask.values)
            self.inside.update(mask.inside)
        self.edges = self.edges.plus(mask.edges)
        if mask.classes is None:
            self.bad += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(sample.id)
        objects = sorted(set(mask.values) - {0})
        self.all_count_up &= objects == list(range(1, len(objects) + 1))
        self.longest = max(self.longest, len(objects))
        self.shortest = min(self.shortest, len(objects))

    def is_ramped(self) -> bool:
        """Whether most borders run through the values between: a drawn mask steps at once."""
        return self.edges.ramps >= _FEWEST_BORDERS and self.edges.ramp_share > _RAMPS

    def strays(
        self, valid: Collection[int], distance: Callable[[int, int], float]
    ) -> tuple[str, set[int]]:
        """What an interpolation or JPEG has added to the valid values: its kind, and the values.

        Returns:
            "jpeg_halo" or "antialiased_mask" and the values that it explains; or "" and none.
        """
        unknown = set(self.pixels) - set(valid)
        if len(valid) < 2 or len(unknown) < _FEWEST_STRAYS:
            return "", set()
        noise = [v for v in unknown if _part_of_the_way(v, valid, distance) < _CLOSE]
        is_most = 2 * sum(self.pixels[v] for v in noise) > sum(self.pixels[v] for v in unknown)
        if is_most and len(noise) > _MANY * len(valid):
            return "jpeg_halo", unknown
        lines = {v for v in unknown if not self._fills_areas(v)}
        if self.is_ramped() and len(lines) >= _FEWEST_STRAYS:
            return "antialiased_mask", lines
        return "", set()

    def _fills_areas(self, value: int) -> bool:
        return self.inside[value] > _IN_AREAS * self.pixels[value]


def _part_of_the_way(
    value: int, anchors: Collection[int], distance: Callable[[int, int], float]
) -> float:
    """0 at the nearest anchor, 1/2 in the middle between the two nearest."""
    near, next_one = sorted(distance(value, anchor) for anchor in anchors)[:2]
    return near / (near + next_one)
