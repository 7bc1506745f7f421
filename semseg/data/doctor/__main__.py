"""python -m semseg.data.doctor IMAGES MASKS: what is wrong with two folders of images and masks."""

import argparse
import sys
from pathlib import Path
from typing import get_args

from semseg.classes import ClassMap
from semseg.data.doctor.checkup import check_folders
from semseg.data.doctor.report import Report
from semseg.data.encodings import Encoding


def main(arguments: list[str] | None = None) -> int:
    """Prints the report; 0 for hints at most, 1 for problems, 2 if it can't run."""
    parser = argparse.ArgumentParser(
        prog="python -m semseg.data.doctor",
        description="Finds what is wrong with a folder of images and a folder of masks.",
        epilog="exit status: 0 nothing but hints, 1 problems, 2 the check could not run",
    )
    parser.add_argument("images", type=Path, help="folder of pictures")
    parser.add_argument("masks", type=Path, help="folder of masks")
    parser.add_argument(
        "--classes",
        type=Path,
        help="text file of classes in id order: `name` or `name red green blue` a line",
    )
    parser.add_argument("--ignore", type=int, help="the id of pixels without class")
    parser.add_argument(
        "--encoding",
        choices=[e for e in get_args(Encoding) if e != "auto"],
        default="ids",
        help="how masks are meant: ids (default), rgb colours, or a number for each object",
    )
    parser.add_argument("--image-suffix", default="", help="what image stems end with")
    parser.add_argument("--mask-suffix", default="", help="what mask stems end with, such as _mask")
    parser.add_argument("--recursive", action="store_true", help="look into folders inside")
    parser.add_argument("--json", type=Path, help="write the report to this file too")
    args = parser.parse_args(arguments)
    try:
        report = _run(args)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{report}\n")
    if args.json:
        args.json.write_text(report.to_json() + "\n", encoding="utf-8")
    return report.exit_status


def _run(args: argparse.Namespace) -> Report:
    if args.classes is None and args.ignore is not None:
        raise ValueError("--ignore is an id beside classes; name their file with --classes")
    return check_folders(
        args.images,
        args.masks,
        read_classes(args.classes, args.ignore) if args.classes else None,
        args.encoding,
        image_suffix=args.image_suffix,
        mask_suffix=args.mask_suffix,
        recursive=args.recursive,
    )


def read_classes(path: Path, ignore_class: int | None = None) -> ClassMap:
    """The ClassMap of a text file: `name` or `name red green blue` a line, in id order."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [words for words in lines if words]
    has_color = [len(words) > 3 and all(w.isdecimal() for w in words[-3:]) for words in lines]
    if any(has_color) and not all(has_color):
        bare = " ".join(lines[has_color.index(False)])
        raise ValueError(f"{path} must give every class a colour or none, but {bare!r} has none")
    names = [
        " ".join(words[:-3] if colored else words)
        for words, colored in zip(lines, has_color, strict=True)
    ]
    colors = [(int(r), int(g), int(b)) for *_, r, g, b in lines] if any(has_color) else None
    return ClassMap(names, colors, ignore_class)


if __name__ == "__main__":
    sys.exit(main())
