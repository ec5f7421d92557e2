"""The synthetic data of the comparison: items near clusters that lie in a subspace of decaying spectrum.

Item = (U_k + 0.6 N(0, I)) B + 0.06 N(0, I) with a cluster k drawn at random, U_k ~ N(0, I_L) and B an L x d matrix of
Gaussian rows, row l scaled by 4 / sqrt(d (1 + l / 8)). Queries and training rows are drawn the same way. Clusters are
dealt to eight classes in the proportions of DeepLesion's lesion types."""

import pathlib

import numpy as np

LATENT = 48
CLUSTERS = 2000
DIMENSION = 128
BLOCK = 100_000  # rows drawn from one state of the random generator
CLASS_SHARES = np.array([0.0256, 0.2269, 0.1703, 0.1315, 0.2424, 0.0515, 0.0703, 0.0815])


class Generator:
    def __init__(self, seed=1, dimension=DIMENSION):
        random = np.random.default_rng(seed)
        scale = 4 / np.sqrt(dimension * (1 + np.arange(LATENT) / 8))
        self.basis = (random.normal(size=(LATENT, dimension)) * scale[:, None]).astype(np.float32)
        self.centres = random.normal(size=(CLUSTERS, LATENT)).astype(np.float32)
        bounds = np.cumsum(CLASS_SHARES / CLASS_SHARES.sum())
        self.class_of_cluster = np.searchsorted(bounds, (np.arange(CLUSTERS) + 0.5) / CLUSTERS).astype(np.int32)

    def block(self, rows, seed, first):
        """Features (rows, d) and classes (rows,) from row `first` on; the same for the same seed and first."""
        random = np.random.default_rng([seed, first])
        cluster = random.integers(CLUSTERS, size=BLOCK)
        latent = self.centres[cluster] + 0.6 * random.normal(size=(BLOCK, LATENT)).astype(np.float32)
        noise = 0.06 * random.normal(size=(BLOCK, self.basis.shape[1])).astype(np.float32)
        return (latent @ self.basis + noise)[:rows], self.class_of_cluster[cluster][:rows]

    def draw(self, count, seed):
        """Features (count, d) and classes (count,), the same for the same seed."""
        pieces = [self.block(min(BLOCK, count - first), seed, first) for first in range(0, count, BLOCK)]
        return tuple(np.concatenate(parts) for parts in zip(*pieces))


def write(folder, name, count, seed, generator):
    """Writes NAME.npy and NAME_classes.npy, a piece at a time: the whole need not fit in memory."""
    features = np.lib.format.open_memmap(
        folder / f"{name}.npy", "w+", np.float32, (count, generator.basis.shape[1])
    )
    classes = np.empty(count, np.int32)
    for first in range(0, count, BLOCK):
        rows = slice(first, min(first + BLOCK, count))
        features[rows], classes[rows] = generator.block(rows.stop - first, seed, first)
    features.flush()
    np.save(folder / f"{name}_classes.npy", classes)


def prepare(root, items, queries=1000, training=100_000):
    """A folder of base, queries (to measure with), tuning (to choose parameters with) and training, each with classes.

    The first rows of a larger base are the base of a smaller one."""
    folder = pathlib.Path(root) / f"generated-{items}"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"made-{queries}-{training}"
    if not done.exists():
        generator = Generator()
        parts = (("base", items, 2), ("queries", queries, 3), ("training", training, 4), ("tuning", queries, 5))
        for name, count, seed in parts:
            write(folder, name, count, seed, generator)
        done.touch()
    return folder
