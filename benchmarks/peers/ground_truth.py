"""Exact neighbours by blocked matrix products, and the recall of answers against them."""

import numpy as np

BLOCK = 50_000


def nearest_of_block(queries, rows, k):
    """Row numbers of the nearest 2k by the product formula: enough to hold the nearest k in spite of its rounding."""
    distances = (rows * rows).sum(1)[None] - 2 * (queries @ rows.T)
    keep = min(2 * k + 10, len(rows))
    if keep == len(rows):
        return np.broadcast_to(np.arange(keep), (len(queries), keep))
    return np.argpartition(distances, keep - 1, axis=1)[:, :keep]


def squared_distances(queries, base, ids):
    """Exact squared distances, in double precision, of each query to the rows `ids` (one row of ids a query)."""
    result = np.empty(ids.shape)
    for first in range(0, len(queries), 100):
        part = slice(first, first + 100)
        difference = queries[part, None, :].astype(np.float64) - base[ids[part]].astype(np.float64)
        result[part] = np.einsum("qkd,qkd->qk", difference, difference)
    return result


def exact_neighbours(base, queries, k, members=None):
    """Ids and squared distances of the nearest k, by (distance, id), among the ascending ids `members` or all rows."""
    count = len(base) if members is None else len(members)
    best_ids = np.zeros((len(queries), 0), np.int64)
    best = np.zeros((len(queries), 0))
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        numbers = np.arange(first, last) if members is None else members[first:last]
        rows = np.ascontiguousarray(base[first:last] if members is None else base[numbers])
        ids = numbers[nearest_of_block(queries, rows, k)]
        best_ids = np.hstack([best_ids, ids])
        best = np.hstack([best, squared_distances(queries, base, ids)])
        order = np.lexsort((best_ids, best))[:, :k]
        best_ids, best = (np.take_along_axis(array, order, axis=1) for array in (best_ids, best))
    return best_ids, best


def of_restriction(folder, base, which, restriction, k):
    """Exact neighbours of the queries WHICH.npy under a restriction, kept on disk. Ids are -1 beyond the last."""
    path = folder / f"truth-{which}-{len(base)}-{restriction.name}-{k}.npz"
    if path.exists():
        stored = np.load(path)
        return stored["ids"], stored["distances"]
    queries = np.load(folder / f"{which}.npy")
    ids = np.full((len(queries), k), -1, np.int64)
    distances = np.full((len(queries), k), np.inf)
    for group, rows in restriction.query_groups(which):
        found = exact_neighbours(base, queries[rows], k, restriction.members(group))
        ids[rows, : found[0].shape[1]], distances[rows, : found[1].shape[1]] = found
    np.savez(path, ids=ids, distances=distances)
    return ids, distances


def recall(found, truth, queries, base, members=None):
    """Share of the true k neighbours among the ids found; rows as far as the k-th neighbour count as true.

    An id counts once, and only where it is among `members` (None: all rows)."""
    true_ids, true_distances = truth
    k = true_ids.shape[1]
    found = found[:, :k]
    valid = (found >= 0) & (found < len(base))
    if members is not None:
        valid &= np.isin(found, members)
    ordered = np.sort(np.where(valid, found, -1), axis=1)
    first = np.hstack([np.ones((len(found), 1), bool), ordered[:, 1:] != ordered[:, :-1]]) & (ordered >= 0)
    farthest = np.max(np.where(true_ids >= 0, true_distances, -np.inf), axis=1)
    near = squared_distances(queries, base, np.maximum(ordered, 0)) <= farthest[:, None] * (1 + 1e-12)
    wanted = (true_ids >= 0).sum(1)
    return float(np.minimum((near & first).sum(1), wanted).sum() / max(wanted.sum(), 1))
