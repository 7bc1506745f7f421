"""python -m semseg.preflight model.keras DATA [MASKS]: what will go wrong in training."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.doctor.__main__ import read_classes
from semseg.data.records import read_records
from semseg.data.sources.ade20k import ade20k
from semseg.data.sources.camvid import camvid
from semseg.data.sources.cityscapes import cityscapes
from semseg.data.sources.digits import digits
from semseg.data.sources.folders import from_folders
from semseg.data.sources.isbi_em import isbi_em
from semseg.data.sources.nuclei import nuclei
from semseg.data.sources.oxford_pets import oxford_pets
from semseg.data.sources.shapes import shapes
from semseg.data.sources.voc import voc
from semseg.models.saved import class_map, load
from semseg.preflight.checkup import check

_GENERATED: dict[str, Callable[..., Dataset]] = {"digits": digits, "shapes": shapes}
_UNPACKED: dict[str, Callable[..., Dataset]] = {
    "ade20k": ade20k,
    "camvid": camvid,
    "cityscapes": cityscapes,
    "isbi_em": isbi_em,
    "nuclei": nuclei,
    "oxford_pets": oxford_pets,
    "voc": voc,
}


def main(arguments: list[str] | None = None) -> int:
    """Prints the report; 0 for nothing certain, 1 for something certain, 2 if it can't run."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        model = load(args.model)
        classes = read_classes(args.classes, args.ignore) if args.classes else class_map(model)
        ds = _data_set(args.data, args.masks, classes)
        size = tuple(args.size) if args.size else None
        report = check(model, ds, args.seconds, batch_size=args.batch_size, size=size)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{report}\n")
    if args.json:
        args.json.write_text(report.to_json() + "\n", encoding="utf-8")
    return report.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m semseg.preflight",
        description="Looks for what will go wrong when a compiled model is trained on a data set.",
        epilog="exit status: 0 nothing certain, 1 something certain, 2 the check could not run",
    )
    parser.add_argument("model", type=Path, help="a compiled model that was saved as .keras")
    parser.add_argument(
        "data",
        help=f"{', '.join(_GENERATED)}; NAME=FOLDER for a public set ({', '.join(_UNPACKED)}); a "
        "folder of records; or a folder of pictures, with the folder of masks after it",
    )
    parser.add_argument("masks", nargs="?", type=Path, help="folder of masks")
    parser.add_argument(
        "--classes",
        type=Path,
        help="text file of classes in id order; without it those inside the model",
    )
    parser.add_argument("--ignore", type=int, help="with --classes: the id without class")
    parser.add_argument("--seconds", type=float, default=20, help="how long it may take (20)")
    parser.add_argument("--batch-size", type=int, default=4, help="pictures a step (4)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="resize to that")
    parser.add_argument("--json", type=Path, help="write the report to this file too")
    return parser


def _data_set(data: str, masks: Path | None, classes: ClassMap | None) -> Dataset:
    if masks is not None:
        if classes is None:
            raise ValueError("the model has no classes inside; give them with --classes FILE")
        return from_folders(data, masks, classes)
    if data in _GENERATED:
        return _GENERATED[data]()
    name, is_named, folder = data.partition("=")
    if is_named and name in _UNPACKED:
        return _UNPACKED[name](folder)
    if Path(data).is_dir():
        return read_records(data)
    raise FileNotFoundError(
        f"data must be {', '.join(_GENERATED)}, NAME=FOLDER with a name of {', '.join(_UNPACKED)}, "
        f"a folder of records, or folders of pictures and masks; received {data!r}"
    )


if __name__ == "__main__":
    sys.exit(main())
