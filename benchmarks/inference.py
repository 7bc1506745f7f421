"""Prediction of a folder and of large pictures, against plain loops, PyTorch and MONAI.

    python benchmarks/inference.py [--data CAMVID] [--parts NAMES] [--rounds N]

All in one process, in turn, two threads each; the same networks everywhere. "seconds" are of the
clock, "cpu_seconds" those that the processor worked for it. Memory: each in a process of its own.

SegNet-Basic's wide kernels hang with oneDNN where AVX-512 is missing, so without it:

    TF_ENABLE_ONEDNN_OPTS=0 python benchmarks/inference.py --parts folder --case segnet_basic

folder    masks of CamVid's test pictures, from file to PNG: predict_folder, `model.predict` picture
          by picture, and PyTorch with two workers that read.
gaussian  windows of 256 pixels that overlap by 64, blended: predict_tiled, MONAI with the network
          in PyTorch, and MONAI's algorithm with our network.
exact     tiles that give what the whole gives, beside the whole: "times_expected" is the time over
          that of the whole times the pixels computed for each pixel.
dropout   20 samples of a Bayesian network, beside one pass of it.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As in the examples: TensorFlow leaves these convolutions off where AVX-512 is missing.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import harness
import numpy as np

CLASSES, BATCH, SAMPLES = 11, 8, 20
PARTS = ("folder", "gaussian", "exact", "dropout")
CAMVID = Path(__file__).resolve().parents[2] / "shared" / "data" / "camvid"
PICTURES = {"unet": 16, "segnet_basic": 4}  # how many of the test set
WINDOW, OVERLAP = 256, 64
LARGE = {"gaussian": 1024, "exact": 1024}  # sides of the picture

Run = Callable[[], Any]


def ours(name: str) -> Any:
    import keras

    import semseg

    keras.utils.set_random_seed(0)  # the whole and its tiles get the same weights
    filters = {"filters": 16} if name == "unet" else {}
    return semseg.models.build(name, num_classes=CLASSES, **filters)


def theirs(name: str) -> Any:
    import torch
    import torch_models

    torch.set_num_threads(harness.THREADS)
    model = torch_models.UNet(CLASSES, 16) if name == "unet" else torch_models.build(name, CLASSES)
    return model.to(memory_format=torch.channels_last).eval()


# -- a folder ------------------------------------------------------------------------------------


def folder_semseg(name: str, files: list[str]) -> Run:
    import semseg

    model = ours(name)

    def run() -> None:
        with tempfile.TemporaryDirectory() as out:
            semseg.inference.predict_folder(model, files, out, batch_size=BATCH)

    return run


def folder_naive(name: str, files: list[str]) -> Run:
    """What one writes first."""
    import cv2

    model = ours(name)

    def run() -> None:
        with tempfile.TemporaryDirectory() as out:
            for file in files:
                image = cv2.imread(file)[..., ::-1]
                ids = model.predict(image[None], verbose=0)[0].argmax(-1).astype(np.uint8)
                cv2.imwrite(f"{out}/{Path(file).stem}.png", ids)

    return run


class Files:
    """A data set of PyTorch."""

    def __init__(self, files: list[str]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, str]:
        import cv2

        cv2.setNumThreads(0)
        image = cv2.imread(self.files[index])[..., ::-1]
        return np.ascontiguousarray(image.transpose(2, 0, 1)), Path(self.files[index]).stem


def folder_pytorch(name: str, files: list[str], compiled: bool = False) -> Run:
    import cv2
    import torch

    model = theirs(name)
    model = torch.compile(model) if compiled else model

    def run() -> None:
        loader = torch.utils.data.DataLoader(Files(files), batch_size=BATCH, num_workers=2)
        with tempfile.TemporaryDirectory() as out, torch.inference_mode():
            for images, stems in loader:
                images = images.float().to(memory_format=torch.channels_last)
                ids = model(images).argmax(1).to(torch.uint8).numpy()
                for one, stem in zip(ids, stems, strict=True):
                    cv2.imwrite(f"{out}/{stem}.png", one)

    return run


# -- large pictures ------------------------------------------------------------------------------


def picture(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def gaussian_semseg(batch_size: int = 4) -> Run:
    import semseg

    model, image = ours("unet"), picture(LARGE["gaussian"])
    return lambda: semseg.inference.predict_tiled(
        model, image, tile=WINDOW, overlap=OVERLAP, output="logits", batch_size=batch_size,
        verbose=False,
    )  # fmt: skip


def gaussian_monai() -> Run:
    import torch

    model = theirs("unet")
    return _monai(lambda x: model(x.contiguous(memory_format=torch.channels_last)))


def gaussian_monai_keras() -> Run:
    """MONAI's way to cut and blend, our network."""
    import torch

    from semseg.inference.forward import Forward

    forward = Forward(ours("unet"))

    def predictor(x: Any) -> Any:
        logits = forward(x.permute(0, 2, 3, 1).numpy().astype(np.uint8), "logits")
        return torch.from_numpy(logits).permute(0, 3, 1, 2)

    return _monai(predictor)


def _monai(predictor: Callable[[Any], Any]) -> Run:
    import torch
    from monai.inferers import sliding_window_inference

    torch.set_num_threads(harness.THREADS)
    image = torch.from_numpy(picture(LARGE["gaussian"]).transpose(2, 0, 1)[None].copy()).float()

    def run() -> Any:
        with torch.inference_mode():
            return sliding_window_inference(
                image, WINDOW, 4, predictor, overlap=OVERLAP / WINDOW, mode="gaussian"
            )

    return run


def exact_whole(name: str = "unet") -> Run:
    import semseg

    model, image = ours(name), picture(LARGE["exact"])
    return lambda: semseg.inference.predict(model, image, output="logits")


def exact_tiled(tile: int, name: str = "unet") -> Run:
    import semseg

    model, image = ours(name), picture(LARGE["exact"])
    return lambda: semseg.inference.predict_tiled(
        model, image, tile=tile, output="logits", verbose=False
    )


# -- uncertainty ---------------------------------------------------------------------------------


def bayesian(name: str, samples: int) -> Run:
    import semseg

    arguments = {"dropout": 0.5, "filters": 16} if name == "unet" else {"bayesian": True}
    model = semseg.models.build(name, num_classes=CLASSES, **arguments)
    image = picture(240)[:180]
    if samples == 1:
        return lambda: semseg.inference.predict(model, image, output="probabilities")
    return lambda: semseg.inference.mc_dropout(model, image, samples)


# -- the parts -----------------------------------------------------------------------------------


def contestants(part: str, files: list[str]) -> dict[str, dict[str, Callable[[], Run]]]:
    """What is compared in a part: case -> route -> what makes it."""
    if part == "folder":
        routes = {
            "semseg": folder_semseg,
            "model.predict loop": folder_naive,
            "pytorch": folder_pytorch,
            "pytorch compiled": partial(folder_pytorch, compiled=True),
        }
        return {
            name: {route: partial(make, name, files[:count]) for route, make in routes.items()}
            for name, count in PICTURES.items()
        }
    if part == "gaussian":
        routes = {
            "semseg": gaussian_semseg,
            "semseg, one window at a time": partial(gaussian_semseg, 1),
            "monai, network in pytorch": gaussian_monai,
            "monai, our network": gaussian_monai_keras,
        }
        return {f"unet, {LARGE['gaussian']} pixels": routes}
    if part == "dropout":
        counts = {"one pass": 1, f"{SAMPLES} samples": SAMPLES}
        return {
            f"{name}, 180 x 240": {r: partial(bayesian, name, n) for r, n in counts.items()}
            for name in ("unet", "segnet_basic")
        }
    tiles = {f"tiles of {tile}": partial(exact_tiled, tile) for tile in (512, 768)}
    return {f"unet, {LARGE['exact']} pixels": {"whole": exact_whole, **tiles}}


def measured(made: dict[str, Run], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of clock and processor of each call, in turn."""
    for run in made.values():
        run()
    times: dict[str, list[tuple[float, float]]] = {route: [] for route in made}
    for _ in range(rounds):
        for route, run in made.items():
            clock, processor = time.perf_counter(), _processor_seconds()
            run()
            times[route].append((time.perf_counter() - clock, _processor_seconds() - processor))
    return times


def _processor_seconds() -> float:
    """Of this process and of those that it started and saw end."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def rows_of(part: str, case: str, makes: dict[str, Callable[[], Run]], rounds: int) -> list[Any]:
    made = {route: make() for route, make in makes.items()}
    times = measured(made, rounds)
    first = next(iter(made))
    over = f"times_{first}".replace(" ", "_")
    rows = []
    for route, taken in times.items():
        clock, processor = zip(*taken, strict=True)
        first_clock, first_processor = zip(*times[first], strict=True)
        rows.append(
            {
                "part": part,
                "case": case,
                "route": route,
                "seconds": statistics.median(clock),
                over: harness.median_ratio(list(clock), list(first_clock)),
                "cpu_seconds": statistics.median(processor),
                f"cpu_{over}": harness.median_ratio(list(processor), list(first_processor)),
                "peak_mb": harness.peak_memory_mb(__file__, [part, case, route]),
            }
        )
    if part == "exact":
        _compare_with_whole(rows, made)
    return rows


def _compare_with_whole(rows: list[dict[str, Any]], made: dict[str, Run]) -> None:
    import semseg

    whole, size = made["whole"](), (LARGE["exact"],) * 2
    for row in rows[1:]:
        plan = semseg.inference.plan_tiles(ours("unet"), size, tile=int(row["route"].split()[-1]))
        row["duplication"] = plan.duplication
        row["times_expected"] = row["times_whole"] / plan.duplication
        row["cpu_times_expected"] = row["cpu_times_whole"] / plan.duplication
        row["largest_difference"] = float(np.abs(made[row["route"]]() - whole).max())
    rows[0].update(
        duplication=1.0, times_expected=1.0, cpu_times_expected=1.0, largest_difference=0.0
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=CAMVID, help="CamVid's folder")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--case", help="one alone, such as segnet_basic, in a file of its own")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="torch.compile as well")
    parser.add_argument("--only", nargs=3, metavar=("PART", "CASE", "ROUTE"), help="its memory")
    args = parser.parse_args()
    files = [str(file) for file in sorted((args.data / "test").glob("*.jpg"))]
    if args.only:
        part, case, route = args.only
        run = contestants(part, files)[case][route]()
        run()
        return harness.print_peak_memory()
    for part in args.parts:
        rows = []
        for case, makes in contestants(part, files).items():
            if args.case not in (None, case.split(",")[0]):
                continue
            kept = {r: m for r, m in makes.items() if args.compile or "compiled" not in r}
            rows += rows_of(part, case, kept, args.rounds)
            suffix = "" if args.case is None else f"_{args.case}"
            path = harness.write(f"inference_{part}{suffix}", rows)
        print(f"written to {path}\n")


if __name__ == "__main__":
    main()
