"""FAISS's indexes as they are searched: plain, under a selector, one a class, and the cascade made of its parts."""

import faiss
import numpy as np

from peers import worker


def selector(kind, members, items):
    """A selector over the ids `members`; None selects everything."""
    if members is None:
        return None
    if kind == "array":
        return faiss.IDSelectorArray(members.astype(np.int64))
    marks = np.zeros(items, bool)
    marks[members] = True
    return faiss.IDSelectorBitmap(np.packbits(marks, bitorder="little"))


def parameters(kind, setting, chosen):
    """FAISS's search parameters of an index of a kind."""
    options = {"sel": chosen} if chosen is not None else {}
    if kind == "ivf":
        inside = faiss.SearchParametersIVF(nprobe=setting["nprobe"], **options)
        return faiss.IndexRefineSearchParameters(k_factor=setting["k_factor"], base_index_params=inside)
    if kind == "hnsw":
        return faiss.SearchParametersHNSW(efSearch=setting["efSearch"], **options)
    return faiss.SearchParameters(**options) if options else None


class Whole(worker.Opened):
    """One index over all items; groups by a selector."""

    def __init__(self, index, spec, restriction):
        super().__init__(restriction)
        self.index, self.kind = index, spec["kind"]
        self.selectors = {group: selector(spec.get("selector"), restriction.members(group), restriction.items)
                          for group in restriction.groups()}

    def configure(self, setting, k):
        if "efSearch" in setting:
            setting = {"efSearch": max(k, setting["efSearch"])}
        self.parameters = {group: parameters(self.kind, setting, chosen) for group, chosen in self.selectors.items()}

    def search(self, rows, k, group):
        return self.index.search(rows, k, params=self.parameters[group])

    def ids_of(self, answer, group):
        return answer[1]


class PerClass(worker.Opened):
    """An index for each group; the numbers within it become row numbers outside of what is timed."""

    def __init__(self, indexes, spec, restriction):
        super().__init__(restriction)
        self.indexes, self.kind = indexes, spec["inner"]
        self.members = {group: restriction.members(group) for group in indexes}

    def configure(self, setting, k):
        if "efSearch" in setting:
            setting = {"efSearch": max(k, setting["efSearch"])}
        self.parameters = parameters(self.kind, setting, None)

    def search(self, rows, k, group):
        return self.indexes[group].search(rows, k, params=self.parameters)

    def ids_of(self, answer, group):
        return np.where(answer[1] >= 0, self.members[group][answer[1]], -1)


class Cascade(worker.Opened):
    """Class library, pool by Hamming distance of ITQ codes, exact L2 of the pool. Query codes are given."""

    def __init__(self, base, codes, query_codes, restriction):
        super().__init__(restriction)
        self.members = {group: restriction.members(group) for group in restriction.groups()}
        self.binary, self.flat = {}, {}
        for group, members in self.members.items():
            self.binary[group] = faiss.IndexBinaryFlat(codes.shape[1] * 8)
            self.binary[group].add(np.ascontiguousarray(codes[members]))
            self.flat[group] = faiss.IndexFlatL2(base.shape[1])
            self.flat[group].add(np.ascontiguousarray(base[members]))
        self.code_of = query_codes  # by the bytes of a query
        self.bytes = codes.shape[1] + 4 * base.shape[1]

    def configure(self, setting, k):
        self.pool = max(k, setting["pool"])
        for index in self.binary.values():
            index.use_heap = setting["heap"]

    def search(self, rows, k, group):
        if len(rows) > 1:  # a batch is a loop over lone queries
            return np.vstack([self.search(rows[each : each + 1], k, group) for each in range(len(rows))])
        codes = self.code_of[rows.tobytes()]
        pool = min(self.pool, self.flat[group].ntotal)
        _, found = self.binary[group].search(codes, pool)
        distances = np.empty((1, pool), np.float32)
        self.flat[group].compute_distance_subset(1, faiss.swig_ptr(rows), pool, faiss.swig_ptr(distances),
                                                 faiss.swig_ptr(found))
        best = np.argpartition(distances[0], k)[:k] if pool > k else np.arange(pool)
        return found[:, best[np.argsort(distances[0, best])]]

    def ids_of(self, answer, group):
        return self.members[group][answer]
