"""Which classes occur, and how much of them."""

from collections import Counter

from semseg.classes import ClassMap
from semseg.data.doctor.examine import Examined
from semseg.data.doctor.kinds import Tally, problem
from semseg.data.doctor.report import Problem

_DOMINANT = 0.99


class Classes:
    """Counts of the decoded masks."""

    def __init__(self, class_map: ClassMap) -> None:
        self.class_map = class_map
        self.tally = Tally()
        self.pixels: Counter[int] = Counter()

    def see(self, sample: Examined) -> None:
        if sample.mask is None or sample.mask.classes is None:
            return
        classes = sample.mask.classes
        self.pixels.update(classes)
        if set(classes) == {0}:
            self.tally.add("empty_masks", sample.id, self.class_map.names[0])
        elif set(classes) == {self.class_map.ignore_class}:
            self.tally.add("only_ignored", sample.id)

    def problems(self) -> list[Problem]:
        found = self.tally.problems()
        labelled = {i: self.pixels[i] for i in range(self.class_map.num_classes)}
        total = sum(labelled.values())
        if not total:
            return found
        absent = [self.class_map.names[i] for i, count in labelled.items() if not count]
        if absent:
            found.append(problem("absent_class", ", ".join(absent)))
        largest = max(labelled, key=labelled.__getitem__)
        if labelled[largest] > _DOMINANT * total:
            share = f"{labelled[largest] / total:.2%}"
            found.append(problem("dominant_class", share, examples=[self.class_map.names[largest]]))
        return found
