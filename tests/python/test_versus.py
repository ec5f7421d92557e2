"""The parts of the comparison (benchmarks/peers) that need no peer: data, exact neighbours, recall, rows, results."""

import json
import pathlib
import struct
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))

from peers import contest, data, files, ground_truth, indexes, restrictions, results, rows  # noqa: E402
from peers import scaling, trainings, tune  # noqa: E402

FIELDS = {"row", "target", "ratio_median", "ratio_min", "ratio_max", "peer", "threads", "recall_ours", "recall_peer",
          "same_ids"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return data.prepare(tmp_path_factory.mktemp("versus"), 3000, queries=40, training=100)


def brute_force(queries, base, k, members):
    distances = ((queries[:, None].astype(np.float64) - base[members][None].astype(np.float64)) ** 2).sum(-1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return members[order], np.take_along_axis(distances, order, axis=1)


def test_the_generator_repeats_and_a_smaller_base_is_a_prefix(folder, tmp_path):
    small = data.prepare(tmp_path, 1000, queries=40, training=100)
    base = np.load(folder / "base.npy")
    assert base.shape == (3000, data.DIMENSION) and base.dtype == np.float32
    np.testing.assert_array_equal(np.load(small / "base.npy"), base[:1000])
    np.testing.assert_array_equal(np.load(small / "queries.npy"), np.load(folder / "queries.npy"))
    assert not np.array_equal(np.load(folder / "queries.npy"), np.load(folder / "tuning.npy"))


def test_the_generator_has_the_stated_spectrum_and_classes():
    generator = data.Generator()
    features, classes = generator.draw(20_000, 5)
    # Variance of the latent coordinates is 1 + 0.36; noise adds 0.06 squared in every dimension.
    expected = 1.36 * (generator.basis**2).sum() + data.DIMENSION * 0.06**2
    assert features.var(0).sum() == pytest.approx(expected, rel=0.1)
    share = np.bincount(classes, minlength=8) / len(classes)
    np.testing.assert_allclose(share, data.CLASS_SHARES, atol=0.01)


@pytest.mark.parametrize("name", ["all", "clusters", "random", "filter10", "filter1", "filter0.1"])
def test_exact_neighbours_equal_brute_force(folder, name, monkeypatch):
    monkeypatch.setattr(ground_truth, "BLOCK", 700)
    base, queries = np.load(folder / "base.npy"), np.load(folder / "queries.npy")
    restriction = restrictions.Restriction(folder, name, 3000)
    ids, distances = ground_truth.of_restriction(folder, base, "queries", restriction, 10)
    seen = 0
    for group, numbers in restriction.query_groups("queries"):
        members = restriction.members(group)
        members = np.arange(3000) if members is None else members
        expected = brute_force(queries[numbers], base, 10, members)
        there = expected[0].shape[1]
        np.testing.assert_array_equal(ids[numbers, :there], expected[0])
        np.testing.assert_allclose(distances[numbers, :there], expected[1], rtol=1e-12)
        assert (ids[numbers, there:] == -1).all()
        seen += len(numbers)
    assert seen == 40
    np.testing.assert_array_equal(ground_truth.of_restriction(folder, base, "queries", restriction, 10)[0], ids)


def test_neighbours_at_equal_distances_are_those_of_lowest_id():
    base = np.zeros((50, 4), np.float32)
    base[30:] = 1
    ids, _ = ground_truth.exact_neighbours(base, np.zeros((1, 4), np.float32), 5)
    np.testing.assert_array_equal(ids, [[0, 1, 2, 3, 4]])


def test_recall_counts_each_neighbour_once_and_ties_as_found():
    base = np.arange(20, dtype=np.float32)[:, None]
    base[4] = base[3]
    queries = np.zeros((1, 1), np.float32)
    truth = ground_truth.exact_neighbours(base, queries, 4)
    np.testing.assert_array_equal(truth[0], [[0, 1, 2, 3]])

    def recall(*found, members=None):
        return ground_truth.recall(np.array([found]), truth, queries, base, members)

    assert recall(3, 2, 1, 0) == 1
    assert recall(4, 2, 1, 0) == 1  # as far as the fourth
    assert recall(0, 0, 0, 0) == 0.25
    assert recall(0, 1, -1, 19) == 0.5
    assert recall(0, 1, 2, 99) == 0.75
    assert recall(0, 1, 2, 3, members=np.array([0, 1])) == 0.5


def test_recall_of_fewer_neighbours_than_k():
    base = np.arange(3, dtype=np.float32)[:, None]
    queries = np.zeros((1, 1), np.float32)
    ids, distances = ground_truth.exact_neighbours(base, queries, 3)
    truth = np.hstack([ids, [[-1]]]), np.hstack([distances, [[np.inf]]])
    assert ground_truth.recall(np.array([[2, 1, 0, -1]]), truth, queries, base) == 1
    assert ground_truth.recall(np.array([[2, 1, -1, -1]]), truth, queries, base) == pytest.approx(2 / 3)


def test_restrictions_divide_the_items(folder):
    for name in ("clusters", "random"):
        restriction = restrictions.Restriction(folder, name, 3000)
        together = np.concatenate([restriction.members(group) for group in restriction.groups()])
        np.testing.assert_array_equal(np.sort(together), np.arange(3000))
    assert len(restrictions.Restriction(folder, "filter10", 3000).members(0)) == 300
    assert len(restrictions.Restriction(folder, "filter0.1", 3000).members(0)) == 3
    with pytest.raises(ValueError, match="no restriction"):
        restrictions.Restriction(folder, "else", 3000)


def write_fvecs(path, features):
    path.write_bytes(b"".join(struct.pack("<i", len(row)) + row.tobytes() for row in features))


def test_fvecs_folders_are_read_and_queries_are_halved(tmp_path):
    random = np.random.default_rng(1)
    base, queries = (random.normal(size=(count, 6)).astype(np.float32) for count in (200, 20))
    source = tmp_path / "tiny"
    source.mkdir()
    write_fvecs(source / "tiny_base.fvecs", base)
    write_fvecs(source / "tiny_query.fvecs", queries)
    folder = files.prepare(tmp_path / "out", source, training=50)
    np.testing.assert_array_equal(np.load(folder / "base.npy"), base)
    parts = np.concatenate([np.load(folder / "queries.npy"), np.load(folder / "tuning.npy")])
    np.testing.assert_array_equal(np.sort(parts, axis=0), np.sort(queries, axis=0))
    assert np.load(folder / "training.npy").shape == (50, 6)
    assert len(np.load(folder / "base_classes.npy")) == 200


def test_damaged_fvecs_are_refused(tmp_path):
    (tmp_path / "bad.fvecs").write_bytes(struct.pack("<i", 3) + b"\0" * 8)
    with pytest.raises(ValueError, match="not an fvecs file"):
        files.read_fvecs(tmp_path / "bad.fvecs")
    with pytest.raises(ValueError, match="expected files"):
        files.read_folder(tmp_path)


def test_hdf5_files_of_ann_benchmarks_are_read(tmp_path):
    h5py = pytest.importorskip("h5py", reason="reading HDF5 needs h5py, which benchmarks/versus installs")
    rng = np.random.default_rng(2)
    for metric in ("euclidean", "angular", "hamming"):
        with h5py.File(tmp_path / f"{metric}.hdf5", "w") as file:
            file.attrs["distance"] = metric
            file["train"], file["test"] = rng.normal(size=(30, 4)), rng.normal(size=(6, 4))
    base, queries, learn = files.read(tmp_path / "euclidean.hdf5")
    assert base.shape == (30, 4) and queries.dtype == np.float32 and learn is None
    np.testing.assert_allclose(np.linalg.norm(files.read(tmp_path / "angular.hdf5")[0], axis=1), 1, rtol=1e-6)
    with pytest.raises(ValueError, match="hamming"):
        files.read(tmp_path / "hamming.hdf5")


def test_results_have_every_field_and_survive_json(tmp_path):
    ratio = results.ratios([2.0, 3.0, 4.0], [1.0, 1.0, 1.0])
    assert ratio == {"ratio_median": 3.0, "ratio_min": 2.0, "ratio_max": 4.0}
    assert results.unpaired_ratios([2.0, 4.0], [1.0, 2.0]) == {"ratio_median": 2, "ratio_min": 1, "ratio_max": 4}
    measured = results.result("a row", 2.0, 1, "a peer", ratio, same_ids=True)
    missing = results.result("another", 2.0, 1, "a peer", note="why")
    results.write(tmp_path / "out.json", [measured, missing])
    read = json.loads((tmp_path / "out.json").read_text())
    assert all(set(row) >= FIELDS for row in read)
    assert read[0]["ratio_median"] == 3.0 and read[1]["ratio_median"] is None
    assert "not measured" in results.line(missing) and "why" in results.line(missing)


def test_rows_that_fall_short_say_so():
    def verdict(ratio, target, note=""):
        spread = {"ratio_median": ratio, "ratio_min": ratio, "ratio_max": ratio}
        return results.verdict(results.result("row", target, 1, "peer", spread, note=note))

    assert verdict(1.4, 1.5) == "SHORT" and verdict(1.5, 1.5) == "met"
    assert verdict(1.4, 1.5, "a note") == "SHORT" and verdict(1.6, 1.5, "a note") == "see note"
    assert verdict(1.4, None) == "no target"


def test_every_target_has_its_rows():
    names = {row["name"] for row in rows.scan_rows()}
    assert {"Hamming 64 lone k=10", "Hamming 256 batch k=1000", "ADC 64x8 batch k=100", "ADC 16x4 lone k=10"} <= names
    works = list(rows.tuned_works(1_000_000))
    tuned = {rows.row_name(work, point, mode) for work in works for point in work["points"] for mode in work["modes"]}
    for name in ("approximate recall 0.99 batch", "class at random recall 0.95 lone", "filter 0.1 % recall 0.95 batch",
                 "class follows clusters recall 0.95 batch", "cascade 100000 recall 0.95 lone"):
        assert name in tuned
    assert len({rows.key_of(work) for work in works}) == len(works)


def test_grids_are_whole_ascending_and_complete():
    for largest in (1, 2, 10, 1024):
        values = indexes.grid(largest)
        assert values[0] == 1 and values[-1] == largest
        assert all(first < second for first, second in zip(values, values[1:]))


class FakeIndex:
    """Recall grows with the breadth and with the factor."""

    bytes, build_seconds = 1, 0
    spec = {"name": "fake", "breadth": ("width", 100), "second": ("factor", (1, 2))}

    def answer(self, setting):
        return np.array([[min(1.0, setting["width"] * setting["factor"] / 100)]]), 1e-6 * setting["width"]

    def ask(self, setting, mode):
        return 1e-6 * setting["width"]


class FakeQuality:
    def recall(self, ids):
        return float(ids[0, 0])


def test_tuning_finds_the_cheapest_setting_that_reaches_each_recall():
    work = rows.work("w", "filter", "all", 100, 1.0, points=(0.5, 0.9), modes=("batch",))
    best = tune.tune_index(FakeIndex(), FakeQuality(), work)
    for point in (0.5, 0.9):
        reaching = [width for width in indexes.grid(100) if width * 2 / 100 >= point + tune.MARGIN]
        assert best[f"{point:g}"]["batch"]["setting"] == {"width": reaching[0], "factor": 2}


def test_parameters_are_kept_beside_the_data_and_committed_ones_come_first(tmp_path, monkeypatch):
    folder = tmp_path / "set"
    folder.mkdir()
    monkeypatch.setattr(tune, "COMMITTED", tmp_path / "committed.json")
    work = rows.work("w", "filter", "all", 100, 1.0)
    tune.Parameters(folder).keep(work, "faiss", {"first": {"0.9": 1}, "second": {}})
    assert tune.Parameters(folder).of(work, "faiss") == {"first": {"0.9": 1}, "second": {}}
    assert tune.Parameters(folder).of(work, "ours") is None
    tune.Parameters(folder, commit=True).keep(work, "faiss", {"first": {"0.9": 2}})
    assert tune.Parameters(folder).of(work, "faiss") == {"first": {"0.9": 2}, "second": {}}


def test_only_indexes_without_parameters_are_tuned(tmp_path, monkeypatch):
    monkeypatch.setattr(tune, "COMMITTED", tmp_path / "committed.json")
    work = rows.work("w", "approximate", "all", 5000, 1.0)
    parameters = tune.Parameters(tmp_path)
    every = [spec["name"] for spec in indexes.of("faiss", work, 128)]
    parameters.keep(work, "faiss", {every[0]: {}})
    assert [spec["name"] for spec in tune.untuned(parameters, work, "faiss", 128)] == every[1:]
    assert [spec["name"] for spec in tune.untuned(parameters, work, "faiss", 128, again=True)] == every


def test_the_best_side_is_the_fastest_that_holds_the_recall():
    def side(seconds, recall):
        one = contest.Contender("faiss", "index", {"setting": {}, "seconds": seconds})
        one.times, one.recall = [seconds], recall
        return one

    fast, slow, wrong = side(1.0, 0.95), side(2.0, 0.97), side(0.5, 0.8)
    assert contest.best_of([slow, fast, wrong], 0.95) is fast
    assert contest.best_of([wrong], 0.95) is wrong
    assert contest.best_of([], 0.95) is None


def test_outcomes_of_training_must_be_as_good():
    row = trainings.row("train", 1.8, "peer", 0.01)
    assert trainings.shortfall(row, {"ours_objective": 1.005, "peer_objective": 1.0})[1] == ""
    assert "worse" in trainings.shortfall(row, {"ours_objective": 1.02, "peer_objective": 1.0})[1]
    assert trainings.shortfall(row, {"equal": 1.0})[1] == "" and trainings.shortfall(row, {"equal": 0.9})[1] != ""


def test_growth_is_ten_where_cost_does_not_grow():
    def of(seconds):
        return results.result("approximate", None, 1, None, ours_us=seconds, ours_us_range=[seconds, seconds])

    assert scaling.growth(of(50.0), of(50.0), 0.95, "lone")["ratio_median"] == 10
    assert scaling.growth(of(50.0), of(500.0), 0.95, "lone")["ratio_median"] == 1
    missing = results.result("approximate", None, 1, None, note="why")
    assert scaling.growth(of(50.0), missing, 0.95, "lone")["note"] == "why"
