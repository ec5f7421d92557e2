"""hnswlib under measurement."""

import os

import hnswlib
import numpy as np

from peers import indexes, worker


class Graph(worker.Opened):
    def __init__(self, index, restriction, threads):
        super().__init__(restriction)
        self.index, self.threads = index, threads

    def configure(self, setting, k):
        self.index.set_ef(max(k, setting["ef"]))

    def search(self, rows, k, group):
        return self.index.knn_query(rows, k, num_threads=self.threads)

    def ids_of(self, answer, group):
        return answer[0].astype(np.int64)


class Hnswlib(worker.Worker):
    system, version = "hnswlib", getattr(hnswlib, "__version__", "0.8")

    def new(self):
        return hnswlib.Index(space="l2", dim=self.base.shape[1])

    def open_graph(self, spec, restriction):
        def build(path):
            index = self.new()
            index.init_index(restriction.items, ef_construction=indexes.CONSTRUCTION, M=spec["links"], random_seed=1)
            index.set_num_threads(os.cpu_count())
            index.add_items(np.asarray(self.base[: restriction.items]))
            index.save_index(str(path))

        path, seconds = self.kept(spec["name"], restriction, build)
        index = self.new()
        index.load_index(str(path))
        index.set_num_threads(self.threads)
        opened = Graph(index, restriction, self.threads)
        opened.build_seconds, opened.bytes = seconds, worker.disk_bytes(path) / restriction.items
        return opened

    def empty_calls(self):
        index = self.new()
        index.init_index(64)
        index.add_items(np.asarray(self.base[:64]))
        return {"knn_query": worker.empty_call(lambda query: index.knn_query(query, 1, num_threads=self.threads),
                                               self.base.shape[1])}


if __name__ == "__main__":
    worker.main(Hnswlib)
