"""USearch under measurement, with 16-bit features."""

import os

import numpy as np
import usearch
from usearch.index import Index

from peers import worker


class Graph(worker.Opened):
    def __init__(self, index, restriction, threads):
        super().__init__(restriction)
        self.index, self.threads = index, threads

    def configure(self, setting, k):
        self.index.expansion_search = max(k, setting["expansion_search"])

    def search(self, rows, k, group):
        return self.index.search(rows, k, threads=self.threads)

    def ids_of(self, answer, group):
        return np.atleast_2d(answer.keys).astype(np.int64)


class USearch(worker.Worker):
    system, version = "usearch", usearch.__version__

    def new(self, links=16):
        return Index(ndim=self.base.shape[1], metric="l2sq", dtype="f16", connectivity=links)

    def open_graph(self, spec, restriction):
        def build(path):
            index = self.new(spec["links"])
            for first in range(0, restriction.items, 100_000):
                keys = np.arange(first, min(first + 100_000, restriction.items))
                index.add(keys, np.asarray(self.base[first : first + len(keys)]), threads=os.cpu_count())
            index.save(str(path))

        path, seconds = self.kept(spec["name"], restriction, build)
        index = self.new(spec["links"])
        index.load(str(path))
        opened = Graph(index, restriction, self.threads)
        opened.build_seconds, opened.bytes = seconds, worker.disk_bytes(path) / restriction.items
        return opened

    def empty_calls(self):
        index = self.new()
        index.add(np.arange(64), np.asarray(self.base[:64]))
        return {"search": worker.empty_call(lambda query: index.search(query, 1, threads=self.threads),
                                            self.base.shape[1])}


if __name__ == "__main__":
    worker.main(USearch)
