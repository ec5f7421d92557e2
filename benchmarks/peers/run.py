"""One run of the comparison: which rows, in which processes, and what they gave."""

import numpy as np

from peers import contest, indexes, processes, restrictions, results, rows, scaling, scans, trainings, tune

SMOKE_SCANS = ("lsh64", "pq16x4")
SMOKE_RESTRICTIONS = ("all", "random", "filter10")
CURVE_ROUNDS = 3


class Run:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        # The committed file holds the default works; other data have theirs beside them.
        self.parameters = tune.Parameters(folder, commit=arguments.tune and not (arguments.data or arguments.smoke))
        self.rows, self.curves, self.qualities = [], {}, {}
        self.items, self.dimension = np.load(folder / "base.npy", mmap_mode="r").shape

    def add(self, result):
        self.rows.append(result)
        print(results.line(result), flush=True)

    def systems(self, threads):
        return processes.Systems(self.folder, threads, self.arguments.isa)

    # Which rows.

    def scan_rows(self):
        if self.arguments.large:
            return []
        chosen = [row for row in rows.scan_rows(self.dimension) if self.arguments.only in row["name"]]
        return [row for row in chosen if not self.arguments.smoke or row["encoder"] in SMOKE_SCANS]

    def training_rows(self):
        chosen = [row for row in trainings.all_rows() if self.arguments.only in row["name"]]
        return [] if self.arguments.large or self.arguments.smoke else chosen

    def works(self):
        clustered = self.arguments.data is None
        works = rows.large_works() if self.arguments.large else rows.tuned_works(self.items, clustered)
        return [work for work in works if self.wanted_rows(work)
                and (not self.arguments.smoke or work["restriction"] in SMOKE_RESTRICTIONS)]

    def wanted_rows(self, work):
        return [(point, mode) for point in work["points"] for mode in work["modes"]
                if self.arguments.only in rows.row_name(work, point, mode)]

    # What they need.

    def quality(self, work, which="queries"):
        key = which, work["restriction"], work["items"]
        if key not in self.qualities:
            restriction = restrictions.Restriction(self.folder, work["restriction"], work["items"])
            self.qualities = {key: tune.Quality(self.folder, which, restriction, work["k"])}
        return self.qualities[key]

    def prepare_codes(self, work):
        """The cascade of FAISS's parts scans codes of our encoder."""
        if work["kind"] == "cascade":
            for bits in indexes.cascade_bits(self.dimension):
                scans.train_codes(self.folder, f"itq{bits}", "itq", {"bits": bits})

    def tune(self):
        """Chooses parameters for indexes without any, with --tune for all: one thread, one system after the other."""
        for work in self.works():
            for system in work["systems"]:
                again = self.arguments.tune
                if again and system not in self.arguments.systems:
                    continue
                specs = tune.untuned(self.parameters, work, system, self.dimension, again)
                if not specs:
                    continue
                print(f"tuning {system}: {work['name']} ({work['items']} items)", flush=True)
                self.prepare_codes(work)
                with self.systems(1) as systems:
                    tune.tune(systems, self.parameters, work, system, specs, self.quality(work, "tuning"))

    # Measurements.

    def empty_calls(self):
        with self.systems(1) as systems:
            for system in indexes.SYSTEMS:
                for name, seconds in systems[system].ask(do="empty")["seconds"].items():
                    print(f"an empty call, {system} {name}: {seconds * 1e6:.1f} us", flush=True)

    def measure(self, threads):
        """All rows of a number of threads."""
        with self.systems(threads) as systems:
            for row in self.scan_rows():
                self.add(scans.measure(systems, row, self.arguments.rounds))
            for row in self.training_rows():
                self.add(trainings.measure(systems, row, self.arguments.rounds))
        for work in self.works():
            with self.systems(threads) as systems:
                self.measure_work(systems, work)

    def measure_work(self, systems, work):
        self.prepare_codes(work)
        quality = self.quality(work)
        for point, mode in self.wanted_rows(work):
            self.add(contest.measure(systems, self.parameters, work, point, mode, self.arguments.rounds, quality,
                                     alternate=not self.arguments.large))
        if work["kind"] == "approximate" and systems.threads == 1 and self.arguments.plots:
            self.measure_curves(systems, work, quality)

    def measure_curves(self, systems, work, quality):
        """For the plot: every index at every point it was tuned for."""
        for system in work["systems"]:
            for name, points in (self.parameters.of(work, system) or {}).items():
                for modes in points.values():
                    one = contest.Contender(system, name, modes["batch"])
                    contest.run_rounds(systems, work, "batch", [one], CURVE_ROUNDS, quality)
                    if one.times:
                        title = f"medretrieval {name}" if system == "ours" else name
                        self.curves.setdefault(title, []).append((one.recall, one.seconds()))

    def measure_threads(self):
        with self.systems(1) as one, self.systems(2) as two:
            works = [work for work in self.works() if work["kind"] in ("approximate", "class")]
            for result in scaling.measure(one, two, self.parameters, self.scan_rows(), works, self.arguments.rounds,
                                          self.quality):
                self.add(result)

    def measure_growth(self):
        """From the rows of the approximate works at both sizes."""
        for threads in self.arguments.threads:
            for mode in rows.MODES:
                pair = [row for row in self.rows if row["threads"] == threads and row["row"].startswith("approximate")
                        and row["row"].endswith(rows.row_name({"name": ""}, 0.95, mode))]
                if len(pair) == 2:
                    self.add(scaling.growth(*pair, 0.95, mode))
