"""Cost over the size of the gallery: latency, memory, building time and recall of every index of medretrieval.

Each index is tuned to recall10@10 of .95 on held-out queries and measured on others, synthetic data (peers/data.py),
galleries on disk, mapped. The cascade looks inside the query's true class; its recall is that of the exact neighbours there."""

import argparse
import pathlib
import shutil
import statistics
import time

import medretrieval as mr
import numpy as np

from peers import data

CHUNK = 500_000
K = 10
RECALL = 0.95
CLASSES = [f"c{each}" for each in range(len(data.CLASS_SHARES))]
FACTORS = (1, 2, 3, 5, 8, 12, 20, 32, 50, 80, 120, 200, 320, 500, 800, 1200, 2000, 3200, 5000)


def lists_for(items):
    """About four times the square root, a power of two."""
    return 2 ** round(np.log2(4 * np.sqrt(items)))


def indexes(items):
    """Name, encoder and its options, whether the cascade inside a class is measured, whether there are lists."""
    lists = {"lists": lists_for(items), "encoder": "pq", "subspaces": 32, "bits_per_entry": 4}
    yield f"{lists['lists']} lists, PQ 32x4", lists, False
    yield f"cascade, {lists['lists']} lists, PQ 32x4", lists, True
    yield "cascade, ITQ 64", {"encoder": "itq", "bits": 64}, True
    yield "scan, ITQ 128", {"encoder": "itq", "bits": 128}, False
    yield "scan, PQ 32x4", {"encoder": "pq", "subspaces": 32, "bits_per_entry": 4}, False


def build(folder, path, items, options):
    """A gallery on disk and the seconds that training, adding and writing took, reading the vectors included."""
    begin = time.perf_counter()
    model = mr.train_model(np.load(folder / "training.npy"), vocabulary=CLASSES, stored_features="float16", **options)
    gallery = mr.Gallery.create(str(path), model)
    base = np.load(folder / "base.npy", mmap_mode="r")
    classes = np.load(folder / "base_classes.npy")
    for first in range(0, items, CHUNK):
        rows = slice(first, min(first + CHUNK, items))
        gallery.add(np.ascontiguousarray(base[rows]), labels=[[CLASSES[each]] for each in classes[rows]])
        gallery.commit()
    gallery.compact(merge_below=items + 1)
    return time.perf_counter() - begin


class Measured:
    """Queries of one kind against a gallery, grouped by class where only the query's own class is searched."""

    def __init__(self, searcher, folder, which, cascade, count):
        self.searcher = searcher
        self.queries = np.load(folder / f"{which}.npy")[:count]
        classes = np.load(folder / f"{which}_classes.npy")[:count]
        self.groups = [(None, np.arange(len(self.queries)))]
        if cascade:
            self.groups = [(searcher.prepare(mr.Filter(labels=[CLASSES[each]])), np.flatnonzero(classes == each))
                           for each in np.unique(classes)]
        self.truth = self.answers(exact=True)

    def answers(self, threads=0, **options):
        ids = np.empty((len(self.queries), K), np.int64)
        for members, rows in self.groups:
            ids[rows] = self.searcher.search(self.queries[rows], k=K, filter=members, threads=threads, **options)["ids"]
        return ids

    def recall(self, **options):
        found = self.answers(**options)
        return np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, self.truth)])

    def batch_microseconds(self, threads, **options):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            self.answers(threads=threads, **options)
            times.append((time.perf_counter() - begin) / len(self.queries))
        return statistics.median(times) * 1e6

    def lone_microseconds(self, threads, **options):
        times = []
        for members, rows in self.groups:
            for row in rows:
                begin = time.perf_counter()
                self.searcher.search(self.queries[row : row + 1], k=K, filter=members, threads=threads, **options)
                times.append(time.perf_counter() - begin)
        return statistics.median(times) * 1e6


def probes_of(measured, factor, lists):
    """The fewest probes that reach the recall with a pool; None where none do."""
    probes, before, without_gain = 1, -1.0, 0
    while True:
        recall = measured.recall(pool_factor=factor, probes=probes)
        if recall >= RECALL:
            return probes
        without_gain = without_gain + 1 if recall < before + 5e-4 else 0
        if probes == lists or without_gain == 6:  # the pool is what limits it
            return None
        before, probes = recall, min(lists, max(probes + 1, probes * 5 // 4))


def tuned(measured, lists):
    """The fastest setting in a batch that reaches the recall; a scan's smallest pool."""
    best = None
    for factor in FACTORS:
        setting = {"pool_factor": factor}
        if lists:
            setting["probes"] = probes_of(measured, factor, lists)
            if setting["probes"] is None:
                continue
        elif measured.recall(**setting) < RECALL:
            continue
        cost = measured.batch_microseconds(1, **setting)
        if best is not None and cost > best[0]:
            return best[1]
        best = cost, setting
        if not lists:
            break
    return best[1] if best else None


def measure(name, folder, items, options, cascade, queries):
    path = folder / f"curve-{options['encoder']}-{options.get('bits', 0)}-{options.get('lists', 0)}"
    note = path.with_suffix(".seconds")
    if not note.exists():
        shutil.rmtree(path, ignore_errors=True)
        note.write_text(str(build(folder, path, items, options)))
    searcher = mr.Searcher(mr.Snapshot.open(str(path)))
    setting = tuned(Measured(searcher, folder, "tuning", cascade, queries), options.get("lists", 0))
    if setting is None:
        return f"| {items:,} | {name} | recall {RECALL} is not reached | | | | | | |"
    asked = Measured(searcher, folder, "queries", cascade, queries)
    lone = [asked.lone_microseconds(threads, **setting) for threads in (1, 2)]
    batch = [asked.batch_microseconds(threads, **setting) for threads in (1, 2)]
    size = sum(file.stat().st_size for file in path.iterdir())
    values = ", ".join(f"{key} {value}" for key, value in setting.items())
    return (f"| {items:,} | {name} | {values} | {asked.recall(**setting):.3f} | {lone[0]:,.0f} / {lone[1]:,.0f} | "
            f"{batch[0]:,.0f} / {batch[1]:,.0f} | {size / items:,.0f} | {float(note.read_text()):,.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="/tmp/medretrieval-versus", help="where arrays and galleries are kept")
    parser.add_argument("--items", type=int, nargs="*", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--queries", type=int, default=500)
    arguments = parser.parse_args()
    print("| items | index | setting | recall | lone us, 1 / 2 threads | batch us, 1 / 2 threads | bytes a vector | build s |")
    print("|---|---|---|---|---|---|---|---|")
    for items in arguments.items:
        folder = pathlib.Path(data.prepare(arguments.folder, items))
        for name, options, cascade in indexes(items):
            print(measure(name, folder, items, options, cascade, arguments.queries), flush=True)


if __name__ == "__main__":
    main()
