"""Rows of training and encoding: the time at an equal objective, or at equal codes."""

import statistics

import numpy as np

from peers import processes, results, scans

ROUNDS = 3  # at most: seconds each
PQ_ITERATIONS, ITQ_ITERATIONS = 25, 50
TIED_CODES = 1e-4  # share of codes that may differ: centroids at equal distance within rounding


def row(name, kind, target, peer, tolerance, **options):
    return {"name": name, "kind": kind, "target": target, "peer": peer, "tolerance": tolerance, "options": options}


def all_rows(dimension=128):
    """Objectives are to agree within 0.2 %, for 64 subspaces 1.2 %."""
    for subspaces in (8, 16, 32, 64):
        if dimension % subspaces == 0:
            yield row(f"train PQ {subspaces}x8", "pq", 1.8, "ProductQuantizer.train",
                      0.012 if subspaces == 64 else 0.002, subspaces=subspaces, iterations=PQ_ITERATIONS)
    for bits in (64, 128):
        if bits <= dimension:
            yield row(f"train ITQ {bits}", "itq", 1.7, "PCAMatrix, ITQMatrix", 0.002, bits=bits,
                      iterations=ITQ_ITERATIONS)
    for subspaces, bits in ((16, 8), (64, 8), (16, 4), (32, 4)):
        if dimension % subspaces == 0:
            yield row(f"encode PQ {subspaces}x{bits}", "encode", 3.0, "compute_codes", TIED_CODES,
                      subspaces=subspaces, bits=bits)


def agreement(features, codes):
    """The objective of ITQ for given codes: the cosine between the principal components, best rotated, and +-1."""
    centred = features - features.mean(0, dtype=np.float64)
    signs = np.unpackbits(codes, axis=1, bitorder="little").astype(np.float64) * 2 - 1
    _, axes = np.linalg.eigh(centred.T @ centred)
    projected = centred @ axes[:, -signs.shape[1] :]
    nuclear = np.linalg.svd(projected.T @ signs, compute_uv=False).sum()
    return float(nuclear / (np.linalg.norm(projected) * np.linalg.norm(signs)))


def worse_by(kind, features, ours, peer):
    """How much worse our outcome is than the peer's, as a share; for codes the share that differs."""
    if kind == "encode":
        return float((ours != peer).mean())
    if kind == "pq":
        ours, peer = (float(((features - each) ** 2).sum(dtype=np.float64)) for each in (ours, peer))
        return ours / peer - 1
    return agreement(features, peer) / agreement(features, ours) - 1


def measure(systems, each, rounds):
    """The result of one row. The first round's outcomes are compared before any other is timed."""
    if each["kind"] == "encode":
        options = {"subspaces": each["options"]["subspaces"], "bits_per_entry": each["options"]["bits"],
                   "iterations": 10}
        scans.train_codes(systems.folder, f"pq{options['subspaces']}x{options['bits_per_entry']}", "pq", options)
    times, outcomes = {"ours": [], "faiss": []}, {}
    try:
        for turn in range(min(rounds, ROUNDS) + 1):
            for system, into in times.items():
                path = None if turn else str(systems.folder / f"outcome-{system}.npy")
                seconds = systems[system].ask(do="train", kind=each["kind"], options=each["options"], outcome=path)
                if turn:
                    into.append(seconds["seconds"])
                else:
                    outcomes[system] = np.load(path)
    except processes.NotMeasured as error:
        return results.result(each["name"], each["target"], systems.threads, each["peer"], note=str(error))
    features = np.load(systems.folder / "training.npy")
    worse = worse_by(each["kind"], features, outcomes["ours"], outcomes["faiss"])
    what = "codes that differ" if each["kind"] == "encode" else "objective worse by"
    return results.result(
        each["name"], each["target"], systems.threads, each["peer"], results.ratios(times["faiss"], times["ours"]),
        same_ids=worse == 0 if each["kind"] == "encode" else None, ours_us=statistics.median(times["ours"]) * 1e6,
        peer_us=statistics.median(times["faiss"]) * 1e6, ours_settings=f"{what} {100 * worse:.3f} %",
        note="" if worse <= each["tolerance"] else f"{what} more than {100 * each['tolerance']:g} %")
