"""What masks hold, against what the class map says they hold."""

from collections import Counter

from semseg.classes import ClassMap
from semseg.data.doctor.examine import Examined
from semseg.data.doctor.kinds import Tally, problem
from semseg.data.doctor.report import Problem
from semseg.data.doctor.rules.colors import color_problems, rgb
from semseg.data.doctor.rules.ids import id_problems
from semseg.data.doctor.rules.strays import MaskValues
from semseg.data.encodings import Encoding, MaskDecoder

INTERPOLATED = ("antialiased_mask", "jpeg_halo")


class Masks:
    """The masks of a set, those of each way of reading judged by themselves.

    A set that was made by `concat` may have several: ids here and colours there.

    Args:
        has_classes: whether somebody has said what the files should hold.
    """

    def __init__(self, has_classes: bool = True) -> None:
        self.has_classes = has_classes
        self.read_alike: dict[MaskDecoder, MasksReadAlike] = {}

    def see(self, sample: Examined) -> None:
        decoder = sample.decoder
        if decoder is None or sample.mask is None:
            return
        if decoder not in self.read_alike:
            class_map = decoder.class_map if self.has_classes else None
            self.read_alike[decoder] = MasksReadAlike(class_map, decoder.encoding)
        self.read_alike[decoder].see(sample)

    def problems(self) -> list[Problem]:
        return [found for masks in self.read_alike.values() for found in masks.problems()]

    def found(self) -> dict[str, dict[str, int]]:
        """The ids and colours with their pixels, for the report's head."""
        ids: Counter[int] = Counter()
        colors: Counter[int] = Counter()
        for masks in self.read_alike.values():
            ids.update({} if masks.encoding == "instances" else masks.ids.pixels)
            colors.update(masks.colors.pixels)
        shown = {}
        if ids:
            shown["ids (pixels)"] = {str(v): n for v, n in sorted(ids.items())}
        if colors:
            shown["colours (pixels)"] = {str(rgb(v)): n for v, n in colors.most_common(32)}
        return shown


class MasksReadAlike:
    """Collects the values of masks; the rules for ids and colours judge them at the end.

    Args:
        class_map: what the files should hold, None where nobody has said.
        encoding: as which the masks are read.
    """

    def __init__(self, class_map: ClassMap | None, encoding: Encoding) -> None:
        self.class_map = class_map
        self.encoding = encoding
        self.tally = Tally()
        self.ids = MaskValues()
        self.colors = MaskValues()

    def see(self, sample: Examined) -> None:
        mask = sample.mask
        if mask is None:
            return
        if mask.fractional:
            self.tally.add("fractional_mask", sample.id)
            return
        if mask.dtype.startswith("float"):
            self.tally.add("float_mask", sample.id)
        if mask.file is not None and mask.file.kind in ("JPEG", "MPO"):
            return  # said already; its values are what JPEG has made of them
        values = self.colors if mask.channels == 3 and not mask.is_grey else self.ids
        values.see(sample)
        if mask.is_grey and self.encoding == "ids":
            self.tally.add("ids_in_three_channels", sample.id)
        if mask.channels == 1 and self.encoding == "rgb":
            self.tally.add("ids_for_colors", sample.id)

    def problems(self) -> list[Problem]:
        found = self.tally.problems()
        if self.encoding == "instances":
            return found
        if self.colors.masks:
            found += color_problems(self.colors, self.class_map, self.encoding)
        if self.ids.masks and self.encoding != "rgb":
            found += id_problems(self.ids, self.class_map)
        if self.ids.is_ramped() and not any(p.kind in INTERPOLATED for p in found):
            found.append(problem("resized_mask"))
        return found
