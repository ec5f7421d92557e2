"""medretrieval import, run as a user runs it, on published forms made of phantoms."""

import csv
import json
import signal
import subprocess
import time

import pytest

from test_command_line import COMMAND, pytestmark, run  # noqa: F401


@pytest.fixture(scope="module")
def xray(tmp_path_factory):
    folder = tmp_path_factory.mktemp("import") / "xray"
    run("phantom", "--out", folder, "--kind", "chest-xray", "--patients", 60, "--dicom")
    return folder


def rows(file):
    with open(file, newline="") as stream:
        return list(csv.DictReader(stream))


def write(file, lines):
    file.write_text("\n".join([*lines, ""]))


@pytest.fixture(scope="module")
def chestx_ray14(xray, tmp_path_factory):
    """The phantoms under the names and tables of NIH's set."""
    root = tmp_path_factory.mktemp("nih")
    (root / "images").mkdir()
    header = ("Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
              "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]")
    lines, parts, numbers = [header], {"train_val_list.txt": [], "test_list.txt": []}, {}
    for index, row in enumerate(rows(xray / "manifest.csv")):
        patient = numbers.setdefault(row["patient_id"], len(numbers) + 1)
        name = f"{patient:08d}_{index % 3:03d}.png"
        (root / "images" / name).symlink_to(xray / row["path"])
        lines.append(f"{name},{row['labels']},{index % 3},{patient},{row['age']},M,PA,256,256,0.1,0.1")
        parts["test_list.txt" if patient % 5 == 0 else "train_val_list.txt"].append(name)
    write(root / "Data_Entry_2017_v2020.csv", lines)
    for name, names in parts.items():
        write(root / name, names)
    return root


def patients_by_split(manifest):
    patients = {}
    for row in rows(manifest):
        patients.setdefault(row["split"], set()).add(row["patient_id"])
    return patients


def assert_disjoint(manifest):
    splits = list(patients_by_split(manifest).values())
    assert len(splits) == 3 and sum(map(len, splits)) == len(set.union(*splits))


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_import_evaluate_and_demo(chestx_ray14, tmp_path):
    out = tmp_path / "out"
    report = json.loads(run("import", "--dataset", "chestx-ray14", "--root", chestx_ray14, "--out", out, "--json"))
    assert report["images"] == report["written"] == 180 and report["patients"] == 60 and report["skipped"] == {}
    assert_disjoint(out / "manifest.csv")
    arguments = ["--data", out, "--manifest", out / "manifest.csv"]
    run("index", "create", "--gallery", tmp_path / "g", *arguments, "--encoder", "itq", "--bits", 32)
    measured = json.loads(run("evaluate", "--gallery", tmp_path / "g", *arguments, "--json"))
    alone, cascade = measured["rows"]
    queries = sum(row["split"] == "query" for row in rows(out / "manifest.csv"))
    assert alone["queries"] + alone["queries_without_relevant"] == queries
    assert 0 < alone["chance"] < alone["p_at_10"] <= 1 and alone["chance"] < alone["map"] < 1
    assert cascade["cascade"] and cascade["p_at_10"] > cascade["chance"]
    assert measured["patients_in_two_splits"] == 0
    run("demo", *arguments, "--out", tmp_path / "demo")
    assert (tmp_path / "demo" / "report.html").exists()


def test_official_split(chestx_ray14, tmp_path):
    run("import", "--dataset", "chestx-ray14", "--root", chestx_ray14, "--out", tmp_path / "out", "--split", "official")
    assert_disjoint(tmp_path / "out" / "manifest.csv")
    assert {int(p) % 5 for p in patients_by_split(tmp_path / "out" / "manifest.csv")["query"]} == {0}


def test_official_split_that_leaks(chestx_ray14, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for name in ("images", "Data_Entry_2017_v2020.csv"):
        (root / name).symlink_to(chestx_ray14 / name)
    names = sorted(p.name for p in (root / "images").iterdir())
    write(root / "train_val_list.txt", names[:100])
    write(root / "test_list.txt", names[100:])
    arguments = ["import", "--dataset", "chestx-ray14", "--root", root, "--out", tmp_path / "out", "--split", "official"]
    assert "patient in two parts" in run(*arguments, status=4).replace("patients", "patient")
    assert json.loads(run(*arguments, "--allow-leak", "--json"))["patients_in_two_splits"] == 1


def test_dicom_with_a_key(xray, tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    arguments = ["import", "--dataset", "dicom", "--root", xray / "dicom", "--out", tmp_path / "out"]
    assert "key" in run(*arguments, status=3)
    run(*arguments, "--key", key)
    assert_disjoint(tmp_path / "out" / "manifest.csv")
    published = {row["patient_id"] for row in rows(xray / "manifest.csv")}
    written = b"".join(content(tmp_path / "out").values()).decode("latin-1")
    assert not any(patient in written for patient in published)


@pytest.fixture(scope="module")
def lidc(tmp_path_factory):
    folder = tmp_path_factory.mktemp("import") / "lidc"
    run("phantom", "--out", folder, "--form", "lidc-idri", "--patients", 40)
    return folder


def kill_after(images, out, command):
    """Runs a command, kills it when so many images are there, and says how many there are then."""
    process = subprocess.Popen([COMMAND, "-q", *map(str, command)], stdout=subprocess.DEVNULL)
    while process.poll() is None and len(list(out.glob("images/*.png"))) < images:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    ended_by = process.wait()
    left = len(list(out.glob("images/*.png")))
    assert ended_by == -signal.SIGKILL, f"it ended by itself, with {left} images"
    assert not (out / "manifest.csv").exists()
    return left


@pytest.mark.parametrize("dataset", ["dicom", "lidc-idri"])
def test_killed_and_run_again(dataset, xray, lidc, tmp_path):
    source = ["--root", lidc] if dataset == "lidc-idri" else ["--root", xray / "dicom", "--keep-identities"]
    arguments = ["import", "--dataset", dataset, *source, "--threads", 1]
    images = json.loads(run(*arguments, "--out", tmp_path / "whole", "--json"))["images"]
    whole = content(tmp_path / "whole")
    for point in (1, images // 4, images // 2):
        out = tmp_path / f"killed_at_{point}"
        before = kill_after(point, out, [*arguments, "--out", out])
        assert point <= before < images
        report = json.loads(run(*arguments, "--out", out, "--json"))
        assert report["written"] == images - before and report["images"] == images
        assert content(out) == whole


def test_killed_over_and_over(lidc, tmp_path):
    """Several runs, each killed a little later than the one before, in the same folder and over all threads."""
    arguments = ["import", "--dataset", "lidc-idri", "--root", lidc]
    images = json.loads(run(*arguments, "--out", tmp_path / "whole", "--json"))["images"]
    out = tmp_path / "out"
    left = 0
    for _ in range(3):
        after = kill_after(left + 1, out, [*arguments, "--out", out])
        assert left < after < images
        left = after
    assert json.loads(run(*arguments, "--out", out, "--json"))["written"] == images - left
    assert content(out) == content(tmp_path / "whole")


def test_explain(lidc, xray, tmp_path):
    arguments = ["import", "--dataset", "lidc-idri", "--root", lidc, "--explain", tmp_path / "sheets",
                 "--option", "slices=middle"]
    report = json.loads(run(*arguments, "--out", tmp_path / "out", "--json"))
    sheets = sorted((tmp_path / "sheets").iterdir())
    assert len(sheets) == report["images"] > 0 and all(s.read_bytes().startswith(b"\x89PNG") for s in sheets)
    assert "the same" in run(*arguments, "--option", "explain=x", "--out", tmp_path / "o", status=3)
    assert "lies in the data set" in run("import", "--dataset", "lidc-idri", "--root", lidc, "--out", tmp_path / "o",
                                         "--explain", lidc / "sheets", status=3)
    assert "margin_mm means nothing" in run(*arguments, "--option", "image=square", "--option", "margin_mm=2",
                                            "--out", tmp_path / "o", status=3)
    refused = run("import", "--dataset", "dicom", "--root", xray, "--out", tmp_path / "o", "--keep-identities",
                  "--explain", tmp_path / "s", status=3)
    assert "no steps" in refused and "lidc-idri" in refused
    assert not (tmp_path / "o").exists() and not (tmp_path / "s").exists()


def test_what_is_missing_is_counted(chestx_ray14, tmp_path):
    root = tmp_path / "root"
    (root / "images").mkdir(parents=True)
    (root / "Data_Entry_2017_v2020.csv").symlink_to(chestx_ray14 / "Data_Entry_2017_v2020.csv")
    name = "00000001_000.png"
    (root / "images" / name).symlink_to((chestx_ray14 / "images" / name).resolve())
    (root / "images" / "00000001_001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    report = json.loads(run("import", "--dataset", "chestx-ray14", "--root", root, "--out", tmp_path / "out", "--json"))
    assert report["images"] == 1
    assert {kind: entry["count"] for kind, entry in report["skipped"].items()} == {
        "missing_image": 178, "unreadable_image": 1}


def test_wrong_command_lines(tmp_path):
    root, out = tmp_path / "root", tmp_path / "out"
    root.mkdir()
    place = ("--root", root, "--out", out)
    assert "unknown data set" in run("import", "--dataset", "x", *place, status=5)
    assert "no file train.csv" in run("import", "--dataset", "chexpert", *place, status=5)
    assert "no option 'x'" in run("import", "--dataset", "chexpert", *place, "--option", "x=1", status=3)
    assert "it has none" in run("import", "--dataset", "chestx-ray14", *place, "--option", "x=1", status=3)
    assert "lies in the data set" in run(
        "import", "--dataset", "chexpert", "--root", root, "--out", root / "out", status=3)
    run("import", "--dataset", "chexpert", *place, "--seed", -1, status=2)
    run("import", "--dataset", "chexpert", *place, "--longest-side", -5, status=2)
    assert "no image" in run("import", "--dataset", "dicom", *place, "--keep-identities", status=5)
    assert not out.exists(), "a wrong command makes no folder"
    assert "(4, 0 to 100)" in run("import", "--help")


def test_a_manifest_that_leaks_needs_permission(chestx_ray14, tmp_path):
    out = tmp_path / "out"
    run("import", "--dataset", "chestx-ray14", "--root", chestx_ray14, "--out", out)
    listed = rows(out / "manifest.csv")
    for index, row in enumerate(listed):
        middle = "train" if index // 3 % 2 else "database"  # the demo needs more than 64 training images
        row["split"] = ("train", middle, "query")[index % 3]
    with open(out / "manifest.csv", "w", newline="") as stream:
        writer = csv.DictWriter(stream, listed[0].keys())
        writer.writeheader()
        writer.writerows(listed)
    data = ("--data", out, "--manifest", out / "manifest.csv")
    create = ("index", "create", "--gallery", tmp_path / "g", *data, "--encoder", "lsh", "--bits", 32)
    demo = ("demo", *data, "--out", tmp_path / "demo")
    evaluate = ("evaluate", "--gallery", tmp_path / "g", *data)
    augment = ("augment", "--data", out, "--copies", 1)

    def refused(arguments):
        message = run(*arguments, status=4)
        assert "60 patients are in two splits (lines 2 and 3 are of one)" in message and "--allow-leak" in message
        assert not any(row["patient_id"] in message for row in listed)

    refused(create)
    assert not (tmp_path / "g").exists()
    assert json.loads(run(*create, "--allow-leak", "--json"))["patients_in_two_splits"] == 60
    refused(evaluate)
    assert json.loads(run(*evaluate, "--allow-leak", "--json"))["patients_in_two_splits"] == 60
    assert "Patients in two splits, as was allowed: 60;" in run(*evaluate, "--allow-leak")
    refused(demo)
    assert not (tmp_path / "demo").exists()
    run(*demo, "--allow-leak")
    assert "Patients in two splits, as was allowed: 60;" in (tmp_path / "demo" / "report.html").read_text()
    assert json.loads((tmp_path / "demo" / "results.json").read_text())["patients_in_two_splits"] == 60
    refused(augment)
    assert not (out / "augmented").exists()
    assert json.loads(run(*augment, "--allow-leak", "--json"))["patients_in_two_splits"] == 60
