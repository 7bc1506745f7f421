"""Which of these belongs to which of those: pairs of points, and a matching one to one."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree


def matched_points(one: np.ndarray, other: np.ndarray, radius: float) -> int:
    """How many marked pixels of two masks can be paired, each with one at most `radius` away.

    Args:
        one, other: (height, width) bool.
        radius: in pixels, from centre to centre.

    Returns:
        The largest number of pairs in which no pixel occurs twice.

    Example:
        >>> line, dot = np.array([[True, True, True]]), np.array([[False, True, False]])
        >>> matched_points(line, dot, 1.0)
        1
    """
    points, others = np.argwhere(one), np.argwhere(other)
    if not len(points) or not len(others):
        return 0
    limit = int(radius * radius + 1e-6)  # as in `near`
    pairs = cKDTree(points).sparse_distance_matrix(
        cKDTree(others), np.sqrt(limit + 0.5), output_type="ndarray"
    )
    return len(one_to_one(pairs["i"], pairs["j"]))


def one_to_one(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of candidate pairs (left[k], right[k]), as many as can be chosen with no number twice.

    Returns:
        (pairs, 2) int: the chosen ones, by their left number.

    Example:
        >>> one_to_one(np.array([0, 0, 1]), np.array([0, 1, 0]))
        array([[0, 1],
               [1, 0]])
    """
    if not len(left):
        return np.zeros((0, 2), int)
    # SciPy's matching takes 32-bit indices only, and csr_array keeps those that it gets.
    left, right = left.astype(np.int32), right.astype(np.int32)
    shape = (int(left.max()) + 1, int(right.max()) + 1)
    graph = csr_array((np.ones(len(left), np.int8), (left, right)), shape=shape)
    partner = maximum_bipartite_matching(graph, perm_type="column")
    chosen = np.flatnonzero(partner >= 0)
    return np.stack([chosen, partner[chosen]], axis=1)
