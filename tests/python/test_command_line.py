"""The command line, run as a user runs it. MEDRETRIEVAL_COMMAND names the program (scripts/test sets it)."""

import csv
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

COMMAND = os.environ.get(
    "MEDRETRIEVAL_COMMAND",
    str(pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "cli" / "medretrieval"),
)
pytestmark = pytest.mark.skipif(
    not pathlib.Path(COMMAND).exists(), reason=f"the command is not built: {COMMAND} (see MEDRETRIEVAL_COMMAND)"
)


def run(*arguments, status=0):
    """Standard output of a call that must end with that status."""
    done = subprocess.run([COMMAND, "-q", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    if status not in (0, 2):
        assert done.stderr.startswith("error: "), done.stderr
        return done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "ct"
    answer = json.loads(run("phantom", "--out", folder, "--patients", 60, "--dicom", "--json"))
    assert answer["images"] == 180 and answer["synthetic"]
    return folder


@pytest.fixture
def gallery(phantoms, tmp_path):
    folder = tmp_path / "gallery"
    run("index", "create", "--gallery", folder, "--data", phantoms, "--manifest", phantoms / "manifest.csv",
        "--encoder", "itq", "--bits", 32, "--option", "iterations=10")
    return folder


@pytest.fixture
def listed(phantoms, tmp_path):
    """A gallery with inverted lists that stores float16."""
    folder = tmp_path / "listed"
    run("index", "create", "--gallery", folder, "--data", phantoms, "--manifest", phantoms / "manifest.csv",
        "--encoder", "pq", "--bits", 64, "--lists", 8, "--stored-features", "float16")
    return folder


def rows(phantoms, manifest="manifest.csv"):
    with open(phantoms / manifest, newline="") as file:
        return list(csv.DictReader(file))


def info(gallery):
    return json.loads(run("index", "info", "--gallery", gallery, "--json"))


def test_phantoms_say_that_they_are_synthetic(phantoms):
    listed = rows(phantoms)
    assert len(listed) == 180
    assert {row["synthetic"] for row in listed} == {"yes"}
    by_patient = {}
    for row in listed:
        by_patient.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in by_patient.values())


def test_create_puts_database_rows_into_the_gallery(phantoms, gallery):
    described = info(gallery)
    assert described["items"] == sum(row["split"] == "database" for row in rows(phantoms))
    assert described["encoder"]["type"] == "itq" and described["encoder"]["code"] == "binary(32)"
    assert described["gate"] and sorted(described["labels"]) == ["benign", "malignant"]
    assert described["attributes"]["diameter_mm"] == "number" and described["attributes"]["synthetic"] == "text"
    assert "study" not in described["attributes"], "it fills the item's field"


@pytest.mark.parametrize("form", ["manifest.csv", "manifest_dicom.csv"])
def test_search_answers_from_an_image_file(phantoms, gallery, form):
    query = next(row for row in rows(phantoms, form) if row["split"] == "query")
    answer = json.loads(run("search", "--gallery", gallery, "--image", phantoms / query["path"], "-k", 7, "--json"))
    assert len(answer["hits"]) == 7 and answer["shortfall"] == 0
    distances = [hit["distance"] for hit in answer["hits"]]
    assert distances == sorted(distances)
    assert answer["fingerprint"] == info(gallery)["fingerprint"]
    text = run("search", "--gallery", gallery, "--image", phantoms / query["path"])
    assert "rank" in text and answer["hits"][0]["patient"] in text


def test_the_same_image_is_found_and_its_patient_left_out_on_request(phantoms, gallery):
    own = next(row for row in rows(phantoms) if row["split"] == "database")
    image = phantoms / own["path"]
    first = json.loads(run("search", "--gallery", gallery, "--image", image, "--json"))["hits"][0]
    assert first["key"] == own["path"] and first["distance"] == 0
    others = json.loads(run("search", "--gallery", gallery, "--image", image, "--patient", own["patient_id"], "--json"))
    assert own["patient_id"] not in {hit["patient"] for hit in others["hits"]}
    dicom = next(row for row in rows(phantoms, "manifest_dicom.csv") if row["split"] == "database")
    stated = json.loads(run("search", "--gallery", gallery, "--image", phantoms / dicom["path"], "--json"))
    assert stated["excluded_patient"] == dicom["patient_id"], "a DICOM file names its patient"
    assert dicom["patient_id"] not in {hit["patient"] for hit in stated["hits"]}


def test_gate_filters_and_groups(phantoms, gallery):
    image = phantoms / next(row for row in rows(phantoms) if row["split"] == "query")["path"]
    gated = json.loads(run("search", "--gallery", gallery, "--image", image, "--gate", "top1", "--json"))
    assert len(gated["classes_searched"]) == 1
    assert all(hit["labels"] == gated["classes_searched"] for hit in gated["hits"])
    only = json.loads(run("search", "--gallery", gallery, "--image", image, "--label", "benign", "--json"))
    assert {tuple(hit["labels"]) for hit in only["hits"]} == {("benign",)}
    grouped = json.loads(run("search", "--gallery", gallery, "--image", image, "--group-by", "patient", "--json"))
    patients = [hit["patient"] for hit in grouped["hits"]]
    assert len(set(patients)) == len(patients) == 10
    none = json.loads(run("search", "--gallery", gallery, "--image", image, "--modality", "MR", "--json"))
    assert none["hits"] == [] and none["shortfall"] == 10 and none["eligible"] == 0


def test_add_upsert_remove_compact_verify(phantoms, gallery):
    data = ("--gallery", gallery, "--data", phantoms, "--manifest", phantoms / "manifest.csv")
    before = info(gallery)["items"]
    assert "is taken" in run("index", "add", *data, "--split", "database", status=6)
    assert "no rows of split 'test'" in run("index", "add", *data, "--split", "test", status=3)
    assert info(gallery)["items"] == before, "a refused addition changes nothing"
    run("index", "add", *data, "--split", "query")
    run("index", "add", *data, "--split", "database", "--upsert")
    described = info(gallery)
    queries = sum(row["split"] == "query" for row in rows(phantoms))
    assert described["items"] == before + queries and len(described["segments"]) > 1
    patient = next(row for row in rows(phantoms) if row["split"] == "query")["patient_id"]
    run("index", "remove", "--gallery", gallery, "--patient", patient)
    run("index", "remove", "--gallery", gallery, "--key", next(r for r in rows(phantoms) if r["split"] == "database")["path"])
    assert "no item" in run("index", "remove", "--gallery", gallery, "--id", 0, status=5), "upsert gave it another id"
    run("index", "compact", "--gallery", gallery)
    described = info(gallery)
    assert described["items"] == before + queries - 3 - 1 and len(described["segments"]) == 1
    assert json.loads(run("index", "verify", "--gallery", gallery, "--json"))["verified"]


def test_damage_is_found(gallery):
    segment = gallery / info(gallery)["segments"][0]["file"]
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    assert segment.name in run("index", "verify", "--gallery", gallery, status=7)


def test_evaluate_prints_both_blocks(phantoms, gallery):
    data = ("--gallery", gallery, "--data", phantoms, "--manifest", phantoms / "manifest.csv")
    table = json.loads(run("evaluate", *data, "--json"))["rows"]
    assert [row["cascade"] for row in table] == [False, True]
    assert table[0]["map"] > table[0]["chance"] and table[1]["map"] is None
    assert "Through the cascade" in run("evaluate", *data)


def test_demo_on_a_folder_and_on_phantoms(phantoms, tmp_path):
    arguments = ("demo", "--data", phantoms, "--manifest", phantoms / "manifest.csv", "--out", tmp_path / "out", "--json")
    table = json.loads(run(*arguments))["rows"]
    assert [row["method"] for row in table if not row["cascade"]] == ["lsh", "itq", "pq", "opq", "exact"]
    assert {row["bits"] for row in table} == {64, 0}
    keys = {"method", "bits", "cascade", "p_at_10", "map", "map_definition", "chance", "recall", "us_per_query"}
    assert all(keys <= set(row) for row in table)
    report = (tmp_path / "out" / "report.html").read_text()
    assert report.count("<figure") == 6 * 11 and "http" not in report
    assert json.loads((tmp_path / "out" / "results.json").read_text())["rows"] == table
    assert "earlier demo" in run(*arguments, status=6)
    again = json.loads(run(*arguments, "--overwrite"))["rows"]
    for first, second in zip(table, again):
        timed = {"us_per_query"}
        assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}
    search = json.loads(run("search", "--gallery", tmp_path / "out" / "galleries" / "pq", "--json", "--image",
                            phantoms / next(row for row in rows(phantoms) if row["split"] == "query")["path"]))
    assert len(search["hits"]) == 10


def test_errors_have_their_status(phantoms, gallery, tmp_path):
    image = phantoms / rows(phantoms)[0]["path"]
    assert "manifest.json" in run("search", "--gallery", tmp_path / "none", "--image", image, status=5)
    assert "none.png" in run("search", "--gallery", gallery, "--image", tmp_path / "none.png", status=5)
    (tmp_path / "text.png").write_text("not an image at all")
    assert "text.png" in run("search", "--gallery", gallery, "--image", tmp_path / "text.png", status=9)
    (tmp_path / "cut.png").write_bytes(image.read_bytes()[:-40])
    assert "cut.png" in run("search", "--gallery", gallery, "--image", tmp_path / "cut.png", status=7)
    assert "got 0" in run("search", "--gallery", gallery, "--image", image, "-k", 0, status=3)
    assert "items of the gallery, got 9999" in run("search", "--gallery", gallery, "--image", image, "-k", 9999, status=3)
    assert "'zeta'" in run("search", "--gallery", gallery, "--image", image, "--label", "zeta", status=5)
    assert "2024-02-31" in run("search", "--gallery", gallery, "--image", image, "--from", "2024-02-31", status=3)
    create = ("index", "create", "--gallery", tmp_path / "new", "--data", phantoms, "--manifest", phantoms / "manifest.csv")
    assert "no option 'bitz'" in run(*create, "--option", "bitz=3", status=3)
    assert "nope" in run(*create, "--encoder", "nope", status=5)
    assert '"nobody"' in run(*create, "--patient-column", "nobody", status=5)
    (tmp_path / "unlabelled.csv").write_text("path,split\na.png,train\n")
    assert "--label-column NAME" in run(*create[:5], phantoms, "--manifest", tmp_path / "unlabelled.csv", status=5)
    assert not (tmp_path / "new").exists(), "nothing half-made is left"
    run("search", "--gallery", gallery, status=2)
    run("search", "--gallery", gallery, "--image", image, "--gate", "sometimes", status=2)
    run(status=2)


def test_help_has_examples():
    for words in (["demo"], ["search"], ["tune"], ["evaluate"], ["phantom"], ["cpu-info"], ["index", "create"], ["index", "add"],
                  ["index", "remove"], ["index", "info"], ["index", "verify"], ["index", "compact"]):
        text = run(*words, "--help")
        assert "medretrieval " + " ".join(words) in text and "xample" in text, words


def test_cpu_info_follows_the_environment():
    described = json.loads(run("cpu-info", "--json"))
    assert described["instruction_set"] == described["supported"][-1]
    forced = subprocess.run([COMMAND, "cpu-info", "--json"], capture_output=True, text=True,
                            env={**os.environ, "MEDRETRIEVAL_FORCE_ISA": "scalar"})
    assert json.loads(forced.stdout)["instruction_set"] == "scalar"
    unknown = subprocess.run([COMMAND, "cpu-info"], capture_output=True, text=True,
                             env={**os.environ, "MEDRETRIEVAL_FORCE_ISA": "sse9"})
    assert unknown.returncode == 9 and "sse9" in unknown.stderr


def test_remove_needs_to_know_what(gallery):
    assert "expected --id, --key or --patient" in run("index", "remove", "--gallery", gallery, status=3)
    answer = json.loads(run("index", "remove", "--gallery", gallery, "--id", 1, "--id", 1, "--json"))
    assert answer["segments"][0]["removed"] == 1


def test_identifiers_stay_texts(phantoms, tmp_path):
    table = rows(phantoms)
    for number, row in enumerate(table):
        row["accession"] = f"00{number}"
        row["device"] = "1234567890123456789"
        row["weight"] = f"{40 + number}.5"
    manifest = phantoms / "identifiers.csv"
    with open(manifest, "w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
    answer = json.loads(run("index", "create", "--gallery", tmp_path / "g", "--data", phantoms, "--manifest",
                            manifest, "--encoder", "lsh", "--json"))
    assert answer["attributes"]["accession"] == answer["attributes"]["device"] == "text"
    assert answer["attributes"]["weight"] == "number"


def test_a_create_that_fails_leaves_nothing(phantoms, tmp_path):
    table = rows(phantoms)
    for row in table:
        row["date"] = "31.12.2020"
    manifest = phantoms / "dates.csv"
    with open(manifest, "w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
    folder = tmp_path / "g"
    create = ["index", "create", "--gallery", folder, "--data", phantoms, "--encoder", "lsh", "--manifest"]
    assert "31.12.2020" in run(*create, manifest, status=3)
    assert not folder.exists()
    run(*create, phantoms / "manifest.csv")
    assert "empty folder" in run(*create, phantoms / "manifest.csv", status=6)


def test_lists_and_float16(phantoms, gallery, listed):
    described = info(listed)
    assert described["lists"] == 8 and described["stored_features"] == "float16" and described["tuned"] is None
    assert "lists: 8" in run("index", "info", "--gallery", listed)
    plain = info(gallery)
    assert plain["lists"] == 0 and plain["stored_features"] == "float32"
    image = phantoms / next(row for row in rows(phantoms) if row["split"] == "query")["path"]
    search = ("search", "--gallery", listed, "--image", image, "--json")
    exact = json.loads(run(*search, "--exact"))["hits"]
    everything = json.loads(run(*search, "--probes", 8, "--pool-factor", 100))["hits"]
    assert [hit["id"] for hit in everything] == [hit["id"] for hit in exact]
    few = json.loads(run(*search, "--probes", 2))
    assert len(few["hits"]) == 10 and few["pool_size"] == 20 and few["eligible"] == described["items"]
    assert "exact search looks at every item" in run(*search, "--exact", "--probes", 2, status=3)
    flat = ("search", "--gallery", gallery, "--image", image)
    assert "probes need a model with inverted lists" in run(*flat, "--probes", 2, status=3)
    run(*flat, "--probes", 0)


def test_uint8_features(phantoms, tmp_path):
    folder = tmp_path / "bytes"
    run("index", "create", "--gallery", folder, "--data", phantoms, "--manifest", phantoms / "manifest.csv",
        "--no-encoder", "--stored-features", "uint8")
    assert info(folder)["stored_features"] == "uint8"
    assert json.loads(run("index", "verify", "--gallery", folder, "--json"))["verified"]


def test_lists_stay_through_changes(phantoms, listed):
    data = ("--gallery", listed, "--data", phantoms, "--manifest", phantoms / "manifest.csv")
    before = info(listed)
    run("index", "add", *data, "--split", "query")
    run("index", "remove", "--gallery", listed, "--id", 1)
    run("index", "compact", "--gallery", listed)
    after = info(listed)
    assert after["lists"] == 8 and after["stored_features"] == "float16" and len(after["segments"]) == 1
    assert after["items"] == before["items"] + sum(row["split"] == "query" for row in rows(phantoms)) - 1
    assert json.loads(run("index", "verify", "--gallery", listed, "--json"))["verified"]
    table = json.loads(run("evaluate", *data, "--json"))["rows"]
    assert table[0]["map"] > table[0]["chance"]


def test_tune_stores_what_search_uses(phantoms, listed, tmp_path):
    before = info(listed)
    tune = ("tune", "--gallery", listed, "--recall", 0.9)
    tried = json.loads(run(*tune, "--dry-run", "--json"))
    assert tried["recall"] >= 0.9 and info(listed) == before, "a dry run stores nothing"
    assert all(each["recall"] < 0.9 for each in tried["tried"] if each["microseconds"] is None
               and each["pool_factor"] == tried["pool_factor"] and each["probes"] < tried["probes"])
    chosen = json.loads(run(*tune, "--json"))
    described = info(listed)
    assert described["tuned"] == {key: chosen[key] for key in ("recall", "k", "probes", "pool_factor")}
    assert described["generation"] == before["generation"] + 1 and described["items"] == before["items"]
    image = phantoms / next(row for row in rows(phantoms) if row["split"] == "query")["path"]
    search = ("search", "--gallery", listed, "--image", image, "--json")
    asked = run(*search, "--probes", chosen["probes"], "--pool-factor", chosen["pool_factor"])
    assert run(*search) == asked, "what was tuned is the default"
    assert len(json.loads(run(*search, "--exact"))["hits"]) == 10, "exact search takes no probes"
    np.save(tmp_path / "queries.npy", np.random.default_rng(1).random((20, before["dimension"]), np.float32))
    text = run(*tune, "--queries", tmp_path / "queries.npy", "-k", 5)
    assert "chosen: probes" in text and info(listed)["tuned"]["k"] == 5


def test_tune_and_lists_refuse_what_does_not_fit(phantoms, gallery, tmp_path):
    assert "recall above 0" in run("tune", "--gallery", gallery, "--recall", 0, status=3)
    assert "9999" in run("tune", "--gallery", gallery, "-k", 9999, status=3)
    assert "none.npy" in run("tune", "--gallery", gallery, "--queries", tmp_path / "none.npy", status=5)
    chosen = json.loads(run("tune", "--gallery", gallery, "--recall", 0.9, "--json"))
    assert chosen["probes"] == 0, "without lists only the pool is chosen"
    create = ("index", "create", "--gallery", tmp_path / "new", "--data", phantoms, "--manifest", phantoms / "manifest.csv")
    assert "training rows" in run(*create, "--lists", 5000, status=3)
    refused = run(*create, "--lists", 8, "--no-encoder", status=3)
    assert "--lists and --no-encoder: inverted lists need an encoder" in refused
    run(*create, "--stored-features", "float64", status=2)
    assert not (tmp_path / "new").exists(), "nothing half-made is left"
