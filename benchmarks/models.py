"""Training step and inference of whole models, against the same networks in PyTorch.

    python benchmarks/models.py [--rounds N] [--only-models unet segnet segnet_basic] [--compile]

float32, two threads each, in turn in one process: forward, crossentropy, backward, Adam; and the
forward pass alone. PyTorch runs eager and channels last, with --compile compiled as well;
mixed_bfloat16 takes part where the processor has it. TF_ENABLE_ONEDNN_OPTS=0 in the environment
measures TensorFlow's own convolutions, into a file of their own.
"""

import argparse
import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As in the examples: TensorFlow leaves these convolutions off where AVX-512 is missing.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import harness
import numpy as np

RESULT = "models" if os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1" else "models_without_onednn"
CLASSES = 11
WORK = {
    "unet": (4, 256, 256),
    "segnet": (1, 352, 480),
    "segnet_basic": (1, 352, 480),
}


def batch(name):
    rng = np.random.default_rng(0)
    size = WORK[name]
    images = rng.integers(0, 256, (*size, 3)).astype("float32")
    return images, rng.integers(0, CLASSES, size).astype("int32")


def ours(name, images, masks, policy="float32"):
    import keras
    import tensorflow as tf

    import semseg

    keras.config.set_dtype_policy(policy)
    model = semseg.models.build(name, num_classes=CLASSES)
    keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(), semseg.losses.Crossentropy())
    x, y = tf.constant(images), tf.constant(masks)

    def train():
        model.train_on_batch(x, y)

    @tf.function
    def forward(x):
        return model(x, training=False)

    return train, lambda: forward(x)


def pytorch(name, images, masks, compiled=False):
    import torch
    import torch_models

    torch.set_num_threads(harness.THREADS)
    model = torch_models.build(name, CLASSES).to(memory_format=torch.channels_last)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).to(memory_format=torch.channels_last)
    y = torch.from_numpy(masks).long()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    run = torch.compile(model) if compiled else model

    def train():
        model.train()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(run(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def forward():
        model.eval()
        with torch.inference_mode():
            run(x)

    return train, forward


CONTESTANTS = {
    "semseg": ours,
    "semseg bfloat16": lambda *a: ours(*a, policy="mixed_bfloat16"),
    "pytorch": pytorch,
    "pytorch compiled": lambda *a: pytorch(*a, compiled=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only-models", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--compile", action="store_true", help="torch.compile as well")
    parser.add_argument("--only", nargs=2, metavar=("ROUTE", "MODEL"), help="one, for its memory")
    args = parser.parse_args()
    if args.only:
        train, _ = CONTESTANTS[args.only[0]](args.only[1], *batch(args.only[1]))
        train()
        train()
        return harness.print_peak_memory()
    routes = [r for r in CONTESTANTS if args.compile or "compiled" not in r]
    if "bf16" not in harness.widest_vectors():  # emulated, it takes many times as long
        routes.remove("semseg bfloat16")
    for name in args.only_models:
        rows = []
        made = {route: CONTESTANTS[route](name, *batch(name)) for route in routes}
        for part, what in enumerate(("training", "inference")):
            seconds = harness.interleaved({r: made[r][part] for r in routes}, args.rounds)
            for route, times in seconds.items():
                rows.append(
                    {
                        "model": name,
                        "what": what,
                        "route": route,
                        "images_a_second": WORK[name][0] / statistics.median(times),
                        "times_semseg": harness.median_ratio(times, seconds["semseg"]),
                        "peak_mb": harness.peak_memory_mb(__file__, [route, name])
                        if what == "training"
                        else "",
                    }
                )
            path = harness.write(f"{RESULT}_{name}", rows)
        print(f"written to {path}\n")


if __name__ == "__main__":
    main()
