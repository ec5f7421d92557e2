"""The synthetic data of the comparison: items near clusters that lie in a subspace of decaying spectrum.

Item = (U_k + 0.6 N(0, I)) B + 0.06 N(0, I) with a cluster k drawn at random, U_k ~ N(0, I_L) and B an L x d matrix of
Gaussian rows, row l scaled by 4 / sqrt(d (1 + l / 8)). Queries and training rows are drawn the same way. Clusters are dealt
to eight classes in the proportions of DeepLesion's lesion types."""

import pathlib

import numpy as np

LATENT = 48
CLUSTERS = 2000
DIMENSION = 128
CLASS_SHARES = np.array([0.0256, 0.2269, 0.1703, 0.1315, 0.2424, 0.0515, 0.0703, 0.0815])


class Generator:
    def __init__(self, seed=1, dimension=DIMENSION):
        random = np.random.default_rng(seed)
        scale = 4 / np.sqrt(dimension * (1 + np.arange(LATENT) / 8))
        self.basis = (random.normal(size=(LATENT, dimension)) * scale[:, None]).astype(np.float32)
        self.centres = random.normal(size=(CLUSTERS, LATENT)).astype(np.float32)
        bounds = np.cumsum(CLASS_SHARES / CLASS_SHARES.sum())
        self.class_of_cluster = np.searchsorted(bounds, (np.arange(CLUSTERS) + 0.5) / CLUSTERS).astype(np.int32)

    def draw(self, count, seed):
        """Features (count, d) and classes (count,), the same for the same seed."""
        features = np.empty((count, self.basis.shape[1]), np.float32)
        classes = np.empty(count, np.int32)
        for first in range(0, count, 100_000):
            random = np.random.default_rng([seed, first])
            rows = min(100_000, count - first)
            cluster = random.integers(CLUSTERS, size=rows)
            latent = self.centres[cluster] + 0.6 * random.normal(size=(rows, LATENT)).astype(np.float32)
            noise = 0.06 * random.normal(size=(rows, features.shape[1])).astype(np.float32)
            features[first : first + rows] = latent @ self.basis + noise
            classes[first : first + rows] = self.class_of_cluster[cluster]
        return features, classes


def prepare(folder, items, queries=1000, training=100_000):
    """Writes base.npy, classes.npy, queries.npy, query_classes.npy and training.npy unless they are there."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"made-{items}-{queries}-{training}"
    if done.exists():
        return folder
    generator = Generator()
    for name, count, seed in (("base", items, 2), ("queries", queries, 3), ("training", training, 4)):
        features, classes = generator.draw(count, seed)
        np.save(folder / f"{name}.npy", features)
        np.save(folder / f"{name}_classes.npy", classes)
    done.touch()
    return folder
