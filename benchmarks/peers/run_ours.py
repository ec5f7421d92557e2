"""medretrieval under measurement."""

import medretrieval as mr
import numpy as np

from peers import worker


class Ours(worker.Worker):
    def searcher(self, encoder):
        gallery = mr.Gallery(mr.make_model(self.base.shape[1], encoder))
        for first in range(0, len(self.base), 500_000):
            gallery.add(np.ascontiguousarray(self.base[first : first + 500_000]))
        return mr.Searcher(gallery.commit())

    def code_search(self, row):
        searcher = self.searcher(mr.Encoder.from_bytes((self.folder / row["encoder"]).read_bytes()))

        def search(queries, k):
            answer = searcher.search(queries, k=k, pool_factor=1, rerank="none", threads=self.threads)
            return answer["distances"], answer["ids"]

        return search

    make_hamming = make_adc8 = make_adc4 = code_search


worker.main(Ours)
