"""The ways from a data set into a training: one stream of batches, for every loader.

`Dataset` has these functions as methods; they take any random-access source of pairs that has
`ids`, a `name` and a `class_map`.
"""

from os import PathLike
from typing import TYPE_CHECKING

from semseg._checks import check_count
from semseg.data.feeding.batches import Augment, BatchSource
from semseg.data.feeding.draws import Shard
from semseg.data.feeding.epochs import EpochSteps
from semseg.data.feeding.mixed import Mix
from semseg.data.feeding.pixel_weights import SampleWeight
from semseg.data.feeding.sampling import Sampling
from semseg.data.feeding.throughput import Throughput, measure
from semseg.data.samples import LabelledSamples

if TYPE_CHECKING:
    import tensorflow as tf

    from semseg.data.feeding.py_dataset import Batches


def pipeline(
    ds: LabelledSamples,
    batch_size: int,
    size: tuple[int, int] | None = None,
    augment: Augment | None = None,
    shuffle: bool = True,
    seed: int = 0,
    cache: "str | PathLike[str] | None" = None,
    *,
    sampling: Sampling | None = None,
    sample_weight: SampleWeight | None = None,
    mix: Mix | None = None,
    shard: Shard = (0, 1),
    drop_remainder: bool = False,
    repeat: bool = False,
    start_step: int = 0,
) -> "tf.data.Dataset":
    """Batches of (images, masks) for `model.fit`, read ahead while the model computes.

    The stream depends on the arguments alone: it is the same for any number of threads, in any
    process, from any `start_step` on, and from `batches` and `batch_source` too. Every epoch
    shuffles and augments anew.

    Args:
        ds: a random-access source of pairs.
        batch_size: samples a batch; the last batch of an epoch may be smaller.
        size: (height, width) to which every pair is resized first, image linear, mask nearest;
            None keeps the sizes, which must then agree within a batch.
        augment: a transform, a list of them, any function (image, mask, rng) -> (image, mask), or
            a transform of albumentations. It runs after the resize; geometric ones are fused with
            it. Pixels it leaves without a class become the data set's `ignore_class`
            (albumentations has its own `fill_mask=`, by default class 0).
        shuffle: whether each epoch has an order of its own.
        seed: an int >= 0; all that is random follows from it, the epoch and the sample's index
            (and the step, where batches are mixed).
        cache: "ram" keeps the decoded samples (before resize and augmentation) in memory; they are
            read when the pipeline is made, and freed with it. A folder keeps images and masks on
            disk as raw records, for later runs too; another data set's folder is an error, and so
            is one from before a file was changed. (Of a data set without files only the names, the
            classes and some samples are compared: give a changed one another folder.)
        sampling: None reads every sample once an epoch. "balanced" draws as many, with
            replacement, so that every class is drawn as often (one pass over the masks). An array
            of one weight >= 0 a sample draws in proportion to it.
        sample_weight: a third part of each batch, float32 (batch, height, width): from one weight
            >= 0 a class, or from a function of the mask (height, width) before augmentation such
            as `semseg.regions.border_weights`, whose map then moves with the mask. Ignored pixels
            have the weight 0; the function sees them as id 0.
        mix: what mixes the pictures of each batch once they are augmented: a transform of batches
            such as `transforms.CutMix()`, a list of them, or any function (images, masks, rng) ->
            (images, masks), with weights (images, masks, rng, weights). Its generator is the
            step's; ours leave a last batch of one picture as it is. `MixUp` makes soft targets
            (batch, height, width, classes) and, where there is an `ignore_class`, weights.
        shard: (i, n) reads only the samples i, i + n, i + 2n, ..., for host `i` of `n`. Shards may
            differ by one sample, and so by one step an epoch; hosts that train together take as
            many steps each with `repeat=True` and one `steps_per_epoch`.
        drop_remainder: whether a last, smaller batch is left out.
        repeat: False gives one epoch a pass, the k-th pass being the k-th epoch; True an endless
            stream, for which `fit` needs `steps_per_epoch`.
        start_step: the step to begin with, to go on where an earlier run stopped; without `repeat`
            a multiple of an epoch's steps.

    Returns:
        A `tf.data.Dataset` of images (batch, height, width, channels) in the data's dtype and
        masks (batch, height, width) of integer ids. TensorFlow's auto-sharding is off. `fit(...,
        shuffle=False)` keeps Keras from warning that it will not shuffle it a second time. Every
        iterator of a finite one is a pass, a look at the first batch too (and Keras looks at one
        where a `tf.distribute` strategy has several devices).

    Raises:
        ValueError: an argument out of range, a cache larger than the machine's memory, or an error
            in the first sample (with its own type). An error in a later one comes as TensorFlow's,
            with the sample, its files and the transform in the text;
            `semseg.data.original_errors()` raises it as itself.

    Example:
        >>> ds = semseg.data.digits("train", count=20)
        >>> images, masks = next(iter(ds.pipeline(batch_size=8, seed=1)))
        >>> tuple(images.shape), tuple(masks.shape)
        ((8, 96, 128, 3), (8, 96, 128))
    """
    from semseg.data.feeding.pipeline import make_pipeline

    source = BatchSource(
        ds,
        batch_size,
        size=size,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        cache=cache,
        sampling=sampling,
        sample_weight=sample_weight,
        mix=mix,
        shard=shard,
        drop_remainder=drop_remainder,
        repeat=repeat,
        start_step=start_step,
    )
    return make_pipeline(source, repeat=repeat, start_step=start_step)


def batches(
    ds: LabelledSamples,
    batch_size: int,
    size: tuple[int, int] | None = None,
    augment: Augment | None = None,
    shuffle: bool = True,
    seed: int = 0,
    cache: "str | PathLike[str] | None" = None,
    *,
    sampling: Sampling | None = None,
    sample_weight: SampleWeight | None = None,
    mix: Mix | None = None,
    shard: Shard = (0, 1),
    drop_remainder: bool = False,
    repeat: bool = False,
    start_step: int = 0,
) -> "Batches":
    """The batches of `pipeline` as a `keras.utils.PyDataset`, for every Keras backend.

    TensorFlow need not be installed. The arguments are those of `pipeline`, and so is the stream,
    whatever `fit(shuffle=...)` says.

    Returns:
        A `keras.utils.PyDataset` whose batches are NumPy arrays; a loop over it is one epoch.

    Raises:
        ValueError: an argument out of range, a cache larger than the memory. An error in a sample
            is raised with its own type, in the first one at once, and names the sample, its files
            and the transform (in a `fit` that runs on TensorFlow within
            `semseg.data.original_errors()`; else its text is in that of TensorFlow's).

    Example:
        >>> ds = semseg.data.digits("train", count=20)
        >>> batches = ds.batches(batch_size=8, seed=1)
        >>> len(batches), [len(images) for images, masks in batches]
        (3, [8, 8, 4])
    """
    from semseg.data.feeding.py_dataset import Batches

    source = BatchSource(
        ds,
        batch_size,
        size=size,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        cache=cache,
        sampling=sampling,
        sample_weight=sample_weight,
        mix=mix,
        shard=shard,
        drop_remainder=drop_remainder,
        repeat=repeat,
        start_step=start_step,
    )
    return Batches(source, repeat=repeat, start_step=start_step)


def batch_source(
    ds: LabelledSamples,
    batch_size: int,
    size: tuple[int, int] | None = None,
    augment: Augment | None = None,
    shuffle: bool = True,
    seed: int = 0,
    cache: "str | PathLike[str] | None" = None,
    *,
    sampling: Sampling | None = None,
    sample_weight: SampleWeight | None = None,
    mix: Mix | None = None,
    shard: Shard = (0, 1),
    drop_remainder: bool = False,
    epochs: int = 1,
) -> EpochSteps:
    """The batches of `pipeline` by number: `len(source)`, `source[step]`.

    PyTorch's `DataLoader(source, batch_size=None)` and Grain's `MapDataset.source(source)` read it
    in any order and from any step on (without shuffling it again). The arguments are those of
    `pipeline`.

    Args:
        ds: a random-access source of pairs.
        batch_size: samples a batch.
        size: see `pipeline`, as for all others that are not named here.
        augment: see `pipeline`.
        shuffle: see `pipeline`.
        seed: see `pipeline`.
        cache: see `pipeline`.
        sampling: see `pipeline`.
        sample_weight: see `pipeline`.
        mix: see `pipeline`.
        shard: see `pipeline`.
        drop_remainder: see `pipeline`.
        epochs: how many epochs the numbers reach over; each is shuffled and augmented anew.

    Returns:
        A sequence of NumPy batches, which can be sent to other processes where `ds` can be.

    Raises:
        ValueError: an argument out of range, a cache larger than the memory, or an error in the
            first sample (with its own type).
        IndexError: a step outside of the epochs.

    Example:
        >>> source = semseg.data.digits("train", count=20).batch_source(batch_size=8, epochs=2)
        >>> len(source), source[5][0].shape
        (6, (4, 96, 128, 3))
    """
    check_count("epochs", epochs, 1)  # before a cache is filled
    source = BatchSource(
        ds,
        batch_size,
        size=size,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        cache=cache,
        sampling=sampling,
        sample_weight=sample_weight,
        mix=mix,
        shard=shard,
        drop_remainder=drop_remainder,
    )
    return EpochSteps(source, epochs)


def benchmark(
    ds: LabelledSamples,
    batch_size: int = 8,
    size: tuple[int, int] | None = None,
    augment: Augment | None = None,
    *,
    sample_weight: SampleWeight | None = None,
    mix: Mix | None = None,
    samples: int = 64,
) -> Throughput:
    """How fast samples are read, decoded, augmented and batched, and which stage bounds.

    Each stage is timed in one thread on the same samples; then whole batches are made as `batches`
    makes them, with threads.

    Args:
        ds: a random-access source of pairs.
        batch_size: see `pipeline`, as for all others that are not named here.
        size: see `pipeline`.
        augment: see `pipeline`.
        sample_weight: see `pipeline`.
        mix: see `pipeline`; its time is in that of the batch.
        samples: how many samples are timed, fewer where there are not as many.

    Returns:
        A `Throughput`, which prints as a table with advice.

    Example:
        >>> speed = semseg.data.digits("train", count=8).benchmark(batch_size=4)
        >>> sorted(speed.milliseconds)
        ['augment', 'batch', 'decode', 'read']
    """
    check_count("samples", samples, 1)
    source = BatchSource(
        ds, batch_size, size=size, augment=augment, sample_weight=sample_weight, mix=mix
    )
    return measure(source, samples)
