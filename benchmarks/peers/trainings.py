"""Rows of training and encoding: the time at an equal objective, or at equal codes."""

import statistics

from peers import processes, results

ROUNDS = 3  # at most: seconds each
EQUAL_CODES = 0.9999  # the rest: centroids at equal distance within rounding


def row(name, target, peer, worse=0.0):
    """`worse`: the share by which our objective may exceed the peer's."""
    return {"name": name, "target": target, "peer": peer, "worse": worse}


def all_rows():
    """Named as in peers.training."""
    for subspaces in (8, 16, 32, 64):
        yield row(f"train PQ {subspaces}x8", 1.8, "ProductQuantizer.train", 0.012 if subspaces == 64 else 0.002)
    for bits in (64, 128):
        yield row(f"train ITQ {bits}", 1.7, "PCAMatrix, ITQMatrix", 0.002)
    yield row("train OPQ 16x8", None, "OPQMatrix, ProductQuantizer", 0.002)
    for subspaces, bits in ((8, 8), (16, 8), (32, 8), (64, 8), (16, 4), (32, 4), (64, 4)):
        yield row(f"encode PQ {subspaces}x{bits}", 3.0, "compute_codes")


def shortfall(each, measured):
    """What our outcome is, in words, and why it is not as good as the peer's (empty: it is)."""
    if "equal" in measured:
        said = f"equal codes {100 * measured['equal']:.4f} %"
        return said, "" if measured["equal"] >= EQUAL_CODES else "codes differ"
    worse = measured["ours_objective"] / measured["peer_objective"] - 1
    said = f"objective {measured['ours_objective']:.5g} against {measured['peer_objective']:.5g} ({100 * worse:+.2f} %)"
    return said, "" if worse <= each["worse"] else f"objective worse by more than {100 * each['worse']:g} %"


def measure(systems, each, rounds):
    """The result of one row; both sides are timed in turns, in one process."""
    try:
        measured = systems["training"].ask(do="measure", name=each["name"], rounds=min(rounds, ROUNDS))
    except processes.NotMeasured as error:
        return results.result(each["name"], each["target"], systems.threads, each["peer"], note=str(error))
    ours, peer = measured["seconds"]["ours"], measured["seconds"]["peer"]
    said, note = shortfall(each, measured)
    return results.result(
        each["name"], each["target"], systems.threads, each["peer"], results.ratios(peer, ours),
        same_ids=measured.get("equal") == 1 if "equal" in measured else None,
        ours_us=statistics.median(ours) * 1e6, peer_us=statistics.median(peer) * 1e6, ours_settings=said, note=note)
