"""Cuts the cell graph into connected, balanced parts whose borders follow rivers and main streets.

Recursive spectral bisection: the Fiedler vector of the weighted dual graph orders the cells, a sweep picks the
cheapest cut near the wanted balance (Pothen, Simon, Liou 1990; Shi, Malik 2000 for the normalised cut).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from gridmap.demo.district.linework import Floats, Ints

DENSE_LIMIT = 70


def affinity_matrix(a: Ints, b: Ints, weight: Floats, size: int) -> csr_matrix:
    """Symmetric (size, size) matrix of how strongly neighbours hold together."""
    matrix = coo_matrix((np.tile(weight, 2), (np.r_[a, b], np.r_[b, a])), shape=(size, size)).tocsr()
    matrix.sum_duplicates()
    return matrix


def _slow_modes(matrix: csr_matrix) -> Floats:
    """The two slowest modes of the graph Laplacian, columns of (n, 2); the constant one is left out."""
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    laplacian = diags(degree) - matrix
    n = matrix.shape[0]
    if n <= DENSE_LIMIT:
        vectors = eigh(laplacian.toarray(), subset_by_index=[1, min(2, n - 1)])[1]
    else:
        start = np.cos(np.arange(n) * 1.7)
        shift = -1e-4 * float(degree.mean())
        values, vectors = eigsh(laplacian.tocsc(), k=3, sigma=shift, which="LM", v0=start)
        vectors = vectors[:, np.argsort(values)[1:]]
    pivot = np.argmax(np.abs(vectors), axis=0)
    return np.asarray(vectors * np.sign(vectors[pivot, np.arange(vectors.shape[1])]))


def _sweep(matrix: csr_matrix, order: Ints, weight: Floats, parts: int) -> tuple[int, int]:
    """Length of the first side and its number of parts: cheapest cut for its balance."""
    n = len(order)
    position = np.empty(n, dtype=np.int64)
    position[order] = np.arange(n)
    coo = matrix.tocoo()
    low = np.minimum(position[coo.row], position[coo.col])
    high = np.maximum(position[coo.row], position[coo.col])
    change = np.zeros(n + 1)
    np.add.at(change, low + 1, coo.data / 2)
    np.add.at(change, high + 1, -coo.data / 2)
    cut = np.cumsum(change)[1:n]
    share = np.cumsum(weight[order])[: n - 1] / weight.sum()
    sizes = np.arange(1, n)
    best = (np.inf, n // 2, parts // 2)
    for k in range(max(1, int(parts * 0.34)), min(parts - 1, int(np.ceil(parts * 0.66))) + 1):
        fits = (sizes >= k) & (n - sizes >= parts - k)
        miss = np.abs(share - k / parts) * parts
        score = np.where(fits, (cut + 1e-9) / (k * (parts - k)) * (1 + 2.2 * miss) ** 2 + 1e-6 * miss, np.inf)
        at = int(np.argmin(score))
        if score[at] < best[0]:
            best = (float(score[at]), at + 1, k)
    return best[1], best[2]


def _mend(matrix: csr_matrix, side: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give splinters to the other side until both sides are connected."""
    for _ in range(20):
        broken = False
        for value in (True, False):
            members = np.flatnonzero(side == value)
            count, label = connected_components(matrix[members][:, members], directed=False)
            if count > 1:
                main = np.bincount(label).argmax()
                side[members[label != main]] = not value
                broken = True
        if not broken:
            break
    return side


def _score(matrix: csr_matrix, side: NDArray[np.bool_], weight: Floats, parts: int, k: int) -> float:
    """Price of a bisection into k and parts - k parts: cut length for the balance reached."""
    cut = float(matrix[np.flatnonzero(side)][:, np.flatnonzero(~side)].sum())
    miss = abs(float(weight[side].sum() / weight.sum()) - k / parts) * parts
    lopsided = 4.0 if min(k, parts - k) < 0.28 * parts else 1.0
    # Beyond this a part would be next to empty, whatever a short border promises.
    lopsided *= 60.0 if miss > 0.62 else 1.0
    return lopsided * (cut + 1e-9) / (k * (parts - k)) * (1 + 2.2 * miss) ** 2


def _bisect(matrix: csr_matrix, weight: Floats, parts: int, centres: Floats) -> tuple[NDArray[np.bool_], int]:
    """First side and its number of parts: the cheapest over several orders of the nodes.

    The slow modes are tried first; plain directions only where those find no balanced cut.
    """
    modes = [np.argsort(mode, kind="stable") for mode in _slow_modes(matrix).T]
    best = _cheapest(matrix, weight, parts, modes)
    if best is None or abs(float(weight[best[1]].sum() / weight.sum()) - best[2] / parts) * parts > 0.35:
        x, y = centres[:, 0], centres[:, 1]
        directions = [np.argsort(key, kind="stable") for key in (x, y, x + y, x - y)]
        other = _cheapest(matrix, weight, parts, directions)
        if best is None or (other is not None and other[0] < best[0]):
            best = other
    if best is None:
        raise ValueError("the graph is not connected")
    return best[1], best[2]


def _cheapest(
    matrix: csr_matrix, weight: Floats, parts: int, orders: list[Ints]
) -> tuple[float, NDArray[np.bool_], int] | None:
    """Price, first side and its number of parts of the cheapest cut through any of the orders."""
    best: tuple[float, NDArray[np.bool_], int] | None = None
    for order in orders:
        take, _ = _sweep(matrix, order, weight, parts)
        side = np.zeros(len(weight), dtype=bool)
        side[order[:take]] = True
        side = _mend(matrix, side)
        first = int(side.sum())
        if first in (0, len(side)):
            continue
        k = round(float(weight[side].sum() / weight.sum()) * parts)
        k = int(np.clip(k, max(1, parts - (len(side) - first)), min(parts - 1, first)))
        price = _score(matrix, side, weight, parts, k)
        if best is None or price < best[0]:
            best = (price, side, k)
    return best


def split(matrix: csr_matrix, weight: Floats, parts: int, centres: Floats) -> Ints:
    """Part number (0 .. parts-1) of every node. The graph must be connected and have at least `parts` nodes.

    `weight` (n,) is what the parts share evenly; `centres` (n, 2) are plane coordinates.
    """
    label = np.zeros(len(weight), dtype=np.int64)
    if parts == 1:
        return label
    side, k = _bisect(matrix, weight, parts, centres)
    first, second = np.flatnonzero(side), np.flatnonzero(~side)
    label[first] = split(matrix[first][:, first], weight[first], k, centres[first])
    label[second] = k + split(matrix[second][:, second], weight[second], parts - k, centres[second])
    return label


def apportion(weight: Floats, seats: int, least: int, most: Ints) -> Ints:
    """Whole numbers near `weight` that sum to `seats`, each from `least` to `most` (largest remainder)."""
    given: Ints = np.clip(np.floor(weight / weight.sum() * seats).astype(np.int64), least, most)
    while given.sum() != seats:
        want = weight / weight.sum() * seats - given
        if given.sum() < seats:
            want[given >= most] = -np.inf
            given[int(np.argmax(want))] += 1
        else:
            want[given <= least] = np.inf
            given[int(np.argmin(want))] -= 1
    return given
