"""Rows in which every system scans the same codes."""

import statistics

import numpy as np

from peers import processes, results, rows


def train_codes(folder, name, kind, options):
    """Trains an encoder and writes its codes, so that every system scans the same ones."""
    import medretrieval as mr

    path = folder / name
    if path.exists():
        return
    encoder = mr.train_encoder(kind, np.load(folder / "training.npy"), **options)
    base = np.load(folder / "base.npy", mmap_mode="r")
    codes = [encoder.encode(np.ascontiguousarray(base[first : first + 500_000]))
             for first in range(0, len(base), 500_000)]
    np.save(f"{path}.codes.npy", np.concatenate(codes))
    np.save(f"{path}.queries_codes.npy", encoder.encode(np.load(folder / "queries.npy")))
    np.save(f"{path}.tuning_codes.npy", encoder.encode(np.load(folder / "tuning.npy")))
    if "subspaces" in options:
        np.save(f"{path}.centroids.npy", centroids(encoder, options["subspaces"], options["bits_per_entry"]))
    path.write_bytes(encoder.to_bytes())


def centroids(encoder, subspaces, bits):
    """The codebooks, subspaces x entries x width: what codes of equal entries reconstruct to."""
    entries = 2**bits
    codes = np.empty((entries, subspaces * bits // 8), np.uint8)
    codes[:] = np.arange(entries)[:, None] * (17 if bits == 4 else 1)
    return encoder.reconstruct(codes).reshape(entries, subspaces, -1).transpose(1, 0, 2).astype(np.float32)


def same_distances(first, second, tolerance):
    """Whether both found the same distances; ids may differ where distances are tied."""
    return bool(np.allclose(first["distances"], second["distances"], rtol=tolerance, atol=tolerance))


def share_of_read_rate(process, row, seconds):
    """How near a lone scan comes to reading its codes as fast as the machine does; None for batches, which share them."""
    if row["batch"]:
        return None
    read = process.ask(do="read")
    return read["bytes"] / seconds / read["rate"]


def measure(systems, row, rounds):
    """The result of one row."""
    # Held to an instruction set we must be level; the targets are those of the best one.
    target = 1.0 if systems.isa else rows.targets_of_threads(row, systems.threads)
    train_codes(systems.folder, row["encoder"], *row["train"])
    pair = {"ours": systems["ours"], "peer": systems[row["peer"]]}
    answers, times = {}, {name: [] for name in pair}
    try:
        for name, process in pair.items():
            path = systems.folder / f"answers-{name}.npz"
            process.ask(do="prepare", **row, answers=str(path))
            answers[name] = np.load(path)
        for _ in range(rounds):
            for name, process in pair.items():
                times[name].append(process.ask(do="run")["seconds"])
        read_share = share_of_read_rate(pair["ours"], row, statistics.median(times["ours"]))
    except processes.NotMeasured as error:
        return results.result(row["name"], target, systems.threads, row["peer_name"], note=str(error))
    same = same_distances(answers["ours"], answers["peer"], row["tolerance"])
    return results.result(
        row["name"], target, systems.threads, row["peer_name"], results.ratios(times["peer"], times["ours"]),
        same_ids=same, ours_us=statistics.median(times["ours"]) * 1e6, peer_us=statistics.median(times["peer"]) * 1e6,
        read_share=read_share, note="" if same else "the answers differ",
    )
