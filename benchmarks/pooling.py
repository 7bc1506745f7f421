"""Max pooling with indices and unpooling, forward and backward, against TensorFlow and PyTorch.

    python benchmarks/pooling.py [--rounds N]

TensorFlow: `tf.nn.max_pool_with_argmax` and `tf.scatter_nd`, the usual snippet for Keras.
PyTorch: `max_pool2d(return_indices=True)` and `max_unpool2d`, channels last. All in one process,
in turn. "copy" reads and writes the same bytes once: the floor.
"""

import argparse
import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As in the examples: TensorFlow leaves these convolutions off where AVX-512 is missing.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import harness
import numpy as np

SIZES = [(4, 360, 480, 64), (4, 359, 479, 64)]


def ours(x):
    import tensorflow as tf

    from semseg.layers import MaxPooling2DWithIndices, MaxUnpooling2D

    pool, unpool = MaxPooling2DWithIndices(), MaxUnpooling2D()

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            pooled, indices = pool(x)
            y = unpool([pooled, indices, x])
        return tape.gradient(y, x, output_gradients=y)

    x = tf.constant(x)
    return lambda: step(x)


def tensorflow(x):
    import tensorflow as tf

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            pooled, places = tf.nn.max_pool_with_argmax(
                x, 2, 2, "SAME", include_batch_in_index=True
            )
            flat = tf.scatter_nd(
                tf.reshape(places, (-1, 1)), tf.reshape(pooled, (-1,)), (tf.size(x, tf.int64),)
            )
            y = tf.reshape(flat, tf.shape(x))
        return tape.gradient(y, x, output_gradients=y)

    x = tf.constant(x)
    return lambda: step(x)


def pytorch(x):
    import torch
    from torch.nn import functional

    torch.set_num_threads(harness.THREADS)
    tensor = torch.from_numpy(x).permute(0, 3, 1, 2).to(memory_format=torch.channels_last)
    tensor.requires_grad_()

    def step():
        tensor.grad = None
        pooled, places = functional.max_pool2d(tensor, 2, ceil_mode=True, return_indices=True)
        y = functional.max_unpool2d(pooled, places, 2, output_size=tensor.shape)
        y.backward(y.detach())

    return step


def copy(x):
    return lambda: x + np.float32(1)


CONTESTANTS = {"semseg": ours, "tensorflow": tensorflow, "pytorch": pytorch, "copy": copy}


def picture(size):
    return np.random.default_rng(0).normal(size=size).astype("float32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--only", nargs=2, metavar=("NAME", "SIZE"), help="one alone, for its memory"
    )
    args = parser.parse_args()
    if args.only:
        step = CONTESTANTS[args.only[0]](picture(SIZES[int(args.only[1])]))
        for _ in range(3):
            step()
        return harness.print_peak_memory()
    rows = []
    for i, size in enumerate(SIZES):
        contestants = {name: make(picture(size)) for name, make in CONTESTANTS.items()}
        seconds = harness.interleaved(contestants, args.rounds)
        del contestants
        for name, times in seconds.items():
            rows.append(
                {
                    "size": "x".join(map(str, size)),
                    "route": name,
                    "median_ms": 1000 * statistics.median(times),
                    "times_semseg": harness.median_ratio(times, seconds["semseg"]),
                    "peak_mb": harness.peak_memory_mb(__file__, [name, str(i)]),
                }
            )
    print(f"\nwritten to {harness.write('pooling', rows)}")


if __name__ == "__main__":
    main()
