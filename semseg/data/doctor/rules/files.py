"""Files that can't be read, or not as they pretend, and pairs that do not fit together."""

from semseg.data.doctor.examine import Examined, FileFacts, Size
from semseg.data.doctor.kinds import Tally
from semseg.data.doctor.report import Problem

# UnreadableFileError.fault -> kind of problem, where the names differ.
KIND_OF_FAULT = {
    "missing": "missing_file",
    "empty": "empty_file",
    "truncated": "truncated_file",
    "damaged": "unreadable_file",
    "transparent": "transparent_image",
    "channels": "array_shape",
    "sample": "unreadable_sample",
}
_EXTENSIONS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "MPO": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "NPY": (".npy",),
}
_SIDEWAYS = (5, 6, 7, 8)


class Files:
    """Faults, formats and sizes; nothing is remembered but counts."""

    def __init__(self) -> None:
        self.tally = Tally()

    def see(self, sample: Examined) -> None:
        for fault in sample.faults:
            self.tally.add(KIND_OF_FAULT.get(fault.fault, fault.fault), fault.name, fault.message)
        for facts in (sample.image, sample.mask):
            if facts is not None and facts.file is not None:
                self._see_format(facts.file, is_mask=facts is sample.mask)
        if sample.image is not None and sample.mask is not None:
            self._see_sizes(sample)

    def problems(self) -> list[Problem]:
        return self.tally.problems()

    def _see_format(self, file: FileFacts, is_mask: bool) -> None:
        if file.suffix not in _EXTENSIONS.get(file.kind, (file.suffix,)):
            self.tally.add("wrong_extension", f"{file.name} ({file.kind})")
        if is_mask and file.kind in ("JPEG", "MPO"):
            self.tally.add("jpeg_mask", file.name)
        if not is_mask and file.has_alpha:
            self.tally.add("opaque_alpha", file.name)

    def _see_sizes(self, sample: Examined) -> None:
        image, mask = sample.image, sample.mask
        assert image is not None and mask is not None
        turned = image.file.orientation if image.file else 1
        mask_turned = mask.file.orientation if mask.file else 1
        drawn_unturned = image.file is not None and image.file.stored == mask.size
        if image.size != mask.size:
            if turned != mask_turned and drawn_unturned:
                kind = "exif_disagreement"
            elif image.size == mask.size[::-1]:
                kind = "transposed_mask"
            else:
                kind = "size_mismatch"
            self.tally.add(kind, f"{sample.id} ({_text(image.size)} and {_text(mask.size)})")
        elif turned != mask_turned and drawn_unturned:
            square = turned in _SIDEWAYS or mask_turned in _SIDEWAYS
            self.tally.add("exif_half_turn", f"{sample.id}{' (square)' if square else ''}")


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
