"""FAISS under measurement. For scans it gets the codes and codebooks that medretrieval trained."""

import os
import weakref

import faiss
import numpy as np

from peers import faiss_indexes, worker


class Faiss(worker.Worker):
    system, version = "faiss", faiss.__version__

    def __init__(self, folder, threads):
        super().__init__(folder, threads)
        level = os.environ.get("FAISS_SIMD_LEVEL")
        if level and faiss.SIMDConfig.get_level_name() != level:
            raise RuntimeError(f"FAISS runs {faiss.SIMDConfig.get_level_name()}, not {level}")
        faiss.omp_set_num_threads(threads)
        self.loaded = weakref.WeakValueDictionary()  # works that use the same index share it

    # Scans of given codes.

    def make_hamming(self, row):
        codes = np.load(self.folder / (row["encoder"] + ".codes.npy"))
        query_codes = np.load(self.folder / (row["encoder"] + ".queries_codes.npy"))
        index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
        index.add(codes)
        # The codes of the queries are given: FAISS has no encoder to pay for.
        return lambda first, last, k: index.search(query_codes[first:last], k)

    def product_index(self, row):
        codes = np.load(self.folder / (row["encoder"] + ".codes.npy"))
        centroids = np.load(self.folder / (row["encoder"] + ".centroids.npy"))  # subspaces x entries x width
        subspaces, entries, _ = centroids.shape
        index = faiss.IndexPQ(self.base.shape[1], subspaces, int(np.log2(entries)))
        faiss.copy_array_to_vector(centroids.ravel(), index.pq.centroids)
        index.is_trained = True
        faiss.copy_array_to_vector(codes.ravel(), index.codes)
        index.ntotal = len(codes)
        return index

    def make_adc8(self, row):
        index = self.product_index(row)
        return lambda first, last, k: index.search(self.queries[first:last], k)

    def make_adc4(self, row):
        self.plain = self.product_index(row)
        fast = faiss.IndexPQFastScan(self.plain)
        return lambda first, last, k: fast.search(self.queries[first:last], k)

    # Indexes of FAISS's own.

    def build(self, spec, rows, items, path):
        faiss.omp_set_num_threads(os.cpu_count())
        factory = "Flat" if "flat" in (spec["kind"], spec.get("inner")) else spec.get("factory", spec["name"])
        index = faiss.index_factory(self.base.shape[1], factory)
        if "construction" in spec:
            index.hnsw.efConstruction = spec["construction"]
        if not index.is_trained:
            training = np.load(self.folder / "training.npy")
            if len(rows) < items:  # an index of a class learns from rows of that class
                training = np.asarray(self.base[rows[:: max(1, len(rows) // len(training))]])
            index.train(training)
        for first in range(0, len(rows), 500_000):
            index.add(np.asarray(self.base[rows[first : first + 500_000]]))
        faiss.write_index(index, str(path))
        faiss.omp_set_num_threads(self.threads)

    def stored(self, spec, restriction, rows, name):
        path, seconds = self.kept(name, restriction, lambda path: self.build(spec, rows, restriction.items, path))
        index = self.loaded.get(path) or faiss.read_index(str(path))
        self.loaded[path] = index
        return index, seconds, worker.disk_bytes(path)

    def open_whole(self, spec, restriction):
        name = "Flat" if spec["kind"] == "flat" else spec["name"]  # whatever the selector
        index, seconds, size = self.stored(spec, restriction, np.arange(restriction.items), name)
        opened = faiss_indexes.Whole(index, spec, restriction)
        opened.build_seconds, opened.bytes = seconds, size / restriction.items
        return opened

    open_ivf = open_hnsw = open_flat = open_whole

    def open_per_class(self, spec, restriction):
        parts = {}
        for group in restriction.groups():
            name = f"{spec['name']}-{restriction.name}{group}"
            parts[group] = self.stored(spec, restriction, restriction.members(group), name)
        opened = faiss_indexes.PerClass({group: part[0] for group, part in parts.items()}, spec, restriction)
        opened.build_seconds = sum(part[1] for part in parts.values())
        opened.bytes = sum(part[2] for part in parts.values()) / restriction.items
        return opened

    def open_cascade(self, spec, restriction):
        name = f"itq{spec['bits']}"
        codes = np.load(self.folder / f"{name}.codes.npy", mmap_mode="r")
        query_codes = {}
        for which in ("queries", "tuning"):
            encoded = np.load(self.folder / f"{name}.{which}_codes.npy")
            for query, code in zip(np.load(self.folder / f"{which}.npy"), encoded):
                query_codes[query.tobytes()] = code[None].copy()
        return faiss_indexes.Cascade(self.base, codes, query_codes, restriction)

    def empty_calls(self):
        dimension = self.base.shape[1]
        flat, binary = faiss.IndexFlatL2(dimension), faiss.IndexBinaryFlat(64)
        flat.add(np.asarray(self.base[:64]))
        binary.add(np.zeros((64, 8), np.uint8))
        code = np.zeros((1, 8), np.uint8)
        return {"IndexFlatL2": worker.empty_call(lambda query: flat.search(query, 1), dimension),
                "IndexBinaryFlat": worker.empty_call(lambda _: binary.search(code, 1), dimension)}


if __name__ == "__main__":
    worker.main(Faiss)
