"""Which items a query may find: all of them, those of its class, or those of a filter."""

import numpy as np

CLASS_COUNT = 8
FILTER_PERCENT = {"filter10": 10.0, "filter1": 1.0, "filter0.1": 0.1}


class Restriction:
    """Groups of items, and the group that each query is held to.

    all: one group without a limit. clusters: classes that follow the clusters of the data. random: the same classes
    dealt to the items at random. filterP: one group, a random P percent of the items."""

    def __init__(self, folder, name, items):
        self.folder, self.name, self.items = folder, name, items
        self.classes = None
        self.filtered = None
        if name in ("clusters", "random"):
            self.classes = self.item_classes()
        elif name in FILTER_PERCENT:
            wanted = max(1, round(items * FILTER_PERCENT[name] / 100))
            self.filtered = np.sort(np.random.default_rng(7).permutation(items)[:wanted]).astype(np.int64)
        elif name != "all":
            raise ValueError(f"no restriction named {name}")

    def item_classes(self):
        classes = np.load(self.folder / "base_classes.npy")[: self.items]
        return classes if self.name == "clusters" else np.random.default_rng(8).permutation(classes)

    def members(self, group):
        """Ascending ids of a group; None: all items."""
        if self.classes is not None:
            return np.flatnonzero(self.classes == group)
        return self.filtered

    def groups(self):
        return list(range(CLASS_COUNT)) if self.classes is not None else [0]

    def query_groups(self, which):
        """Pairs of a group and the numbers of its queries in WHICH.npy, groups without queries left out."""
        if self.classes is None:
            return [(0, np.arange(len(np.load(self.folder / f"{which}.npy", mmap_mode="r"))))]
        classes = np.load(self.folder / f"{which}_classes.npy")
        pairs = [(group, np.flatnonzero(classes == group)) for group in self.groups()]
        return [(group, rows) for group, rows in pairs if len(rows)]
