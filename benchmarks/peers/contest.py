"""Rows in which every system brings its best index: equal recall, the best peer of each row."""

import statistics

import numpy as np

from peers import indexes, processes, results, rows, tune

NEAR = 2.5  # indexes within this factor of the tuned best of their side are measured: clocks drift between tunings
SHORT = 0.005  # below the point by more than this, a recall does not count
MEASURED_LONE = 300


class Contender:
    """One index with its setting for a row, and what was measured of it."""

    def __init__(self, system, name, tuned):
        self.system, self.name = system, name
        self.setting, self.tuned_seconds = tuned["setting"], tuned["seconds"]
        self.times, self.recall, self.ids, self.index = [], None, None, None

    def describe(self):
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.setting.items())])

    def prepare(self, process, folder, work, quality):
        """Opens the index and checks its answers before any are timed."""
        specs = {each["name"]: each for each in indexes.of(self.system, work, quality.base.shape[1])}
        if self.name not in specs:
            raise processes.NotMeasured(f"{self.system}: parameters name an index that is gone: {self.name}")
        spec = specs[self.name]
        self.index = tune.Index(process, folder, work, spec, "queries")
        self.ids, _ = self.index.answer(self.setting)
        self.recall = quality.recall(self.ids)

    def time(self, mode):
        self.times.append(self.index.ask(self.setting, mode, lone=MEASURED_LONE))

    def seconds(self):
        return statistics.median(self.times)


def contenders(parameters, work, point, mode):
    """Those of ours and of the peers that may be the best of a row, by the seconds found when tuning."""
    found = {"ours": [], "peers": []}
    for system in work["systems"]:
        for name, points in (parameters.of(work, system) or {}).items():
            tuned = points.get(f"{point:g}", {}).get(mode)
            if tuned:
                found["ours" if system == "ours" else "peers"].append(Contender(system, name, tuned))
    for side, each in found.items():
        best = min((one.tuned_seconds for one in each), default=0)
        found[side] = [one for one in each if one.tuned_seconds <= NEAR * best]
    return found


def run_rounds(systems, work, mode, everyone, rounds, quality, alternate=True):
    """Times everyone; those that fail are left out and named."""
    failed, ready = [], []
    for one in everyone:
        try:
            one.prepare(systems[one.system], systems.folder, work, quality)
            ready.append(one)
            if not alternate:
                for _ in range(rounds):
                    one.time(mode)
                systems.stop(one.system)
        except processes.NotMeasured as error:
            failed.append(str(error))
    for _ in range(rounds if alternate else 0):
        for one in ready:
            one.time(mode)
    return failed


def best_of(side, point):
    """The fastest whose recall holds on the measured queries; without one, the one of highest recall."""
    measured = [one for one in side if one.times]
    holding = [one for one in measured if one.recall >= point - SHORT]
    if holding:
        return min(holding, key=Contender.seconds)
    return max(measured, key=lambda one: one.recall, default=None)


def notes(work, failed, ours, peer, point):
    said = list(failed)
    for side, one in (("ours", ours), ("the peer", peer)):
        if one is None and side == "the peer" and work["systems"] == ["ours"]:
            continue
        if one is None:
            said.append(f"{side}: no index reaches the recall")
        elif one.recall < point - SHORT:
            said.append(f"{side}: recall {one.recall:.3f} falls short")
    if work["kind"] == "approximate" and ours and peer and ours.index.bytes > peer.index.bytes:
        said.append("more bytes a vector than the peer")
    return "; ".join(said)


def measure(systems, parameters, work, point, mode, rounds, quality, alternate=True):
    """The result of one row."""
    found = contenders(parameters, work, point, mode)
    everyone = found["ours"] + found["peers"]
    failed = run_rounds(systems, work, mode, everyone, rounds, quality, alternate)
    ours, peer = best_of(found["ours"], point), best_of(found["peers"], point)
    name, more = rows.row_name(work, point, mode), {"note": notes(work, failed, ours, peer, point)}
    ratio = None
    if ours:
        more.update(recall_ours=ours.recall, ours_us=ours.seconds() * 1e6,
                    ours_us_range=[min(ours.times) * 1e6, max(ours.times) * 1e6], bytes_ours=ours.index.bytes,
                    ours_settings=ours.describe())
    if peer:
        more.update(recall_peer=peer.recall, peer_us=peer.seconds() * 1e6, bytes_peer=peer.index.bytes,
                    peer_settings=peer.describe())
    if ours and peer:
        ratio = (results.ratios if alternate else results.unpaired_ratios)(peer.times, ours.times)
        more["same_ids"] = bool(np.array_equal(ours.ids, peer.ids))
    return results.result(name, work["target"], systems.threads, peer.name if peer else None, ratio, **more)
