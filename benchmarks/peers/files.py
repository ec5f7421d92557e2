"""Vectors from files: a folder of fvecs files as TEXMEX has them, one such file, or an HDF5 file of ann-benchmarks."""

import pathlib

import numpy as np

from peers import data


def read_fvecs(path):
    """Rows of float32. A row begins with its length as a 32-bit number."""
    raw = np.fromfile(path, np.int32)
    dimension = int(raw[0]) if len(raw) else 0
    if dimension <= 0 or len(raw) % (dimension + 1) or (raw.reshape(-1, dimension + 1)[:, 0] != dimension).any():
        raise ValueError(f"{path}: not an fvecs file")
    return raw.reshape(-1, dimension + 1)[:, 1:].view(np.float32)


def only(folder, pattern):
    found = sorted(folder.glob(pattern))
    return found[0] if found else None


def read_folder(folder):
    base, queries = only(folder, "*_base.fvecs"), only(folder, "*_query.fvecs")
    if base is None or queries is None:
        raise ValueError(f"{folder}: expected files *_base.fvecs and *_query.fvecs")
    learn = only(folder, "*_learn.fvecs")
    return read_fvecs(base), read_fvecs(queries), read_fvecs(learn) if learn else None


def read_hdf5(path):
    import h5py

    with h5py.File(path) as file:
        metric = file.attrs.get("distance", "euclidean")
        if metric not in ("euclidean", "angular"):
            raise ValueError(f"{path}: distances are {metric}; expected euclidean or angular")
        base, queries = (np.asarray(file[name], np.float32) for name in ("train", "test"))
    if metric == "angular":  # on the unit sphere the order by angle is that by Euclidean distance
        base, queries = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
                         for rows in (base, queries))
    return base, queries, None


def read(path):
    """Base, queries and training rows (or None)."""
    if path.is_dir():
        return read_folder(path)
    if path.suffix in (".hdf5", ".h5"):
        return read_hdf5(path)
    rows = read_fvecs(path)  # without queries of its own: rows held out
    held_out = np.random.default_rng(1).permutation(len(rows))[: min(2000, len(rows) // 5)]
    return np.delete(rows, held_out, axis=0), rows[held_out], None


def prepare(root, path, queries=1000, training=100_000):
    """The folder that data.prepare makes, from files. Half of the queries, at most `queries`, are for tuning."""
    path = pathlib.Path(path).resolve()
    folder = pathlib.Path(root) / path.stem
    done = folder / f"made-{queries}-{training}"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    base, asked, learn = read(path)
    random = np.random.default_rng(1)
    order = random.permutation(len(asked))
    half = min(queries, len(asked) // 2)
    if learn is None:
        learn = base
    chosen = np.sort(random.permutation(len(learn))[:training])
    parts = {"base": base, "queries": asked[order[:half]], "tuning": asked[order[half : 2 * half]],
             "training": learn[chosen]}
    shares = data.CLASS_SHARES / data.CLASS_SHARES.sum()
    for name, rows in parts.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(rows, np.float32))
        np.save(folder / f"{name}_classes.npy", random.choice(len(shares), len(rows), p=shares).astype(np.int32))
    done.touch()
    return folder
