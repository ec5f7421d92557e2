"""The works that are compared, with the ratios aimed at."""


def row(name, kind, encoder, train, k, batch, target, peer_name, tolerance):
    return {
        "name": f"{name} {'batch' if batch else 'lone'} k={k}",
        "kind": kind,
        "encoder": encoder,
        "train": train,
        "k": k,
        "batch": batch,
        "queries": 1000 if batch else 100,
        "checked": 50,
        "target": target,
        "peer": "faiss",
        "peer_name": peer_name,
        "tolerance": tolerance,
    }


def hamming_rows():
    lone = {64: 2.7, 128: 2.0, 256: 1.7}
    for bits in (64, 128, 256):
        for k in (10, 100, 1000):
            for batch in (False, True):
                target = (4.5 if k == 1000 else 6.0) if batch else lone[bits]
                yield row(f"Hamming {bits}", "hamming", f"lsh{bits}", ("lsh", {"bits": bits}), k, batch, target,
                          "IndexBinaryFlat", 0)


def product_rows():
    for bits, counts in ((8, (8, 16, 32, 64)), (4, (16, 32, 64))):
        for subspaces in counts:
            options = {"subspaces": subspaces, "bits_per_entry": bits, "iterations": 10}
            for k in (10, 100):
                for batch in (False, True):
                    target = 6.0 if bits == 8 else 2.4 if batch else 1.7
                    peer = "IndexPQ" if bits == 8 else "IndexPQFastScan"
                    # FastScan's distances are those of quantized tables.
                    yield row(f"ADC {subspaces}x{bits}", f"adc{bits}", f"pq{subspaces}x{bits}", ("pq", options), k,
                              batch, target, peer, 1e-4 if bits == 8 else 0.05)


def all_rows():
    yield from hamming_rows()
    yield from product_rows()
