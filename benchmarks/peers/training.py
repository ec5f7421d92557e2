"""Training and encoding beside FAISS: the same arrays in one process, in alternation.

    python -m peers.training                      # from benchmarks/; --help lists the options
    python -m peers.training --only "PQ 16x8"

Every work gives the seconds of each round and how good the result is: the mean squared error of reconstruction of PQ and
OPQ and of the signs of ITQ, over all training rows, or the share of equal codes. Both sides train on at most 65,536 rows
drawn at random (FAISS: 256 a centroid) with the same number of k-means or ITQ iterations; FAISS's OPQ has its own schedule."""

import argparse
import contextlib
import os
import statistics
import time

import numpy as np


def use_threads(threads):
    """Call it before anything imports faiss: its BLAS reads the environment once."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)
    import faiss

    faiss.omp_set_num_threads(threads)


def alternate(ours, peer, rounds):
    """Runs both in turn; returns the seconds of every round and the last result of each."""
    seconds, results = {"ours": [], "peer": []}, {}
    for _ in range(rounds):
        for name, work in (("ours", ours), ("peer", peer)):
            begin = time.perf_counter()
            results[name] = work()
            seconds[name].append(time.perf_counter() - begin)
    return seconds, results["ours"], results["peer"]


def mean_squared_error(features, decoded):
    return float(np.mean(np.sum(np.square(features - decoded, dtype=np.float64), axis=1)))


def train_pq(features, subspaces, bits=8, iterations=25, threads=1, rounds=3):
    import faiss
    import medretrieval as mr

    def ours():
        return mr.train_encoder("pq", features, subspaces=subspaces, bits_per_entry=bits, iterations=iterations,
                                threads=threads)

    def peer():
        quantizer = faiss.ProductQuantizer(features.shape[1], subspaces, bits)
        quantizer.cp.niter = iterations
        quantizer.train(features)
        return quantizer

    seconds, encoder, quantizer = alternate(ours, peer, rounds)
    return {
        "seconds": seconds,
        "ours_objective": mean_squared_error(features, encoder.reconstruct(encoder.encode(features))),
        "peer_objective": mean_squared_error(features, quantizer.decode(quantizer.compute_codes(features))),
    }


def sign_error(rotated):
    """Mean squared difference between projections and their signs; zero has the sign -1."""
    return mean_squared_error(np.where(rotated > 0, np.float32(1), np.float32(-1)), rotated)


def itq_weights(encoder, dimension, bits):
    """The rows w of an affine hash (bit = w x + b > 0), read from the end of its byte form: count, weights, count, b."""
    values = np.frombuffer(encoder.to_bytes()[-(4 * bits + 8 + 4 * bits * dimension):], np.uint8)
    return values[: 4 * bits * dimension].copy().view(np.float32).reshape(bits, dimension)


def train_itq(features, bits, iterations=50, threads=1, rounds=3, rows=65536):
    """FAISS: PCAMatrix, then ITQMatrix (its ITQTransform also scales rows to length one, which is another objective), on
    `rows` rows drawn at random."""
    import faiss
    import medretrieval as mr

    dimension = features.shape[1]

    def ours():
        return mr.train_encoder("itq", features, bits=bits, iterations=iterations, training_rows=rows, threads=threads)

    def peer():
        chosen = np.sort(np.random.default_rng(1).permutation(len(features))[:rows])
        sample = features[chosen]
        pca = faiss.PCAMatrix(dimension, bits)
        pca.train(sample)
        itq = faiss.ITQMatrix(bits)
        itq.max_iter = iterations
        itq.train(pca.apply(sample))
        return pca, itq

    seconds, encoder, (pca, itq) = alternate(ours, peer, rounds)
    centred = features - features.mean(axis=0)
    return {
        "seconds": seconds,
        "ours_objective": sign_error(centred @ itq_weights(encoder, dimension, bits).T),
        "peer_objective": sign_error(itq.apply(pca.apply(features))),
    }


def train_opq(features, subspaces, bits=8, threads=1, rounds=1):
    """Both with their default schedules; FAISS's PQ is trained behind its rotation."""
    import faiss
    import medretrieval as mr

    def ours():
        return mr.train_encoder("opq", features, subspaces=subspaces, bits_per_entry=bits, threads=threads)

    def peer():
        rotation = faiss.OPQMatrix(features.shape[1], subspaces)
        quantizer = faiss.ProductQuantizer(features.shape[1], subspaces, bits)
        rotation.pq = quantizer  # takes its bits an entry from it
        rotation.train(features)
        final = faiss.ProductQuantizer(features.shape[1], subspaces, bits)
        final.train(rotation.apply(features))
        return rotation, final

    seconds, encoder, (rotation, quantizer) = alternate(ours, peer, rounds)
    rotated = rotation.apply(features)
    return {
        "seconds": seconds,
        "ours_objective": mean_squared_error(features, encoder.reconstruct(encoder.encode(features))),
        "peer_objective": mean_squared_error(rotated, quantizer.decode(quantizer.compute_codes(rotated))),
    }


def encode_pq(features, subspaces, bits=8, threads=1, rounds=5):
    """FAISS gets our codebook. Codes may differ where two centroids are equally near within float32's rounding."""
    import faiss
    import medretrieval as mr

    dimension, entries = features.shape[1], 2**bits
    encoder = mr.train_encoder("pq", features[:20_000], subspaces=subspaces, bits_per_entry=bits, iterations=5,
                               threads=threads)
    codes = np.empty((entries, subspaces * bits // 8), np.uint8)
    codes[:] = np.arange(entries)[:, None] * (17 if bits == 4 else 1)
    centroids = encoder.reconstruct(codes).reshape(entries, subspaces, -1).transpose(1, 0, 2)
    quantizer = faiss.ProductQuantizer(dimension, subspaces, bits)
    faiss.copy_array_to_vector(np.ascontiguousarray(centroids, np.float32).ravel(), quantizer.centroids)
    seconds, mine, theirs = alternate(lambda: encoder.encode(features, threads=threads),
                                      lambda: quantizer.compute_codes(features), rounds)
    return {"seconds": seconds, "equal": equal_entries(mine, theirs, bits)}


def equal_entries(first, second, bits):
    if bits == 4:
        first, second = (np.stack([codes & 15, codes >> 4]) for codes in (first, second))
    return float(np.mean(first == second))


def encode_hash(features, kind, bits, threads=1, rounds=5):
    """FAISS gets our hyperplanes: a LinearTransform, then the packing of signs that IndexLSH uses."""
    import faiss
    import medretrieval as mr

    dimension = features.shape[1]
    options = {"iterations": 5} if kind == "itq" else {}
    encoder = mr.train_encoder(kind, features[:20_000], bits=bits, threads=threads, **options)
    transform = faiss.LinearTransform(dimension, bits, True)
    tail = np.frombuffer(encoder.to_bytes()[-4 * bits:], np.float32)
    faiss.copy_array_to_vector(itq_weights(encoder, dimension, bits).ravel(), transform.A)
    faiss.copy_array_to_vector(tail, transform.b)
    transform.is_trained = True

    def peer():
        projected = transform.apply(features)
        codes = np.empty((len(features), bits // 8), np.uint8)
        faiss.fvecs2bitvecs(faiss.swig_ptr(projected), faiss.swig_ptr(codes), bits, len(features))
        return codes

    seconds, mine, theirs = alternate(lambda: encoder.encode(features, threads=threads), peer, rounds)
    return {"seconds": seconds, "equal": float(np.mean(np.unpackbits(mine) == np.unpackbits(theirs)))}


def works():
    """Name, ratio aimed at (None: for information) and function(features, threads, rounds)."""
    for m in (8, 16, 32, 64):
        yield f"train PQ {m}x8", 1.8, lambda *rest, m=m: train_pq(rest[0], m, threads=rest[1], rounds=rest[2])
    for m in (16, 32):
        yield f"train PQ {m}x4", None, lambda *rest, m=m: train_pq(rest[0], m, 4, threads=rest[1], rounds=rest[2])
    for bits in (64, 128):
        yield f"train ITQ {bits}", 1.7, lambda *rest, bits=bits: train_itq(rest[0], bits, threads=rest[1], rounds=rest[2])
    yield "train OPQ 16x8", None, lambda *rest: train_opq(rest[0], 16, threads=rest[1], rounds=1)
    for m, bits in ((8, 8), (16, 8), (32, 8), (64, 8), (16, 4), (32, 4), (64, 4)):
        yield f"encode PQ {m}x{bits}", 3.0, lambda *rest, m=m, bits=bits: encode_pq(rest[0], m, bits, *rest[1:])
    for kind in ("lsh", "itq"):
        for bits in (64, 128):
            yield f"encode {kind.upper()} {bits}", 1.0, lambda *rest, kind=kind, bits=bits: encode_hash(
                rest[0], kind, bits, *rest[1:])


def line(name, target, result):
    ours, peer = result["seconds"]["ours"], result["seconds"]["peer"]
    ratios = [theirs / mine for mine, theirs in zip(ours, peer)]
    if "equal" in result:
        quality = f"equal codes {result['equal']:.7f}"
    else:
        difference = 100 * (result["ours_objective"] / result["peer_objective"] - 1)
        quality = f"objective {result['ours_objective']:.5g}, {result['peer_objective']:.5g} ({difference:+.2f} %)"
    return (f"{name:18} {statistics.median(ours):9.4f} {statistics.median(peer):9.4f}  {statistics.median(ratios):6.2f} "
            f"[{min(ratios):.2f}, {max(ratios):.2f}]  {target or '-':>5}  {quality}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="training vectors of 128 dimensions")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="works whose name contains this")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    from peers import data

    features = data.Generator().draw(arguments.rows, 4)[0]
    print(f"{'work':18} {'ours s':>9} {'peer s':>9}   ratio [min, max]     target")
    with contextlib.suppress(KeyboardInterrupt):
        for name, target, work in works():
            if arguments.only in name:
                print(line(name, target, work(features, arguments.threads, arguments.rounds)), flush=True)


if __name__ == "__main__":
    main()
