"""The indexes that each system brings to a work, and the parameters that are searched for each.

A specification is a dict: name, kind, options of the kind, `breadth` (the parameter that is bisected: its name and
largest value) and, where there is a second one, `second` (its name and the values tried). All grids are
equally fine."""

import math

from peers import restrictions

BREADTH_STEP = 1.15
FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
CONSTRUCTION = 200  # the width with which FAISS and hnswlib build their graphs
WIDTH = 4000  # the largest list of candidates in a graph


def grid(largest):
    """Whole numbers from 1 to `largest`, each about BREADTH_STEP times the one before."""
    values, value = [], 1.0
    while round(value) < largest:
        values.append(round(value))
        value = max(value * BREADTH_STEP, value + 1)
    return values + [largest]


def lists_near(count):
    return max(4, 2 ** round(math.log2(max(count, 16)) / 2))


def list_counts(items):
    """The two numbers of lists that are tried: 1024 and 4096 for a million."""
    return lists_near(items), 4 * lists_near(items)


def subspaces_of(dimension, wanted):
    return max(count for count in range(1, wanted + 1) if dimension % count == 0)


def ivf(dimension, lists, subspaces):
    return {
        "name": f"IVF{lists},PQ{subspaces_of(dimension, subspaces)}x4fs,RFlat",
        "kind": "ivf",
        "breadth": ("nprobe", lists),
        "second": ("k_factor", FACTORS),
    }


def hnsw():
    return {"name": f"HNSW32,Flat efConstruction={CONSTRUCTION}", "factory": "HNSW32,Flat", "kind": "hnsw",
            "construction": CONSTRUCTION, "breadth": ("efSearch", WIDTH)}


def per_class(inner):
    return {**inner, "name": inner["name"] + " per class", "factory": inner.get("factory", inner["name"]),
            "kind": "per_class", "inner": inner["kind"]}


def cascade_bits(dimension):
    """ITQ gives at most as many bits as there are dimensions."""
    return [bits for bits in (64, 128, 256) if bits <= dimension]


def faiss_indexes(work, dimension):
    items = work["items"]
    few, many = list_counts(items)
    fast = [ivf(dimension, few, 64), ivf(dimension, few, 32), ivf(dimension, many, 64)]
    flat = {"name": "Flat, bitmap", "kind": "flat", "selector": "bitmap"}
    if work["kind"] == "cascade":
        return [{"name": f"ITQ{bits} per class + L2", "kind": "cascade", "bits": bits,
                 "breadth": ("pool", max(10, items // 20)), "second": ("heap", (True, False))}
                for bits in cascade_bits(dimension)]
    if work["kind"] == "class":
        inside = ivf(dimension, lists_near(items / restrictions.CLASS_COUNT), 64)
        plain = {"name": "Flat", "kind": "flat"}
        return [fast[0], fast[2], hnsw(), flat, per_class(plain), per_class(hnsw()), per_class(inside)]
    if work["kind"] == "filter":
        return [fast[0], fast[2], hnsw(), flat, {"name": "Flat, array", "kind": "flat", "selector": "array"}]
    return fast + [hnsw()]


def our_product(dimension, lists, subspaces):
    count = subspaces_of(dimension, subspaces)
    spec = {
        "name": f"lists{lists},pq{count}x4",
        "kind": "gallery",
        "train": {"encoder": "pq", "subspaces": count, "bits_per_entry": 4},
        "search": {"rerank": "l2"},
    }
    if not lists:
        return {**spec, "name": f"flat,pq{count}x4", "breadth": ("pool_factor", 400)}
    spec["train"].update(lists=lists, stored_features="float16")
    return {**spec, "name": spec["name"] + ",f16", "breadth": ("probes", lists), "second": ("pool_factor", FACTORS)}


def our_binary(bits, items):
    return {"name": f"flat,itq{bits},f16", "kind": "gallery",
            "train": {"encoder": "itq", "bits": bits, "stored_features": "float16"}, "search": {"rerank": "l2"}, "breadth": ("pool_factor", max(2, items // 200))}


def our_exact():
    return {"name": "exact,f16", "kind": "gallery", "train": {"stored_features": "float16"}, "search": {"exact": True}}


def our_indexes(work, dimension):
    items = work["items"]
    few, many = list_counts(items)
    fast = [our_product(dimension, many, 32), our_product(dimension, few, 64)]
    if work["kind"] == "cascade":
        return [our_binary(bits, items) for bits in cascade_bits(dimension)] + fast
    if work["kind"] == "filter":
        fast.append(our_exact())
    return fast


def hnswlib_indexes(work, _):
    return [{"name": f"hnswlib M={links}", "kind": "graph", "links": links, "breadth": ("ef", WIDTH)}
            for links in (16, 32)]


def usearch_indexes(work, _):
    return [{"name": "usearch M=16 f16", "kind": "graph", "links": 16, "breadth": ("expansion_search", WIDTH)}]


SYSTEMS = {"ours": our_indexes, "faiss": faiss_indexes, "hnswlib": hnswlib_indexes, "usearch": usearch_indexes}


def of(system, work, dimension):
    return SYSTEMS[system](work, dimension)
