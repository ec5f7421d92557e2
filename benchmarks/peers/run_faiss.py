"""FAISS under measurement, with the codes and codebooks that medretrieval trained."""

import faiss
import numpy as np

from peers import worker


class Faiss(worker.Worker):
    def __init__(self, folder, threads):
        super().__init__(folder, threads)
        faiss.omp_set_num_threads(threads)

    def make_hamming(self, row):
        codes = np.load(self.folder / (row["encoder"] + ".codes.npy"))
        query_codes = np.load(self.folder / (row["encoder"] + ".query_codes.npy"))
        index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
        index.add(codes)
        place = {query.tobytes(): i for i, query in enumerate(self.queries)}

        def search(queries, k):  # the codes of the queries are given: FAISS has no encoder to pay for
            first = place[queries[0].tobytes()]
            return index.search(query_codes[first : first + len(queries)], k)

        return search

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
        return self.product_index(row).search

    def make_adc4(self, row):
        self.plain = self.product_index(row)
        self.fast = faiss.IndexPQFastScan(self.plain)
        return self.fast.search


worker.main(Faiss)
