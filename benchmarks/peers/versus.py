"""Runs medretrieval and its peers in alternation on the same arrays, checks the answers first, and prints ratios.

Above 1 medretrieval is faster."""

import argparse
import os
import time

from peers import data, files, indexes, plots, processes, results, rows
from peers.run import Run

SMOKE_ITEMS = 5000


def parse():
    parser = argparse.ArgumentParser(prog="versus", description=__doc__)
    parser.add_argument("--folder", default="/tmp/medretrieval-versus", help="where arrays and indexes are kept")
    parser.add_argument("--data", metavar="PATH", help="a folder of fvecs files, one of them, or an HDF5 file; "
                        "otherwise synthetic data")
    parser.add_argument("--items", type=int, default=1_000_000, help="of synthetic data")
    parser.add_argument("--large", action="store_true", help="ten million items: the cascade and growth; takes hours")
    parser.add_argument("--smoke", action="store_true", help="few rows of little data: does everything run?")
    parser.add_argument("--tune", action="store_true", help="choose the parameters anew and print the file to commit")
    parser.add_argument("--systems", nargs="*", default=list(indexes.SYSTEMS), choices=list(indexes.SYSTEMS),
                        help="whose parameters --tune chooses")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--isa", choices=list(processes.FAISS_LEVELS), help="hold medretrieval and FAISS to this "
                        "instruction set; the other peers have none to choose")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--plots", metavar="FOLDER", help="draws recall against speed, and latency against items")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.isa and arguments.tune:
        parser.error("--isa is for measuring: parameters are chosen on the best instruction set")
    if arguments.large:
        arguments.items = rows.LARGE
    if arguments.smoke:
        arguments.items, arguments.rounds, arguments.threads = SMOKE_ITEMS, 2, [1]
    return arguments


def prepare_data(arguments):
    queries, training = (100, 2000) if arguments.smoke else (1000, 100_000)
    if arguments.data:
        return files.prepare(arguments.folder, arguments.data, queries, training)
    return data.prepare(arguments.folder, arguments.items, queries, training)


def measure(run, arguments):
    run.empty_calls()
    print(results.HEADER)
    for threads in arguments.threads:
        run.measure(threads)
    if arguments.large:
        run.measure_growth()
    elif {1, 2} <= set(arguments.threads):
        run.measure_threads()
    print(f"rows: {results.summary(run.rows)}")
    if arguments.plots:
        for path in plots.draw(arguments.plots, run.curves, run.rows):
            print(f"drawn: {path}")
    if arguments.json:
        results.write(arguments.json, run.rows)


def main():
    arguments = parse()
    begin = time.perf_counter()
    run = Run(arguments, prepare_data(arguments))
    print(f"{run.folder}: {run.items} items of {run.dimension} dimensions, {os.cpu_count()} cores", flush=True)
    if arguments.large:
        print("ten million items: the systems run one after the other, not in alternation", flush=True)
    run.tune()
    if not arguments.tune:
        measure(run, arguments)
    print(f"{(time.perf_counter() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
