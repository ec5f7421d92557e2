"""Rows of medretrieval beside itself: two threads against one, and growth with the number of items."""

import statistics

import numpy as np

from peers import contest, processes, results, rows, scans

THREADS_TARGET = 1.8
GROWTH_TARGET = 3.1
SCANS = ("lsh64", "pq16x8", "pq64x4")


def pair_of_times(one, two, ask, rounds):
    """Times of both in alternation; `ask` gets a process and gives seconds."""
    times = [], []
    for _ in range(rounds):
        for process, into in zip((one, two), times):
            into.append(ask(process))
    return times


def row_of(name, times, same, **more):
    single, double = times
    return results.result(
        f"2 threads: {name}", THREADS_TARGET, 2, "medretrieval, 1 thread", results.ratios(single, double),
        ours_us=statistics.median(double) * 1e6, peer_us=statistics.median(single) * 1e6, same_ids=same, **more)


def not_measured(name, why):
    return results.result(f"2 threads: {name}", THREADS_TARGET, 2, "medretrieval, 1 thread", note=str(why))


def measure_scan(one, two, row, rounds):
    scans.train_codes(one.folder, row["encoder"], *row["train"])
    found = []
    for systems in (one, two):
        path = systems.folder / f"answers-{systems.threads}.npz"
        systems["ours"].ask(do="prepare", **row, answers=str(path))
        found.append(np.load(path)["ids"])
    times = pair_of_times(one["ours"], two["ours"], lambda process: process.ask(do="run")["seconds"], rounds)
    return row_of(row["name"], times, bool(np.array_equal(*found)))


def measure_tuned(one, two, parameters, work, point, mode, rounds, quality):
    name = rows.row_name(work, point, mode)
    pair = []
    for systems in (one, two):
        each = contest.contenders(parameters, work, point, mode)["ours"]
        if not each:
            return not_measured(name, "ours: no index reaches the recall")
        each.sort(key=lambda one: one.tuned_seconds)
        each[0].prepare(systems["ours"], systems.folder, work, quality)
        pair.append(each[0])
    times = pair_of_times(*pair, lambda side: side.time(mode) or side.times[-1], rounds)
    return row_of(name, times, bool(np.array_equal(pair[0].ids, pair[1].ids)), recall_ours=pair[1].recall,
                  recall_peer=pair[0].recall, ours_settings=pair[1].describe())


def measure(one, two, parameters, scan_rows, works, rounds, quality_of):
    """Yields a row for each kind of scan, and for each tuned work at its middle point, lone and in batches."""
    for row in scan_rows:
        if row["encoder"] in SCANS and row["k"] == 10:
            try:
                yield measure_scan(one, two, row, rounds)
            except processes.NotMeasured as error:
                yield not_measured(row["name"], error)
    for work in works:
        for mode in work["modes"]:
            try:
                yield measure_tuned(one, two, parameters, work, 0.95, mode, rounds, quality_of(work))
            except processes.NotMeasured as error:
                yield not_measured(rows.row_name(work, 0.95, mode), error)
        for systems in (one, two):
            systems["ours"].ask(do="close")


def growth(small, large, point, mode):
    """10 / (cost at ten times the items : cost), from results of the same work at both sizes."""
    name = f"growth recall {point:.2f} {mode}"
    peer = "medretrieval at a tenth of the items"
    if small["ours_us"] is None or large["ours_us"] is None:
        return results.result(name, GROWTH_TARGET, large["threads"], peer, note=large["note"] or small["note"])
    times = [[one["ours_us"], *one["ours_us_range"]] for one in (small, large)]
    ratio = results.unpaired_ratios([10 * each for each in times[0]], times[1])
    return results.result(
        name, GROWTH_TARGET, large["threads"], peer, ratio, recall_ours=large["recall_ours"],
        recall_peer=small["recall_ours"], ours_us=large["ours_us"], peer_us=small["ours_us"],
        bytes_ours=large["bytes_ours"], bytes_peer=small["bytes_ours"], ours_settings=large["ours_settings"])
