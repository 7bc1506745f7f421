"""What is random in a stream: an epoch's samples and their order, a generator a sample and a batch.

Every draw is made from (seed, what for, epoch, ...), so that none depends on another. A spawn key
keeps them apart: entropy alone would not, since NumPy takes `[seed, epoch]` and
`[seed, epoch, 0]` for the same.
"""

import numpy as np

Shard = tuple[int, int]

_ORDER, _SAMPLE, _BATCH = 0, 1, 2


class Draws:
    """The samples that each epoch reads.

    Args:
        count: samples of the whole data set.
        shard: (i, n); of every epoch only the samples i, i + n, i + 2n, ... are read.
        shuffle: False reads them by index.
        seed: what the order follows from.
        probabilities: one a sample of the shard, in the order of `members`; an epoch then draws as
            many samples as the shard has, with replacement.
    """

    def __init__(
        self,
        count: int,
        shard: Shard,
        shuffle: bool,
        seed: int,
        probabilities: np.ndarray | None = None,
    ) -> None:
        self.members = np.arange(shard[0], count, shard[1])
        self._count = count
        self._shard = shard
        self._shuffle = shuffle
        self._seed = seed
        self._probabilities = probabilities
        self._kept: tuple[int, np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.members)

    def with_probabilities(self, probabilities: np.ndarray) -> "Draws":
        """The same, drawn with replacement: one probability a member."""
        return Draws(self._count, self._shard, self._shuffle, self._seed, probabilities)

    def of_epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample indices in the order in which they are read, and the turn of each.

        The turn counts how often the epoch has drawn the sample before: 0 without replacement.
        """
        kept = self._kept  # read once: another thread may be in another epoch
        if kept is None or kept[0] != epoch:
            indices = self._indices(epoch)
            kept = self._kept = (epoch, indices, _turns(indices))
        return kept[1:]

    def _indices(self, epoch: int) -> np.ndarray:
        if not self._shuffle:
            return self.members
        number, shards = self._shard
        if self._probabilities is not None:
            rng = _generator(self._seed, _ORDER, epoch, number)
            return rng.choice(self.members, len(self.members), p=self._probabilities)
        # The shards part one order of all samples: with an order each, those of equal length would
        # be alike, and neighbours such as frames of a clip would always train together.
        order = _generator(self._seed, _ORDER, epoch).permutation(self._count)
        return order[order % shards == number]


def sample_rng(seed: int, epoch: int, index: int, turn: int) -> np.random.Generator:
    """The generator of one sample's augmentation."""
    return _generator(seed, _SAMPLE, epoch, index, turn)


def batch_rng(seed: int, step: int, shard: Shard) -> np.random.Generator:
    """The generator that mixes one batch of a shard."""
    return _generator(seed, _BATCH, step, shard[0])


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def _turns(indices: np.ndarray) -> np.ndarray:
    by_index = np.argsort(indices, kind="stable")
    _, first, counts = np.unique(indices[by_index], return_index=True, return_counts=True)
    turns = np.empty(len(indices), int)
    turns[by_index] = np.arange(len(indices)) - np.repeat(first, counts)
    return turns
