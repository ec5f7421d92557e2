"""One system under measurement: a process that prepares works and runs them when told to, a line of JSON each way."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import sys
import time

import numpy as np

from peers import restrictions

EMPTY_CALLS = 2000
READS = 5
WARM_CALLS = 20
PAUSE = 0.02  # seconds in which the threads of the system measured before fall asleep: OpenMP's spin on for a while


def seconds_of(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def empty_call(search, dimension):
    """Median seconds of a call that has next to nothing to do."""
    query = np.zeros((1, dimension), np.float32)
    return float(np.median([seconds_of(lambda: search(query)) for _ in range(EMPTY_CALLS)]))


class Opened:
    """An index ready to be searched. A subclass sets `bytes` (a vector) and has configure and search."""

    def __init__(self, restriction):
        self.restriction = restriction
        self.build_seconds = 0.0

    def configure(self, setting, k):
        """Makes what a search needs beside the queries, outside of what is timed."""

    def search(self, rows, k, group):
        """The answers of `rows` within a group, in the form that costs least; ids_of makes row numbers of it."""
        raise NotImplementedError

    def ids_of(self, answer, group):
        return answer


class Worker:
    """A subclass gives open_<kind>(spec, restriction): an Opened, make_<kind>(row): a search over codes, (first, last,
    k) -> (distances, ids) of queries first to last, and empty_calls(): seconds by name."""

    system = version = ""

    def __init__(self, folder, threads):
        self.folder = pathlib.Path(folder)
        self.threads = threads
        self.base = np.load(self.folder / "base.npy", mmap_mode="r")
        self.queries = np.load(self.folder / "queries.npy")
        self.opened, self.parts, self.scans = {}, {}, {}

    # Works over codes that are given.

    def prepare(self, row):
        self.row = row
        if row["encoder"] not in self.scans:
            self.scans = {row["encoder"]: getattr(self, "make_" + row["kind"])(row)}
        self.scan = self.scans[row["encoder"]]
        distances, ids = self.scan(0, min(row["checked"], len(self.queries)), row["k"])
        np.savez(row["answers"], distances=distances, ids=ids)
        return {}

    def run(self, _):
        """Seconds a query, of a batch or of lone queries."""
        row, count = self.row, min(self.row["queries"], len(self.queries))
        time.sleep(PAUSE)
        if row["batch"]:
            return {"seconds": seconds_of(lambda: self.scan(0, count, row["k"])) / count}
        times = [seconds_of(lambda: self.scan(query, query + 1, row["k"])) for query in range(count)]
        return {"seconds": float(np.median(times))}

    def read(self, _):
        """The bytes of the codes of the row, and how many of them a plain sum reads a second with all threads."""
        codes = np.load(self.folder / f"{self.row['encoder']}.codes.npy").reshape(-1).view(np.uint64)
        parts = np.array_split(codes, self.threads)
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            seconds = min(seconds_of(lambda: list(pool.map(np.add.reduce, parts))) for _ in range(READS))
        return {"bytes": codes.nbytes, "rate": codes.nbytes / seconds}

    # Works with an index of the system's own.

    def open(self, message):
        spec, key = message["index"], message["key"]
        if key not in self.opened:
            restriction = restrictions.Restriction(self.folder, message["restriction"], message["items"])
            self.opened[key] = getattr(self, "open_" + spec["kind"])(spec, restriction)
        index = self.opened[key]
        return {"bytes": index.bytes, "build_seconds": index.build_seconds}

    def close(self, _):
        """Lets go of every index."""
        self.opened.clear()
        return {}

    def queries_of(self, which, restriction):
        """For each group its queries as an array and their numbers, and the lone queries in the order of the file."""
        key = (which, restriction.name)
        if key not in self.parts:
            queries = np.load(self.folder / f"{which}.npy")
            groups = [(group, np.ascontiguousarray(queries[rows]), rows)
                      for group, rows in restriction.query_groups(which)]
            lone = sorted((int(row), group) for group, _, rows in groups for row in rows)
            self.parts[key] = groups, [(group, queries[row : row + 1].copy()) for row, group in lone]
        return self.parts[key]

    def search(self, message):
        """Seconds a query under a setting, and with `answers` the ids found, saved there."""
        index, k = self.opened[message["key"]], message["k"]
        groups, lone = self.queries_of(message["queries"], index.restriction)
        index.configure(message["setting"], k)
        if message.get("answers"):
            answers = np.full((len(lone), k), -1, np.int64)
            for group, rows, numbers in groups:
                found = index.ids_of(index.search(rows, k, group), group)
                answers[numbers, : found.shape[1]] = found
            np.save(message["answers"], answers)
        time.sleep(PAUSE)
        if message["batch"]:
            total = seconds_of(lambda: [index.search(rows, k, group) for group, rows, _ in groups])
            return {"seconds": total / len(lone)}
        chosen = lone[: message["lone"]]
        for group, row in chosen[:WARM_CALLS]:
            index.search(row, k, group)
        return {"seconds": float(np.median([seconds_of(lambda: index.search(row, k, group)) for group, row in chosen]))}

    def empty(self, _):
        return {"seconds": self.empty_calls()}

    # Indexes on disk.

    def kept(self, name, restriction, build):
        """The path of an index on disk, made by build(path) unless it is there, and the seconds that took.

        Building uses every core, whatever this process measures with."""
        folder = self.folder / "indexes"
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.system}-{self.version}-{name}-{restriction.items}".replace(" ", "_").replace(",", "_")
        record = path.with_name(path.name + ".built.json")
        if not record.exists():
            if path.is_dir():
                shutil.rmtree(path)
            seconds = seconds_of(lambda: build(path))
            record.write_text(json.dumps({"seconds": seconds, "threads": os.cpu_count()}) + "\n")
        return path, json.loads(record.read_text())["seconds"]

    def serve(self):
        for line in sys.stdin:
            message = json.loads(line)
            try:
                answer = getattr(self, message.pop("do"))(message)
            except Exception as error:  # said where the row is printed; the process goes on with the next one
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


def disk_bytes(path):
    """Bytes of a file or of all files of a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(file.stat().st_size for file in files)


def main(worker):
    worker(sys.argv[1], int(sys.argv[2])).serve()
