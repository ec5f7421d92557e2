"""Retrieval of similar medical images: encoders, galleries and the two-stage hierarchical search.

>>> import numpy as np, medretrieval as mr
>>> features = np.random.default_rng(1).normal(size=(1000, 64)).astype(np.float32)
>>> encoder = mr.train_encoder("itq", features, bits=32)
>>> gallery = mr.Gallery(mr.make_model(64, encoder))
>>> ids = gallery.add(features)
>>> answer = mr.Searcher(gallery.commit()).search(features[:5], k=3)
>>> answer["ids"].shape
(5, 3)
"""

from ._core import (
    Encoder,
    Error,
    Filter,
    Gallery,
    Model,
    PreparedFilter,
    Searcher,
    Snapshot,
    __version__,
    cpu_info,
    encoder_types,
    make_hash_head,
    make_model,
    train_encoder,
    train_model,
)

__all__ = [
    "Encoder",
    "Error",
    "Filter",
    "Gallery",
    "Model",
    "PreparedFilter",
    "Searcher",
    "Snapshot",
    "__version__",
    "cpu_info",
    "encoder_types",
    "make_hash_head",
    "make_model",
    "train_encoder",
    "train_model",
]
