"""A factory of broken data sets: each fault is put into a clean folder of image and mask files."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from semseg.classes import ClassMap
from semseg.data.doctor import check_folders


@dataclass(frozen=True)
class Clean:
    """Pairs of (image, mask of class ids), and what the ids mean."""

    images: list[np.ndarray]
    masks: list[np.ndarray]
    class_map: ClassMap


@dataclass
class Folder:
    """The pairs as files, and how they would be read."""

    root: Path
    clean: Clean
    class_map: ClassMap | None
    encoding: str = "ids"

    @property
    def images(self):
        return sorted((self.root / "images").iterdir())

    @property
    def masks(self):
        return sorted((self.root / "masks").iterdir())

    def check(self, **pairing):
        return check_folders(
            self.root / "images", self.root / "masks", self.class_map, self.encoding, **pairing
        )

    def write_masks(self, change):
        """`change(mask of class ids)` -> the array of the file, for every mask."""
        for path, mask in zip(self.masks, self.clean.masks, strict=True):
            save(path, change(mask))

    def write_images(self, change):
        for path, image in zip(self.images, self.clean.images, strict=True):
            save(path, change(image))

    def with_map(self, **changes):
        known = {"names": self.class_map.names, "ignore_class": self.class_map.ignore_class}
        self.class_map = ClassMap(**{**known, **changes})


def save(path, array):
    """By Pillow, but for 16 bit and numbers."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif array.dtype == np.uint16:
        assert cv2.imwrite(str(path), array if array.ndim == 2 else array[..., ::-1])
    else:
        Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array).save(path)


def write(clean, root):
    """A clean folder."""
    for part, arrays in (("images", clean.images), ("masks", clean.masks)):
        (root / part).mkdir(parents=True)
        for i, array in enumerate(arrays):
            save(root / part / f"{i:02d}.png", array)
    return Folder(root, clean, clean.class_map)


def binary(folder):
    """The same pictures with two classes and nothing ignored."""
    masks = [((m > 0) & (m != 255)).astype(np.uint8) for m in folder.clean.masks]
    folder.clean = replace(folder.clean, masks=masks)
    folder.class_map = ClassMap(["background", "object"])
    folder.write_masks(lambda mask: mask)


def renamed(path, suffix):
    return path.rename(path.with_suffix(suffix))


def as_npy(folder, change):
    for path, mask in zip(folder.masks, folder.clean.masks, strict=True):
        path.unlink()
        np.save(path.with_suffix(".npy"), change(mask))


# -- files ---------------------------------------------------------------------------------------


def image_without_mask(folder):
    folder.masks[2].unlink()


def mask_without_image(folder):
    folder.images[2].unlink()


def empty_file(folder):
    folder.images[1].write_bytes(b"")


def truncated_file(folder):
    path = folder.images[1]
    Image.fromarray(folder.clean.images[1]).save(path.with_suffix(".jpg"), quality=90)
    path.unlink()
    data = path.with_suffix(".jpg").read_bytes()
    path.with_suffix(".jpg").write_bytes(data[: len(data) // 2])


def unreadable_file(folder):
    folder.masks[1].write_bytes(b"no picture at all")


def too_large(folder):
    header = bytearray(folder.images[1].read_bytes())
    header[16:24] = (60000).to_bytes(4, "big") * 2
    header[29:33] = np.uint32(__import__("zlib").crc32(header[12:29])).byteswap().tobytes()
    folder.images[1].write_bytes(header)


def several_pages(folder):
    path = folder.images[0]
    pages = [Image.fromarray(image) for image in folder.clean.images[:2]]
    path.unlink()
    pages[0].save(path.with_suffix(".tif"), save_all=True, append_images=pages[1:])


def wrong_extension(folder):
    for path, image in zip(folder.images, folder.clean.images, strict=True):
        Image.fromarray(image).save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
        renamed(path.with_suffix(".jpg"), ".png")


# -- the pair ------------------------------------------------------------------------------------


def size_mismatch(folder):
    mask = folder.clean.masks[0]
    save(folder.masks[0], np.ascontiguousarray(mask[:-4, :-4]))


def transposed_mask(folder):
    folder.write_masks(lambda mask: np.ascontiguousarray(mask.T))


def exif_disagreement(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(folder.clean.images[0]).save(folder.images[0], exif=exif)


def exif_half_turn(folder):
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(folder.clean.images[0]).save(folder.images[0], exif=exif)


def swapped_folders(folder):
    (folder.root / "images").rename(folder.root / "away")
    (folder.root / "masks").rename(folder.root / "images")
    (folder.root / "away").rename(folder.root / "masks")
    for path in folder.masks:  # one channel, so that it is read as ids at all
        save(path, np.asarray(Image.open(path).convert("L")))


# -- what masks hold -----------------------------------------------------------------------------


def jpeg_mask(folder):
    for path in folder.masks:
        Image.open(path).save(path.with_suffix(".jpg"), quality=90)
        path.unlink()


def jpeg_halo(folder):
    """0/255 masks that have been JPEG once and are PNG again."""
    binary(folder)
    folder.with_map(remap={255: 1})

    def through_jpeg(mask):
        _, data = cv2.imencode(".jpg", mask * 255, [cv2.IMWRITE_JPEG_QUALITY, 85])
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)

    folder.write_masks(through_jpeg)


def antialiased_mask(folder):
    binary(folder)
    folder.with_map(remap={255: 1})
    folder.write_masks(lambda mask: cv2.blur(mask * 255, (3, 3)))


def resized_mask(folder):
    """Ids interpolated into ids that are classes too."""

    def there_and_back(mask):
        half = cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
        return cv2.resize(half, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)

    folder.clean = replace(
        folder.clean, masks=[np.where(m == 255, 0, m).astype(np.uint8) for m in folder.clean.masks]
    )
    folder.write_masks(there_and_back)


def mask_0_255(folder):
    binary(folder)
    folder.write_masks(lambda mask: mask * 255)


def off_by_one_ids(folder):
    folder.write_masks(lambda mask: np.where(mask == 255, 255, mask + 1).astype(np.uint8))


def wrong_ignore_label(folder):
    folder.with_map(ignore_class=None)


def scaled_ids(folder):
    folder.write_masks(lambda mask: np.where(mask == 255, 255, mask * 20).astype(np.uint8))


def gaps_in_ids(folder):
    odd = np.array([0, 1, 2, 3, 5, 7, 11, 12, 13, 21, 27], np.uint8)
    folder.write_masks(lambda mask: np.where(mask == 255, 255, odd[np.minimum(mask, 10)]))


def instance_ids(folder):
    binary(folder)

    def numbered(mask):
        _, components = cv2.connectedComponents(mask)
        return components.astype(np.uint16)

    folder.write_masks(numbered)


def unknown_ids(folder):
    def sprinkled(mask):
        mask = mask.copy()
        mask[5:9, 5:9], mask[20:24, 5:9] = 77, 191
        return mask

    folder.write_masks(sprinkled)


def palette_as_rgb(folder):
    palette = np.array(
        [[((i >> c) & 1) << 7 | ((i >> c + 3) & 1) << 6 for c in range(3)] for i in range(64)]
    )
    folder.write_masks(
        lambda mask: np.where(mask[..., None] == 255, (224, 224, 192), palette[mask % 64]).astype(
            np.uint8
        )
    )


def colors_for_ids(folder):
    colors = np.random.default_rng(0).integers(0, 256, (256, 3)).astype(np.uint8)
    folder.write_masks(lambda mask: colors[mask])


def rgb_masks(folder):
    """Clean, in the colours of the map."""
    folder.encoding = "rgb"
    folder.write_masks(folder.class_map.colorize)


def bgr_colors(folder):
    rgb_masks(folder)
    folder.write_masks(lambda mask: folder.class_map.colorize(mask)[..., ::-1].copy())


def near_colors(folder):
    rgb_masks(folder)
    folder.write_masks(
        lambda mask: np.clip(
            folder.class_map.colorize(mask).astype(int) + (3, -2, 1), 0, 255
        ).astype(np.uint8)
    )


def unknown_colors(folder):
    rgb_masks(folder)

    def sprinkled(mask):
        colors = folder.class_map.colorize(mask)
        colors[4:12, 4:12] = (1, 254, 77)
        return colors

    folder.write_masks(sprinkled)


def jpeg_halo_in_colours(folder):
    rgb_masks(folder)

    def through_jpeg(mask):
        _, data = cv2.imencode(
            ".jpg", folder.class_map.colorize(mask), [cv2.IMWRITE_JPEG_QUALITY, 92]
        )
        return cv2.imdecode(data, cv2.IMREAD_COLOR)

    folder.write_masks(through_jpeg)


def antialiased_colours(folder):
    rgb_masks(folder)
    folder.write_masks(lambda mask: cv2.blur(folder.class_map.colorize(mask), (3, 3)))


def ids_for_colors(folder):
    folder.encoding = "rgb"


def fractional_mask(folder):
    as_npy(folder, lambda mask: mask.astype(np.float32) / 255)


def float_mask(folder):
    as_npy(folder, lambda mask: mask.astype(np.float32))


def ids_in_three_channels(folder):
    folder.write_masks(lambda mask: np.stack([mask] * 3, -1))


def mask_alpha(folder):
    folder.write_masks(lambda mask: np.dstack([mask, mask, mask, np.full_like(mask, 255)]))


def mask_depth(folder):
    folder.write_masks(lambda mask: np.stack([mask.astype(np.uint16) * 257] * 3, -1))


def empty_masks(folder):
    save(folder.masks[3], np.zeros_like(folder.clean.masks[3]))


def only_ignored(folder):
    save(folder.masks[3], np.full_like(folder.clean.masks[3], 255))


# -- classes -------------------------------------------------------------------------------------


def absent_class(folder):
    rarest = folder.class_map.num_classes - 1
    folder.write_masks(lambda mask: np.where(mask == rarest, 255, mask).astype(np.uint8))


def dominant_class(folder):
    binary(folder)

    def a_dot(mask):
        mask = np.zeros_like(mask)
        mask[10:13, 10:13] = 1
        return mask

    folder.write_masks(a_dot)


# -- images --------------------------------------------------------------------------------------


def transparent_image(folder):
    folder.write_images(lambda image: np.dstack([image, image[..., 0]]))


def opaque_alpha(folder):
    folder.write_images(lambda image: np.dstack([image, np.full_like(image[..., 0], 255)]))


def mixed_images(folder):
    save(folder.images[0], np.ascontiguousarray(folder.clean.images[0][..., 1]))


def sixteen_bit_images(folder):
    folder.write_images(lambda image: image.astype(np.uint16) * 200)


def sixteen_bit_cut(folder):
    """12-bit pictures in 16-bit files, of which something kept the upper byte."""
    folder.write_images(lambda image: (image.astype(np.uint16) * 16 >> 8).astype(np.uint8))


def normalised_images(folder):
    for path, image in zip(folder.images, folder.clean.images, strict=True):
        path.unlink()
        np.save(path.with_suffix(".npy"), (image / 127.5 - 1).astype(np.float32))


def not_finite(folder):
    """One picture of floats, a tenth of which some division has made NaN or infinite."""
    for number, (path, image) in enumerate(zip(folder.images, folder.clean.images, strict=True)):
        path.unlink()
        wide = image.astype(np.float32) * 20
        if number == 2:
            wide[::20], wide[10::20] = np.nan, np.inf
        np.save(path.with_suffix(".npy"), wide)


def constant_image(folder):
    save(folder.images[2], np.full_like(folder.clean.images[2], 90))


def black_image(folder):
    save(folder.images[2], folder.clean.images[2] // 40)


def unusual_size(folder):
    image, mask = folder.clean.images[0], folder.clean.masks[0]
    save(folder.images[0], np.ascontiguousarray(image[:8]))
    save(folder.masks[0], np.ascontiguousarray(mask[:8]))


# -- samples beside each other -------------------------------------------------------------------


def duplicate_image(folder):
    for part in ("images", "masks"):
        shutil.copy(folder.root / part / "01.png", folder.root / part / "99.png")


def conflicting_masks(folder):
    shutil.copy(folder.root / "images/01.png", folder.root / "images/99.png")
    shutil.copy(folder.root / "masks/02.png", folder.root / "masks/99.png")


#: Fault -> the kind under which the doctor must name it, where the name differs.
FAULTS = {
    fault: fault.__name__
    for fault in (
        image_without_mask, mask_without_image, empty_file, truncated_file, unreadable_file,
        too_large, several_pages, wrong_extension, size_mismatch, transposed_mask,
        exif_disagreement, exif_half_turn, swapped_folders, jpeg_mask, jpeg_halo,
        antialiased_mask, resized_mask, mask_0_255, off_by_one_ids, wrong_ignore_label, scaled_ids,
        gaps_in_ids, instance_ids, unknown_ids, palette_as_rgb, colors_for_ids, bgr_colors,
        near_colors, unknown_colors, ids_for_colors, fractional_mask, float_mask,
        ids_in_three_channels, mask_alpha, mask_depth, empty_masks, only_ignored, absent_class,
        dominant_class, transparent_image, opaque_alpha, mixed_images, sixteen_bit_images,
        sixteen_bit_cut, normalised_images, not_finite, constant_image, black_image, unusual_size,
        duplicate_image, conflicting_masks,
    )
} | {
    jpeg_halo_in_colours: "jpeg_halo",
    antialiased_colours: "antialiased_mask",
}  # fmt: skip
