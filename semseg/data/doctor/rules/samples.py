"""Samples beside each other: the same picture twice, in one split or in two."""

from collections.abc import Mapping

from semseg.data.doctor.examine import Examined
from semseg.data.doctor.kinds import Tally
from semseg.data.doctor.report import Problem


class Samples:
    """Compares hashes of the decoded pixels: eight bytes a picture are all that is kept.

    Args:
        elsewhere: the hashes of other splits' pictures -> (split, id).
    """

    def __init__(self, elsewhere: Mapping[int, tuple[str, str]]) -> None:
        self.tally = Tally()
        self.elsewhere = elsewhere
        self.first: dict[int, tuple[str, int | None]] = {}

    def see(self, sample: Examined) -> None:
        if sample.image is None or sample.image.is_constant:
            return
        digest = sample.image.digest
        mask = None if sample.mask is None else sample.mask.digest
        if digest in self.first:
            other, other_mask = self.first[digest]
            same = mask == other_mask
            kind = "duplicate_image" if same else "conflicting_masks"
            self.tally.add(kind, f"{sample.id} = {other}")
        else:
            self.first[digest] = sample.id, mask
        if digest in self.elsewhere:
            split, other = self.elsewhere[digest]
            self.tally.add("leak", f"{sample.id} = {other} of {split}", split)

    def problems(self) -> list[Problem]:
        return self.tally.problems()
