"""Every kind of problem that the doctor knows: how sure it is, what it means, what to do."""

from typing import NamedTuple

from semseg.data.doctor.report import Level, Problem

EXAMPLES = 5


class Kind(NamedTuple):
    """The words for one kind of problem."""

    level: Level
    message: str
    fix: str


KINDS = {
    # -- files ---------------------------------------------------------------------------------
    "image_without_mask": Kind(
        "certain",
        "images have no mask of the same stem",
        "add the masks, remove the images, or say how names differ: image_suffix=, mask_suffix=",
    ),
    "mask_without_image": Kind(
        "certain",
        "masks have no image of the same stem",
        "add the images, remove the masks, or say how names differ: image_suffix=, mask_suffix=",
    ),
    "missing_file": Kind("certain", "files are missing", "copy them again"),
    "empty_file": Kind("certain", "files have 0 bytes", "copy them again, or on_error='skip'"),
    "truncated_file": Kind("certain", "files end too early", "copy them again, or on_error='skip'"),
    "unreadable_file": Kind(
        "certain",
        "files are damaged or no pictures",
        "copy or export them again, or on_error='skip'",
    ),
    "too_large": Kind(
        "certain",
        "files declare more pixels than max_pixels allows",
        "cut the pictures into tiles, or pass a larger max_pixels=",
    ),
    "several_pages": Kind(
        "certain", "files hold several pictures (pages, frames)", "save each as a file of its own"
    ),
    "turned_tiff": Kind("certain", "TIFF files are stored turned", "save them upright"),
    "wrong_extension": Kind(
        "certain",
        "files are of another format than their extension says, and other programs refuse them",
        "rename them",
    ),
    "unreadable_sample": Kind(
        "certain", "samples can't be read, the first: {0}", "mend what the error names"
    ),
    # -- the pair ------------------------------------------------------------------------------
    "size_mismatch": Kind(
        "certain",
        "image and mask differ in size",
        "export the masks at the images' size; never resize a mask but with nearest neighbour",
    ),
    "transposed_mask": Kind(
        "certain",
        "masks have height and width exchanged",
        "transpose them when they are written: mask.T",
    ),
    "exif_disagreement": Kind(
        "certain",
        "the image's EXIF entry turns it, and the mask was drawn on the unturned picture",
        "save the images upright without EXIF (exiftran -ai, mogrify -auto-orient), or turn the "
        "masks",
    ),
    "exif_half_turn": Kind(
        "likely",
        "the image's EXIF entry turns it by 180 degrees or mirrors it, the mask has no such entry, "
        "and their sizes can't tell whether the mask was drawn on the turned picture",
        "look at an overlay; save the images upright without EXIF",
    ),
    "swapped_folders": Kind(
        "certain",
        "images look like masks and masks like images",
        "exchange the two arguments: from_folders(images, masks, ...)",
    ),
    # -- what a mask holds -----------------------------------------------------------------------
    "jpeg_mask": Kind(
        "certain",
        "masks are JPEG files, which change ids near every border",
        "export them as PNG from the source; ids that JPEG has changed can't be brought back",
    ),
    "jpeg_halo": Kind(
        "certain",
        "masks hold many values close to the valid ones, as JPEG leaves them around borders",
        "export them again without passing through JPEG; saving as PNG afterwards does not help",
    ),
    "antialiased_mask": Kind(
        "certain",
        "masks hold values between those of neighbours along their borders: they were resized or "
        "drawn with interpolation",
        "export them again without anti-aliasing; resize masks with nearest neighbour only",
    ),
    "resized_mask": Kind(
        "likely",
        "borders between two ids run through the ids between them, which are classes too: the "
        "masks were resized or drawn with interpolation",
        "export them again without anti-aliasing; resize masks with nearest neighbour only",
    ),
    "mask_0_255": Kind(
        "certain",
        "masks of two classes hold 0 and {0} instead of 0 and 1",
        "ClassMap([...], remap={{{0}: 1}})",
    ),
    "off_by_one_ids": Kind(
        "certain",
        "ids run from 1 to {0}, but {0} classes have the ids 0 to {1}",
        "ClassMap([...], remap={{1: 0, 2: 1, ..., {0}: {1}}})",
    ),
    "wrong_ignore_label": Kind(
        "certain",
        "the id {0} is no class and not the ignored label, which is {1}",
        "ClassMap([...], ignore_class={0}), on the command line --ignore {0}, if it marks pixels "
        "without class; a name of its own if it is a class",
    ),
    "scaled_ids": Kind(
        "certain",
        "ids are multiples of {0}, as where they were stretched to be seen",
        "ClassMap([...], remap={1})",
    ),
    "gaps_in_ids": Kind(
        "certain",
        "ids have gaps: {0}",
        "ClassMap([...], remap={1}), if the classes stand in the order of these ids",
    ),
    "instance_ids": Kind(
        "certain",
        "each mask counts its objects from 1 upwards: these are instances, not classes",
        "encoding='instances' (--encoding instances)",
    ),
    "unknown_ids": Kind(
        "certain",
        "masks hold ids that the class_map does not know: {0}",
        "add them to the ClassMap, map them with remap={{raw: id}}, or ignore_class=",
    ),
    "palette_as_rgb": Kind(
        "certain",
        "masks hold the colours of the usual palette (PASCAL VOC's) in three channels: palette "
        "files were turned into RGB",
        "ClassMap([...], colors=[{0}]), encoding='rgb'",
    ),
    "bgr_colors": Kind(
        "certain",
        "red and blue are exchanged in the masks: {0}",
        "cv2.imwrite takes BGR: write mask[..., ::-1], or exchange them in colors=",
    ),
    "near_colors": Kind(
        "certain",
        "colours differ a little from those of the map: {0}",
        "ClassMap([...], remap={1}), encoding='rgb'",
    ),
    "unknown_colors": Kind(
        "certain",
        "masks hold colours that the class_map does not know: {0}",
        "add them to colors=, or map them with remap={{(red, green, blue): id}}",
    ),
    "colors_for_ids": Kind(
        "certain",
        "masks hold RGB colours where ids in one channel are expected",
        "encoding='rgb' with the colours in ClassMap([...], colors=...)",
    ),
    "ids_for_colors": Kind(
        "certain", "masks hold ids in one channel where RGB is expected", "encoding='ids'"
    ),
    "ids_in_three_channels": Kind(
        "hint", "masks hold their ids in three equal channels", "fine; one channel is smaller"
    ),
    "fractional_mask": Kind(
        "certain",
        "masks hold fractions: they were normalised or interpolated",
        "save the ids as whole numbers; a mask is never divided by 255",
    ),
    "float_mask": Kind("hint", "masks hold whole numbers as floats", "save them as uint8"),
    "mask_alpha": Kind("certain", "masks have an alpha channel", "save them without"),
    "mask_depth": Kind(
        "certain", "masks hold colours of more than 8 bits", "save them with 8 bits a channel"
    ),
    "empty_masks": Kind(
        "hint",
        "masks hold nothing but class 0 ({0})",
        "right if there is nothing in these pictures; else the annotation is missing",
    ),
    "only_ignored": Kind(
        "likely",
        "masks hold nothing but the ignored label: these samples teach nothing",
        "annotate them, or leave them out with subset",
    ),
    # -- classes ---------------------------------------------------------------------------------
    "absent_class": Kind(
        "likely",
        "classes never occur: {0}",
        "check their ids; leave them out with map_classes({{name: None}}) or split with stratify",
    ),
    "dominant_class": Kind(
        "likely",
        "one class has {0} of the labelled pixels: predicting it everywhere gives that accuracy",
        "class_weights=ds.class_weights(), and judge by mIoU, not by accuracy",
    ),
    # -- images ----------------------------------------------------------------------------------
    "transparent_image": Kind(
        "certain", "images have transparent pixels", "flatten them on a background"
    ),
    "opaque_alpha": Kind(
        "hint", "images have an alpha channel that is opaque", "fine: it is dropped when read"
    ),
    "array_shape": Kind(
        "certain",
        "array files have another shape or type than an image or mask",
        "save (height, width, channels) or (height, width) of numbers",
    ),
    "needs_tifffile": Kind(
        "certain",
        "TIFF files of many channels, or of floats, can't be read without tifffile",
        "pip install 'semseg[tiff]'",
    ),
    "mixed_images": Kind(
        "likely",
        "images differ in channels or depth: {0}",
        "channels=3 (or 1) where grey and colours are mixed; a model takes one form and one range",
    ),
    "sixteen_bit_images": Kind(
        "hint",
        "images have 16 bits, up to {0}",
        "preprocessing=ds.channel_statistics().normalization(); OpenCV alone would cut them to 8",
    ),
    "sixteen_bit_cut": Kind(
        "likely",
        "8-bit images reach only {0} of 255: perhaps 16-bit images that were cut to 8 bits",
        "read the originals; semseg keeps 16 bits",
    ),
    "normalised_images": Kind(
        "likely",
        "images are normalised already: {0}",
        "build the model with preprocessing=None, or pass the images as they were",
    ),
    "not_finite": Kind(
        "certain",
        "images hold NaN or infinity, and so will the loss",
        "np.nan_to_num before they are saved, or leave them out with subset",
    ),
    "constant_image": Kind(
        "likely", "images have one colour everywhere", "look at them; leave them out with subset"
    ),
    "black_image": Kind(
        "likely", "images are almost black", "look at them; were they scaled to [0, 1] and saved?"
    ),
    "unusual_size": Kind(
        "hint", "images are much larger, smaller or narrower than the others", "look at them"
    ),
    # -- samples beside each other -----------------------------------------------------------------
    "duplicate_image": Kind(
        "likely", "images are the same, pixel by pixel", "keep one of each, before splitting"
    ),
    "conflicting_masks": Kind(
        "certain",
        "the same image has different masks",
        "keep the right one",
    ),
    "leak": Kind(
        "certain",
        "images are in another split too ({0}): scores there are too good",
        "take them out of one of the two; ds.split(groups=...) keeps what belongs together",
    ),
}


class Tally:
    """Counts problems by kind and keeps the first few names of each."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[str], list[int], tuple[str, ...]]] = {}

    def add(self, kind: str, example: str, *details: str) -> None:
        """One more sample with a problem; `details` fill the words of its first one."""
        examples, count, _ = self._found.setdefault(kind, ([], [0], details))
        count[0] += 1
        if len(examples) < EXAMPLES:
            examples.append(example)

    def count(self, kind: str) -> int:
        """How many samples had it so far."""
        return self._found[kind][1][0] if kind in self._found else 0

    def problems(self) -> list[Problem]:
        """All that was found."""
        return [
            problem(kind, *details, count=count[0], examples=examples)
            for kind, (examples, count, details) in self._found.items()
        ]


def problem(
    kind: str, *details: str, count: int = 0, examples: list[str] | tuple[str, ...] = ()
) -> Problem:
    """A problem in the words of its kind, with details where the words have room for them."""
    level, message, fix = KINDS[kind]
    message, fix = message.format(*details), fix.format(*details)
    return Problem(kind, level, message, fix, count, tuple(examples[:EXAMPLES]))
