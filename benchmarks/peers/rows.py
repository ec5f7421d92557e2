"""The works that are compared, with the ratios aimed at.

Scan rows give every system the same codes. Tuned works let every system bring its own indexes, with parameters chosen
on queries held out, and compare at equal recall."""

POINTS = (0.90, 0.95, 0.99)
CURVE_POINTS = (0.80, 0.90, 0.95, 0.98, 0.99, 0.995)  # those of the plot of recall against queries a second
MODES = ("lone", "batch")
CASCADE_SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
PRODUCT_BATCH = 256  # 8-bit codes: seconds a batch of 1,000 would take FAISS add up to many minutes


def row(name, kind, encoder, train, k, batch, target, peer_name, tolerance):
    return {
        "name": f"{name} {'batch' if batch else 'lone'} k={k}",
        "kind": kind,
        "encoder": encoder,
        "train": train,
        "k": k,
        "batch": batch,
        "queries": (PRODUCT_BATCH if kind == "adc8" else 1000) if batch else 100,
        "checked": 50,
        "target": target,
        "peer": "faiss",
        "peer_name": peer_name,
        "tolerance": tolerance,
    }


def targets_of_threads(scan, threads):
    """Ours splits a lone query over its threads and FAISS does not, so more is asked with two."""
    if threads == 1:
        return scan["target"]
    if scan["kind"] == "adc8":
        return 11.0
    return scan["target"] * 1.8 if scan["kind"] == "hamming" and not scan["batch"] else scan["target"]


def hamming_rows():
    lone = {64: 2.7, 128: 2.0, 256: 1.7}
    for bits in (64, 128, 256):
        for k in (10, 100, 1000):
            for batch in (False, True):
                target = (4.5 if k == 1000 else 6.0) if batch else lone[bits]
                yield row(f"Hamming {bits}", "hamming", f"lsh{bits}", ("lsh", {"bits": bits}), k, batch, target,
                          "IndexBinaryFlat", 0)


def product_rows():
    for bits, counts in ((8, (8, 16, 32, 64)), (4, (16, 32, 64))):
        for subspaces in counts:
            options = {"subspaces": subspaces, "bits_per_entry": bits, "iterations": 10}
            for k in (10, 100):
                for batch in (False, True):
                    target = 6.0 if bits == 8 else 2.4 if batch else 1.7 if subspaces <= 32 else None
                    peer = "IndexPQ" if bits == 8 else "IndexPQFastScan"
                    # FastScan's distances are those of quantized tables.
                    yield row(f"ADC {subspaces}x{bits}", f"adc{bits}", f"pq{subspaces}x{bits}", ("pq", options), k,
                              batch, target, peer, 1e-4 if bits == 8 else 0.05)


def scan_rows(dimension=128):
    """Rows whose encoder fits the dimension."""
    for each in (*hamming_rows(), *product_rows()):
        if dimension % each["train"][1].get("subspaces", 1) == 0:
            yield each


def work(name, kind, restriction, items, target, points=(0.95,), modes=MODES, systems=("ours", "faiss")):
    return {"name": name, "kind": kind, "restriction": restriction, "items": items, "target": target,
            "points": list(points), "modes": list(modes), "systems": list(systems), "k": 10}


def cascade_work(items):
    return work(f"cascade {items}", "cascade", "clusters", items, 4.0 if items > 10_000 else None, modes=("lone",))


def tuned_works(items, clustered=True):
    """Works over the first so many items of a folder; `clustered`: the classes follow the data."""
    yield work("approximate", "approximate", "all", items, 1.5, POINTS,
               systems=("ours", "faiss", "hnswlib", "usearch"))
    if clustered:
        yield work("class follows clusters", "class", "clusters", items, 1.5)
    yield work("class at random", "class", "random", items, 1.5)
    for name in ("filter10", "filter1", "filter0.1"):
        yield work(f"filter {name[6:]} %", "filter", name, items, 1.5)
    if clustered:
        sizes = {size for size in CASCADE_SIZES if size < items} | {items}
        yield from (cascade_work(size) for size in sorted(sizes))


def large_works():
    """The works of ten million items, and of a tenth of them for growth."""
    yield cascade_work(LARGE)
    for items in (LARGE // 10, LARGE):
        yield work(f"approximate {items}", "approximate", "all", items, None, systems=("ours",))


def row_name(each, point, mode):
    return f"{each['name']} recall {point:.2f} {mode}"


def key_of(each):
    """Names a work among the parameters."""
    return f"{each['kind']}-{each['restriction']}-{each['items']}"
