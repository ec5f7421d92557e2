"""The Python module against NumPy."""

import doctest
import threading

import numpy as np
import pytest

import medretrieval as mr


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(5, 32)).astype(np.float32)
    rows = np.arange(600)
    features = (centres[rows % 5] + 0.6 * rng.normal(size=(600, 32))).astype(np.float32)
    labels = [[f"class {r % 5}"] for r in rows]
    patients = [f"patient {r // 3}" for r in rows]
    return features, labels, patients


@pytest.fixture(scope="module")
def gallery(data):
    features, labels, patients = data
    model = mr.train_model(features, labels, patients, encoder="itq", bits=32)
    same = mr.train_model(features, labels, patients, encoder=mr.train_encoder("itq", features, bits=32))
    assert same.fingerprint == model.fingerprint
    gallery = mr.Gallery(model)
    gallery.add(
        features,
        labels=labels,
        patients=patients,
        keys=[f"uid {r}" for r in range(600)],
        dates=[None if r % 2 else "2024-03-09" for r in range(600)],
        attributes=[{"age": 20.0 + r % 60, "view": "AP"} for r in range(600)],
    )
    gallery.commit()
    return gallery


def squared_distances(queries, features):
    return ((queries[:, None, :].astype(np.float64) - features[None].astype(np.float64)) ** 2).sum(-1)


def test_the_example_in_the_docstring_runs():
    assert doctest.testmod(mr).failed == 0


def test_exact_search_equals_numpy(data, gallery):
    features, _, _ = data
    answer = mr.Searcher(gallery.snapshot()).search(features[:40], k=7, exact=True)
    expected = np.argsort(squared_distances(features[:40], features), axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(answer["ids"], expected)
    assert answer["distances"].dtype == np.float32


def test_binary_codes_and_hamming_equal_numpy(data, gallery):
    features, _, _ = data
    encoder = mr.train_encoder("lsh", features, bits=24)
    codes = encoder.encode(features)
    assert codes.shape == (600, 3) and codes.dtype == np.uint8
    bits = np.unpackbits(codes, axis=1, bitorder="little")
    hamming = (bits[:10, None] != bits[None]).sum(-1)
    plain = mr.Gallery(mr.make_model(32, encoder))
    plain.add(features)
    answer = mr.Searcher(plain.commit()).search(features[:10], k=20, rerank="none", pool_factor=1)
    order = np.argsort(hamming, axis=1, kind="stable")[:, :20]
    np.testing.assert_array_equal(answer["ids"], order)
    np.testing.assert_array_equal(answer["distances"], np.take_along_axis(hamming, order, 1))


def test_product_codes_reconstruct(data):
    features, _, _ = data
    encoder = mr.train_encoder("pq", features, subspaces=8, bits_per_entry=4)
    assert encoder.bits == 32
    back = encoder.reconstruct(encoder.encode(features))
    assert ((back - features) ** 2).sum() < 0.7 * ((features - features.mean(0)) ** 2).sum()
    same = mr.Encoder.from_bytes(encoder.to_bytes())
    assert same.fingerprint == encoder.fingerprint


def test_hash_head_is_sigmoid_above_one_half(data):
    features, _, _ = data
    rng = np.random.default_rng(1)
    weights, bias = rng.normal(size=(16, 32)).astype(np.float32), rng.normal(size=16).astype(np.float32)
    codes = mr.make_hash_head(weights, bias).encode(features)
    z = features.astype(np.float64) @ weights.T.astype(np.float64) + bias
    expected = 1 / (1 + np.exp(-z)) > 0.5
    got = np.unpackbits(codes, axis=1, bitorder="little").astype(bool)
    assert (got == expected)[np.abs(z) > 1e-4].all()


def test_gate_filter_patient_and_groups(data, gallery):
    features, labels, patients = data
    searcher = mr.Searcher(gallery.snapshot())
    answer = searcher.search(features[:20], k=10, gate="top1", patients=patients[:20])
    for q in range(20):
        assert len(answer["classes"][q]) == 1
        for hit in answer["ids"][q]:
            assert patients[hit] != patients[q]
            assert labels[hit] == [gallery.model.labels[answer["classes"][q][0]]]
    dated = searcher.search(features[:5], k=10, filter=mr.Filter(date_from="2024-01-01", numbers={"age": (30, 40)}))
    for hit in dated["ids"].ravel():
        assert hit % 2 == 0 and 30 <= 20 + hit % 60 <= 40
    grouped = searcher.search(features[:5], k=50, group_by="patient")
    for q in range(5):
        assert len({patients[hit] for hit in grouped["ids"][q]}) == 50


def test_missing_answers_are_marked(gallery, data):
    features, _, _ = data
    answer = mr.Searcher(gallery.snapshot()).search(features[0], k=5, filter=mr.Filter(ids=[3, 4]))
    assert sorted(answer["ids"][0][:2]) == [3, 4]
    assert (answer["ids"][0][2:] == -1).all() and np.isinf(answer["distances"][0][2:]).all()
    assert answer["shortfall"][0] == 3 and answer["eligible"][0] == 2


def test_range_search(gallery, data):
    features, _, _ = data
    (ids, distances), = mr.Searcher(gallery.snapshot()).range_search(features[0], radius=20.0)
    expected = squared_distances(features[:1], features)[0]
    assert set(ids) == set(np.flatnonzero(expected <= 20.0))
    assert (np.diff(distances) >= 0).all()


def test_folder_survives(tmp_path, data, gallery):
    features, labels, patients = data
    on_disk = mr.Gallery.create(tmp_path / "g", gallery.model)
    ids = on_disk.add(features, labels=labels, patients=patients, keys=[f"uid {r}" for r in range(600)])
    on_disk.commit()
    new = on_disk.upsert(features[:1], keys=["uid 0"], labels=[["class 1"]])
    on_disk.remove([int(ids[5])])
    on_disk.commit()
    snapshot = mr.Snapshot.open(tmp_path / "g")
    assert len(snapshot) == 599
    assert snapshot.find_key("uid 0") == new[0]
    assert snapshot.item(int(new[0]))["labels"] == ["class 1"]
    assert int(ids[5]) not in snapshot
    np.testing.assert_array_equal(snapshot.features(int(new[0])), features[0])
    snapshot.verify()
    with pytest.raises(mr.Error) as raised:
        mr.Gallery.open(tmp_path / "g")
    assert raised.value.code == "locked"


def test_errors_are_exceptions_with_a_code(data, gallery):
    features, _, _ = data
    searcher = mr.Searcher(gallery.snapshot())
    cases = [
        (lambda: mr.train_encoder("nope", features), "not_found", "lsh, itq, pq"),
        (lambda: mr.train_encoder("itq", features, bitz=3), "invalid_argument", "bitz"),
        (lambda: mr.train_encoder("itq", features, bits=33), "invalid_argument", "(32), got 33"),
        (lambda: searcher.search(features[:, :31]), "invalid_argument", "expected 32 dimensions, got 31"),
        (lambda: searcher.search(features * np.nan), "invalid_argument", "nan"),
        (lambda: searcher.search(features[None]), "invalid_argument", "got 3"),
        (lambda: searcher.search(features, k=0), "invalid_argument", "got 0"),
        (lambda: searcher.search(features, k=601), "invalid_argument", "600 items"),
        (lambda: searcher.search(features, rerank="l1"), "invalid_argument", "'cosine'"),
        (lambda: searcher.search(features, patients=["x"]), "invalid_argument", "expected 600 entries, got 1"),
        (lambda: gallery.add(features[:2], labels=[["zeta"], []]), "not_found", "zeta"),
        (lambda: gallery.add(features[:2], keys=["uid 1", "x"]), "already_exists", "uid 1"),
        (lambda: gallery.snapshot().item(12345), "not_found", "12345"),
        (lambda: mr.Snapshot.open("/no/such/folder"), "not_found", "manifest.json"),
        (lambda: mr.Encoder.from_bytes(b"junk"), "corrupt", "encoder"),
    ]
    for call, code, fragment in cases:
        with pytest.raises(mr.Error) as raised:
            call()
        assert raised.value.code == code, str(raised.value)
        assert fragment in str(raised.value)
    assert gallery.pending_additions == 0


def test_progress_can_cancel_and_its_exceptions_come_out(data):
    features, _, _ = data
    encoder = mr.train_encoder("lsh", features, bits=16)
    seen = []
    encoder.encode(features, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert seen[-1] == ("encode", 600, 600)
    with pytest.raises(mr.Error) as raised:
        encoder.encode(features, progress=lambda *_: False)
    assert raised.value.code == "cancelled"

    def broken(*_):
        raise ValueError("from the callback")

    with pytest.raises(ValueError, match="from the callback"):
        encoder.encode(features, progress=broken)


def test_the_gil_is_released_in_long_calls(data):
    features, _, _ = data
    big = np.tile(features, (20, 4)).astype(np.float32)
    turns = 0
    done = threading.Event()

    def count():
        nonlocal turns
        while not done.is_set():
            turns += 1

    def turns_during(call):
        nonlocal turns
        done.clear()
        turns = 0
        counter = threading.Thread(target=count)
        counter.start()
        call()
        done.set()
        counter.join()
        return turns

    # A call that keeps the lock lets the counter run only at its edges.
    assert turns_during(lambda: mr.train_encoder("pq", big, subspaces=16, bits_per_entry=8, iterations=2)) > 20000


def test_fortran_order_and_double_precision_are_accepted(data, gallery):
    features, _, _ = data
    searcher = mr.Searcher(gallery.snapshot())
    expected = searcher.search(features[:9])["ids"]
    np.testing.assert_array_equal(searcher.search(np.asfortranarray(features[:9]))["ids"], expected)
    np.testing.assert_array_equal(searcher.search(features[:9].astype(np.float64))["ids"], expected)
    assert mr.cpu_info()["instruction_set"] in mr.cpu_info()["supported"]


def test_the_model_of_a_gallery_outlives_its_commits(data):
    features, labels, _ = data
    gallery = mr.Gallery(mr.train_model(features, labels, encoder="lsh", bits=16))
    model = gallery.model
    gallery.add(features[:10])
    gallery.commit()
    others = [mr.Gallery(mr.make_model(5, None, ["zz"])) for _ in range(20)]
    assert model.dimension == 32 and len(model.labels) == 5 and len(others) == 20


@pytest.mark.parametrize("shape", [(0, 4), (2, 4)])
def test_a_hash_head_takes_one_row_of_biases(shape):
    with pytest.raises(mr.Error, match="expected one row, got"):
        mr.make_hash_head(np.zeros((4, 8), np.float32), np.zeros(shape, np.float32))


def test_progress_is_reported_while_other_threads_run(data):
    features, _, _ = data
    seen = []

    def progress(stage, done, total):
        seen.append((stage, done, total))

    busy = threading.Thread(target=lambda: [progress.__name__ for _ in range(200000)])
    busy.start()
    mr.train_encoder("joint", features, slices="16:1,16:2", bits=8, progress=progress)
    busy.join()
    assert seen and all(done <= total for _, done, total in seen)


@pytest.fixture(scope="module")
def listed(data):
    """A gallery with inverted lists that stores float16."""
    features, labels, patients = data
    model = mr.train_model(features, labels, patients, encoder="pq", subspaces=8, bits_per_entry=4, lists=12,
                           stored_features="float16")
    gallery = mr.Gallery(model)
    gallery.add(features, labels=labels, patients=patients)
    gallery.commit()
    return gallery


def recall(answer, exact):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(answer["ids"], exact["ids"])])


def test_float16_features_are_those_of_numpy(data, listed):
    features, _, _ = data
    stored = features.astype(np.float16).astype(np.float32)
    for row in (0, 77, 599):
        np.testing.assert_array_equal(listed.snapshot().features(row), stored[row])
    answer = mr.Searcher(listed.snapshot()).search(features[:40], k=7, exact=True)
    expected = np.argsort(squared_distances(features[:40], stored), axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(answer["ids"], expected)
    plain = mr.Gallery(mr.make_model(32, stored_features="float16"))
    plain.add(features)
    np.testing.assert_array_equal(mr.Searcher(plain.commit()).search(features[:40], k=7, exact=True)["ids"], expected)


def test_uint8_features_are_off_by_half_a_step(data):
    features, labels, _ = data
    gallery = mr.Gallery(mr.train_model(features, encoder="itq", bits=32, stored_features="uint8"))
    gallery.add(features)
    snapshot = gallery.commit()
    assert snapshot.model.stored_features == "uint8" and snapshot.model.lists == 0
    stored = np.stack([snapshot.features(row) for row in range(len(features))])
    steps = np.ptp(features, axis=1, keepdims=True) / 255
    assert (np.abs(stored - features) <= steps * 0.5001).all() and (stored != features).any()
    answer = mr.Searcher(snapshot).search(features[:40], k=7, exact=True)
    expected = np.argsort(squared_distances(features[:40], stored), axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(answer["ids"], expected)


def test_what_was_tuned_can_be_seen_and_removed(data, listed):
    features, _, _ = data
    gallery = mr.Gallery(listed.model)
    assert gallery.model.lists == 12 and gallery.model.stored_features == "float16"
    gallery.add(features)
    assert gallery.commit().tuned_search is None
    tuned = {"recall": 0.9, "k": 5, "probes": 3, "pool_factor": 2}
    assert gallery.set_tuned_search(**tuned).tuned_search == tuned
    assert gallery.remove_tuned_search().tuned_search is None


def test_probes_trade_recall_for_time(data, listed):
    features, _, _ = data
    searcher = mr.Searcher(listed.snapshot())
    exact = searcher.search(features[:60], k=5, exact=True)
    everything = searcher.search(features[:60], k=5, pool_factor=120)
    np.testing.assert_array_equal(everything["ids"], exact["ids"])
    np.testing.assert_array_equal(searcher.search(features[:60], k=5, pool_factor=120, probes=12)["ids"], exact["ids"])
    few = searcher.search(features[:60], k=5, pool_factor=5, probes=1)
    more = searcher.search(features[:60], k=5, pool_factor=5, probes=4)
    assert 0.2 < recall(few, exact) <= recall(more, exact) and recall(more, exact) > 0.7
    assert (few["eligible"] == 600).all(), "those that could be found, not those that were visited"


def test_few_probes_never_hide_what_a_filter_admits(data, listed):
    features, _, _ = data
    searcher = mr.Searcher(listed.snapshot())
    admitted = [3, 100, 201, 402, 599]
    answer = searcher.search(features[:20], k=5, probes=1, filter=mr.Filter(ids=admitted))
    assert (np.sort(answer["ids"], axis=1) == admitted).all() and (answer["shortfall"] == 0).all()


def test_prepared_filters_answer_as_plain_ones(data, listed):
    features, labels, _ = data
    searcher = mr.Searcher(listed.snapshot())
    plain = mr.Filter(labels=["class 1", "class 3"])
    prepared = searcher.prepare(plain)
    assert len(prepared) == 240
    for options in ({"exact": True}, {"probes": 2}, {}):
        expected = searcher.search(features[:9], filter=plain, **options)
        answer = searcher.search(features[:9], filter=prepared, **options)
        np.testing.assert_array_equal(answer["ids"], expected["ids"])
        np.testing.assert_array_equal(answer["distances"], expected["distances"])
    for one, other in zip(searcher.range_search(features[:3], 20.0, filter=prepared),
                          searcher.range_search(features[:3], 20.0, filter=plain)):
        np.testing.assert_array_equal(one[0], other[0])
    assert len(searcher.prepare(mr.Filter())) == 600
    other = mr.Gallery(listed.model)
    other.add(features)
    with pytest.raises(mr.Error, match="not one of this snapshot") as raised:
        mr.Searcher(other.commit()).search(features[:1], filter=prepared)
    assert raised.value.code == "incompatible"


def test_tuning_reaches_the_recall_and_is_stored(tmp_path, data, listed):
    features, labels, _ = data
    gallery = mr.Gallery.create(tmp_path / "g", listed.model)
    gallery.add(features[100:], labels=labels[100:])
    before = gallery.commit()
    seen = []
    chosen = mr.Searcher(before).tune(features[:100], 0.9, k=5, progress=lambda *step: seen.append(step))
    assert sorted(chosen) == ["k", "pool_factor", "probes", "recall"] and seen
    assert chosen["k"] == 5 and chosen["recall"] >= 0.9 and 1 <= chosen["probes"] <= 12
    tuned = gallery.set_tuned_search(**chosen)
    assert tuned.generation == before.generation + 1
    searcher = mr.Searcher(mr.Snapshot.open(tmp_path / "g"))
    by_default = searcher.search(features[:100], k=5)
    asked = searcher.search(features[:100], k=5, probes=chosen["probes"], pool_factor=chosen["pool_factor"])
    np.testing.assert_array_equal(by_default["ids"], asked["ids"])
    exact = searcher.search(features[:100], k=5, exact=True)
    assert recall(by_default, exact) == pytest.approx(chosen["recall"])


def test_lists_and_tuning_refuse_what_does_not_fit(data, gallery, listed):
    features, labels, _ = data
    flat = mr.Searcher(gallery.snapshot())
    encoder = mr.train_encoder("lsh", features, bits=16)
    cases = [
        (lambda: flat.search(features, probes=2), "invalid_argument", "a model with inverted lists"),
        (lambda: mr.Searcher(listed.snapshot()).search(features, exact=True, probes=2), "invalid_argument", "probes"),
        (lambda: mr.train_model(features, stored_features="float64"), "invalid_argument", "'uint8', got 'float64'"),
        (lambda: mr.train_model(features, encoder=encoder, lists=4), "invalid_argument", "name of an encoder type"),
        (lambda: mr.train_model(features, lists=4), "invalid_argument", "lists"),
        (lambda: mr.train_model(features, encoder="lsh", lists=601), "invalid_argument", "601 lists need"),
        (lambda: listed.add(features[:2] * 1e6), "invalid_argument", "up to 65504"),
        (lambda: flat.tune(features[:9], 0.0), "invalid_argument", "recall above 0"),
        (lambda: flat.tune(features[:9, :5]), "invalid_argument", "32 dimensions"),
        (lambda: gallery.set_tuned_search(recall=0.9, k=5, probes=3, pool_factor=2), "invalid_argument", "lists"),
        (lambda: gallery.set_tuned_search(recall=2, k=5, probes=0, pool_factor=2), "invalid_argument", "0 to 1"),
    ]
    for call, code, fragment in cases:
        with pytest.raises(mr.Error) as raised:
            call()
        assert raised.value.code == code, str(raised.value)
        assert fragment in str(raised.value)
    assert listed.pending_additions == 0
