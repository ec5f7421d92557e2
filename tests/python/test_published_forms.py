"""Synthetic data in the form of each published set, from phantoms to import, index, search, evaluate and demo."""

import csv
import json
import types

import pytest

from test_command_line import pytestmark, run  # noqa: F401
from test_import import assert_disjoint, patients_by_split, rows

# Patients (the codes of the demo want 65 training images) and options of the import.
FORMS = {
    "chestx-ray14": (90, []),
    "chexpert": (90, []),
    "deeplesion": (90, ["--option", "unit=lesion", "--option", "noisy=true"]),
    "luna16": (40, ["--option", "slices=1"]),
    "lidc-idri": (60, []),
}
OFFICIAL = ["chestx-ray14", "chexpert", "deeplesion"]
# Marks that are no nodules of their own; everything else must be taken.
MEANT_TO_BE_LEFT_OUT = {"nodule_below_3_mm", "non_nodule"}
METHODS = {"lsh", "itq", "pq", "opq", "exact"}


@pytest.fixture(scope="module", params=FORMS)
def published(request, tmp_path_factory):
    """A set in its publisher's form, and what import makes of it."""
    folder = tmp_path_factory.mktemp(request.param)
    patients, options = FORMS[request.param]
    slices = ["--slices", 5] if request.param in ("luna16", "lidc-idri") else []
    written = json.loads(run("phantom", "--form", request.param, "--patients", patients, *slices, "--side", 96,
                             "--out", folder / "published", "--json"))
    arguments = ["import", "--dataset", request.param, "--root", folder / "published", *options, "--json"]
    report = json.loads(run(*arguments, "--out", folder / "imported"))
    return types.SimpleNamespace(form=request.param, patients=patients, folder=folder, written=written, report=report,
                                 arguments=arguments, imported=folder / "imported",
                                 manifest=folder / "imported/manifest.csv")


@pytest.fixture(scope="module")
def gallery(published):
    folder = published.folder / "gallery"
    run("index", "create", "--gallery", folder, "--data", published.imported, "--manifest", published.manifest,
        "--encoder", "itq", "--bits", 32, "--option", "iterations=10")
    return folder


def test_every_patient_is_imported_into_one_split(published):
    assert published.written["patients"] == published.patients and published.written["synthetic"]
    report = published.report
    assert set(report["skipped"]) <= MEANT_TO_BE_LEFT_OUT
    assert report["images"] == report["written"] == len(rows(published.manifest))
    assert report["patients"] == published.patients and report["patients_in_two_splits"] == 0
    assert sum(part["patients"] for part in report["splits"].values()) == published.patients
    assert_disjoint(published.manifest)


def test_search_leaves_the_own_patient_out(published, gallery):
    known = {row["path"]: row["patient_id"] for row in rows(published.manifest)}
    row = next(row for row in rows(published.manifest) if row["split"] == "database")
    call = ["search", "--gallery", gallery, "--image", published.imported / row["path"], "-k", 5, "--json"]
    hits = json.loads(run(*call, "--patient", row["patient_id"]))["hits"]
    assert len(hits) == 5 and all(known[hit["key"]] != row["patient_id"] for hit in hits)
    assert json.loads(run(*call))["hits"][0]["key"] == row["path"]


def test_evaluate(published, gallery):
    call = ["evaluate", "--gallery", gallery, "--data", published.imported, "--manifest", published.manifest]
    answer = json.loads(run(*call, "--json"))
    assert answer["patients_in_two_splits"] == 0 and answer["rows_without_patient"] == 0
    asked = sum(1 for row in rows(published.manifest) if row["split"] == "query")
    for row in answer["rows"]:
        assert row["queries"] > 0 and row["queries"] + row["queries_without_relevant"] == asked
        assert 0 <= row["p_at_10"] <= 1
    assert any(row["cascade"] for row in answer["rows"]) and any(not row["cascade"] for row in answer["rows"])
    assert "No patient is in two splits." in run(*call)


def test_demo(published):
    out = published.folder / "demo"
    run("demo", "--data", published.imported, "--manifest", published.manifest, "--out", out)
    results = json.loads((out / "results.json").read_text())
    assert {row["method"] for row in results["rows"]} == METHODS and results["patients_in_two_splits"] == 0
    report = (out / "report.html").read_text()
    assert "No patient is in two splits." in report and all(f">{method}<" in report for method in METHODS)


def test_a_patient_in_two_splits_is_refused(published, gallery, tmp_path):
    table = rows(published.manifest)
    of_patient = {}
    for row in table:
        of_patient.setdefault(row["patient_id"], []).append(row)
    moved = next((r for r in of_patient.values() if len(r) > 1 and r[0]["split"] == "database"), None)
    if moved is None:  # one image a patient: two patients become one
        moved = [next(row for row in table if row["split"] == "database")]
        next(row for row in table if row["split"] == "query")["patient_id"] = moved[0]["patient_id"]
    moved[0]["split"] = "query"
    leaking = tmp_path / "manifest.csv"
    with open(leaking, "w", newline="") as stream:
        writer = csv.DictWriter(stream, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
    arguments = ["--data", published.imported, "--manifest", leaking]
    for call in (["evaluate", "--gallery", gallery, *arguments], ["demo", *arguments, "--out", tmp_path / "demo"]):
        message = run(*call, status=4)
        assert "1 patient is in two splits" in message and "--allow-leak" in message
    allowed = ["evaluate", "--gallery", gallery, *arguments, "--allow-leak"]
    assert json.loads(run(*allowed, "--json"))["patients_in_two_splits"] == 1
    assert "Patients in two splits, as was allowed: 1;" in run(*allowed)


def test_official_split(published, tmp_path):
    if published.form not in OFFICIAL:
        assert "official" in run(*published.arguments, "--out", tmp_path / "out", "--split", "official", status=3)
        return
    report = json.loads(run(*published.arguments, "--out", tmp_path / "out", "--split", "official"))
    assert report["patients"] == published.patients and report["patients_in_two_splits"] == 0
    assert_disjoint(tmp_path / "out" / "manifest.csv")
    assert patients_by_split(tmp_path / "out" / "manifest.csv") != patients_by_split(published.manifest)


def test_wrong_forms(tmp_path):
    run("phantom", "--form", "mimic", "--out", tmp_path / "out", status=2)
    for form, option in [("luna16", ["--dicom"]), ("chexpert", ["--kind", "chest-ct"]), ("chexpert", ["--slices", 5]),
                         ("lidc-idri", ["--images-per-patient", 2]), ("images", ["--slices", 5])]:
        message = run("phantom", "--form", form, *option, "--out", tmp_path / "out", status=3)
        assert f"{option[0]} means nothing for phantoms of the form {form}" in message
    assert not (tmp_path / "out").exists()
    assert "patients must be 1" in run("phantom", "--form", "luna16", "--patients", 0, "--out", tmp_path / "out", status=3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    message = run("phantom", "--form", "chexpert", "--out", tmp_path / "full", status=6)
    assert "not empty" in message and [p.name for p in (tmp_path / "full").iterdir()] == ["mine"]
