"""Chooses parameters on queries that the comparison does not measure with: the same search for every system.

For each value of an index's second parameter the breadth is bisected to the smallest that reaches the recall; the
fastest few of these are timed again, in batches and lone."""

import json
import pathlib
import statistics

import numpy as np

from peers import ground_truth, indexes, processes, rows

COMMITTED = pathlib.Path(__file__).with_name("parameters.json")
MARGIN = 0.002  # of recall, since other queries are measured
FINALISTS = 4
LONE = 200
REPEATS = 3
LEAST_GAIN = 0.0005  # of recall, for widening threefold


class Quality:
    """Recall of answers to a set of queries under a restriction."""

    def __init__(self, folder, which, restriction, k):
        self.base = np.load(folder / "base.npy", mmap_mode="r")[: restriction.items]
        self.queries = np.load(folder / f"{which}.npy")
        self.truth = ground_truth.of_restriction(folder, self.base, which, restriction, k)
        self.groups = [(restriction.members(group), numbers) for group, numbers in restriction.query_groups(which)]

    def recall(self, ids):
        weighted = [len(numbers) * ground_truth.recall(ids[numbers], [part[numbers] for part in self.truth],
                                                       self.queries[numbers], self.base, members)
                    for members, numbers in self.groups]
        return sum(weighted) / len(ids)


class Index:
    """An index of a work, open in a worker process, asked with one set of queries."""

    def __init__(self, process, folder, work, spec, which):
        self.process, self.which, self.spec = process, which, spec
        self.key = f"{spec['name']} {rows.key_of(work)}"
        self.k = work["k"]
        self.path = folder / f"answers-{process.system}.npy"
        opened = process.ask(do="open", key=self.key, index=spec, restriction=work["restriction"], items=work["items"])
        self.bytes, self.build_seconds = opened["bytes"], opened["build_seconds"]

    def ask(self, setting, mode, lone=LONE, answers=None):
        return self.process.ask(do="search", key=self.key, queries=self.which, k=self.k, batch=mode == "batch",
                                lone=lone, setting=setting, answers=answers)["seconds"]

    def answer(self, setting):
        """The ids found, and the seconds a query of a batch."""
        seconds = self.ask(setting, "batch", answers=str(self.path))
        return np.load(self.path), seconds

    def close(self):
        self.process.ask(do="close")


class Sweep:
    """The settings of an index that were looked at, with their recall and seconds in a batch."""

    def __init__(self, index, quality):
        self.index, self.quality = index, quality
        self.name, largest = index.spec.get("breadth", ("", 1))
        self.grid = indexes.grid(largest) if self.name else [0]
        self.second, self.factors = index.spec.get("second", ("", [None]))
        self.seen = {}

    def setting(self, place, factor):
        values = {self.name: self.grid[place], self.second: factor}
        return {name: value for name, value in values.items() if name}

    def look(self, place, factor):
        if (place, factor) not in self.seen:
            ids, seconds = self.index.answer(self.setting(place, factor))
            self.seen[place, factor] = self.quality.recall(ids), seconds
        return self.seen[place, factor]

    def smallest(self, factor, recall):
        """The place of the smallest breadth that reaches a recall; None where none does.

        Widens before it bisects: the widest searches are dear and seldom needed. Where widening has stopped to help, the
        second parameter is what limits the recall."""
        low, high, step, before, without_gain = 0, 0, 8, -1.0, 0
        while self.look(high, factor)[0] < recall:
            reached = self.look(high, factor)[0]
            without_gain = without_gain + 1 if reached < before + LEAST_GAIN else 0
            if high == len(self.grid) - 1 or without_gain == 2:  # once: a breadth below k is taken as k
                return None
            before = reached
            low, high = high + 1, min(high + step, len(self.grid) - 1)
        while low < high:
            middle = (low + high) // 2
            if self.look(middle, factor)[0] >= recall:
                high = middle
            else:
                low = middle + 1
        return high

    def finalists(self, recall):
        found = [(self.smallest(factor, recall), factor) for factor in self.factors]
        reaching = [each for each in found if each[0] is not None]
        return sorted(reaching, key=lambda each: self.seen[each][1])[:FINALISTS]


def fastest(index, sweep, finalists, mode):
    """The finalist of the smallest median time, timed in turns."""
    slow = sweep.seen[finalists[0]][1] > 2e-3
    settings = [sweep.setting(*each) for each in finalists]
    times = [[index.ask(setting, mode) for setting in settings] for _ in range(1 if slow else REPEATS)]
    medians = [statistics.median(each) for each in zip(*times)]
    best = medians.index(min(medians))
    return {"setting": settings[best], "seconds": medians[best], "recall": sweep.seen[finalists[best]][0]}


def tune_index(index, quality, work):
    """The best setting for each point and mode: {point: {mode: {setting, seconds, recall}}}."""
    sweep, best = Sweep(index, quality), {}
    points = sorted({*work["points"], *(rows.CURVE_POINTS if work["kind"] == "approximate" else ())})
    for point in points:
        finalists = sweep.finalists(min(point + MARGIN, 1.0))
        for mode in work["modes"] if finalists else ():
            best.setdefault(f"{point:g}", {})[mode] = fastest(index, sweep, finalists, mode)
    return best


class Parameters:
    """Settings by data set, work, system and index: those committed, and where they have none those beside the data."""

    def __init__(self, folder, commit=False):
        self.own = COMMITTED if commit else folder / "parameters.json"
        self.data, self.found = folder.name, {}
        for path in (folder / "parameters.json", COMMITTED):
            for work, systems in read(path).get(self.data, {}).items():
                for system, tuned in systems.items():
                    self.found.setdefault(work, {}).setdefault(system, {}).update(tuned)

    def of(self, work, system):
        """{index: {point: {mode: ...}}}, or None where the system was never tuned for the work."""
        return self.found.get(rows.key_of(work), {}).get(system)

    def keep(self, work, system, tuned):
        """Takes settings, for later runs too."""
        self.found.setdefault(rows.key_of(work), {})[system] = tuned
        stored = read(self.own)
        stored.setdefault(self.data, {}).setdefault(rows.key_of(work), {})[system] = tuned
        self.own.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def untuned(parameters, work, system, dimension, again=False):
    """The specifications of the indexes that have no parameters yet, or of all."""
    known = {} if again else parameters.of(work, system) or {}
    return [spec for spec in indexes.of(system, work, dimension) if spec["name"] not in known]


def tune(systems, parameters, work, system, specs, quality):
    """Tunes indexes that a system brings to a work, and keeps what it finds beside what is known of its others."""
    current = {spec["name"] for spec in indexes.of(system, work, quality.base.shape[1])}
    known = parameters.of(work, system) or {}
    tuned = {name: each for name, each in known.items() if name in current}
    for spec in specs:
        try:
            index = Index(systems[system], systems.folder, work, spec, "tuning")
        except processes.NotMeasured as error:
            print(f"  {spec['name']}: not measured: {error}", flush=True)
            continue
        tuned[spec["name"]] = tune_index(index, quality, work)
        reached = ", ".join(f"{point}: {modes['lone']['seconds'] * 1e6:.0f} us {modes['lone']['setting']}"
                            for point, modes in tuned[spec["name"]].items())
        reached = reached or "reaches no point"
        print(f"  {spec['name']}: built in {index.build_seconds:.0f} s; lone {reached}", flush=True)
        index.close()
    parameters.keep(work, system, tuned)
