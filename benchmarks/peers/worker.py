"""One system under measurement: a process that prepares works and runs them when told to, a line of JSON each way."""

import json
import pathlib
import sys
import time

import numpy as np


class Worker:
    """A subclass gives make_<kind>(row): the callable that searches a batch, (queries, k) -> (distances, ids)."""

    def __init__(self, folder, threads):
        self.folder = pathlib.Path(folder)
        self.threads = threads
        self.queries = np.load(self.folder / "queries.npy")
        self.base = np.load(self.folder / "base.npy", mmap_mode="r")

    def prepare(self, row):
        self.row = row
        self.search = getattr(self, "make_" + row["kind"])(row)
        distances, ids = self.search(self.queries[: row["checked"]], row["k"])
        np.savez(row["answers"], distances=distances, ids=ids)
        return {}

    def run(self, _):
        """Seconds a query, of a batch or of lone queries."""
        row = self.row
        if row["batch"]:
            begin = time.perf_counter()
            self.search(self.queries[: row["queries"]], row["k"])
            return {"seconds": (time.perf_counter() - begin) / row["queries"]}
        times = []
        for query in range(row["queries"]):
            begin = time.perf_counter()
            self.search(self.queries[query : query + 1], row["k"])
            times.append(time.perf_counter() - begin)
        return {"seconds": float(np.median(times))}

    def serve(self):
        for line in sys.stdin:
            message = json.loads(line)
            answer = getattr(self, message.pop("do"))(message)
            print(json.dumps(answer), flush=True)


def main(worker):
    worker(sys.argv[1], int(sys.argv[2])).serve()
