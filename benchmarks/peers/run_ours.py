"""medretrieval under measurement."""

import hashlib
import pathlib

import medretrieval as mr
import numpy as np

from peers import restrictions, worker

CHUNK = 500_000
VOCABULARY = [f"c{each}" for each in range(restrictions.CLASS_COUNT)]


def build_of_library():
    """Names the build of the library, so that a gallery of another one is not taken for its own."""
    files = sorted(pathlib.Path(mr.__file__).parent.glob("_core*"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


class GalleryIndex(worker.Opened):
    def __init__(self, searcher, spec, restriction, threads):
        super().__init__(restriction)
        self.searcher, self.options, self.threads = searcher, spec["search"], threads
        self.filters = {group: self.filter_of(group) for group in restriction.groups()}

    def filter_of(self, group):
        """A compiled filter; None where everything may be found."""
        members = self.restriction.members(group)
        if members is None:
            return None
        if self.restriction.classes is not None:
            return self.searcher.prepare(mr.Filter(labels=[VOCABULARY[group]]))
        return self.searcher.prepare(mr.Filter(ids=members.tolist()))

    def configure(self, setting, k):
        self.setting = {**self.options, **setting}

    def search(self, rows, k, group):
        return self.searcher.search(rows, k=k, threads=self.threads, filter=self.filters[group], **self.setting)

    def ids_of(self, answer, group):
        return answer["ids"]


class Ours(worker.Worker):
    system, version = "ours", build_of_library()

    # Scans of given codes.

    def code_search(self, row):
        encoder = mr.Encoder.from_bytes((self.folder / row["encoder"]).read_bytes())
        gallery = mr.Gallery(mr.make_model(self.base.shape[1], encoder))
        for first in range(0, len(self.base), CHUNK):
            gallery.add(np.ascontiguousarray(self.base[first : first + CHUNK]))
        searcher = mr.Searcher(gallery.commit())

        def search(first, last, k):
            answer = searcher.search(self.queries[first:last], k=k, pool_factor=1, rerank="none", threads=self.threads)
            return answer["distances"], answer["ids"]

        return search

    make_hamming = make_adc8 = make_adc4 = code_search

    # Galleries with an index of their own.

    def build(self, spec, restriction, path):
        """A gallery on disk. Its items carry their class as a label where a class is searched."""
        classes = restriction.classes
        vocabulary = VOCABULARY if classes is not None else []
        model = mr.train_model(np.load(self.folder / "training.npy"), vocabulary=vocabulary, **spec["train"])
        gallery = mr.Gallery.create(str(path), model)
        for first in range(0, restriction.items, CHUNK):
            rows = slice(first, min(first + CHUNK, restriction.items))
            labels = None if classes is None else [[VOCABULARY[each]] for each in classes[rows]]
            gallery.add(np.ascontiguousarray(self.base[rows]), labels=labels)
        gallery.commit()
        gallery.compact()

    def open_gallery(self, spec, restriction):
        labelled = f"-{restriction.name}" if restriction.classes is not None else ""
        path, seconds = self.kept(spec["name"] + labelled, restriction,
                                  lambda path: self.build(spec, restriction, path))
        searcher = mr.Searcher(mr.Snapshot.open(str(path)))
        opened = GalleryIndex(searcher, spec, restriction, self.threads)
        opened.build_seconds, opened.bytes = seconds, worker.disk_bytes(path) / restriction.items
        return opened

    def empty_calls(self):
        rows = np.ascontiguousarray(self.base[:64])
        dimension = rows.shape[1]
        encoder = mr.train_encoder("lsh", rows, bits=64)
        searchers = {}
        for name, each in (("exact", None), ("Hamming 64", encoder)):
            gallery = mr.Gallery(mr.make_model(dimension, each))
            gallery.add(rows)
            searchers[name] = mr.Searcher(gallery.commit())
        return {name: worker.empty_call(
            lambda query: searcher.search(query, k=1, exact=name == "exact", pool_factor=1, threads=self.threads),
            dimension) for name, searcher in searchers.items()}


if __name__ == "__main__":
    worker.main(Ours)
