"""`medretrieval classify` and the weights that `medretrieval train` may begin with, as a user runs them."""

import csv
import json
import pathlib

import pytest

from test_command_line import COMMAND, run

pytestmark = pytest.mark.skipif(not pathlib.Path(COMMAND).exists(), reason=f"the command is not built: {COMMAND}")

needs_networks = pytest.mark.skipif(
    not pathlib.Path(COMMAND).with_name("medretrieval-deep").exists(), reason="networks were not built"
)


@pytest.fixture(scope="module")
def nodules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodules") / "ct"
    run("phantom", "--out", folder, "--patients", 60)
    return folder


def listed(folder):
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def write(folder, name, rows):
    file = folder / name
    with open(file, "w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def classify(folder, *arguments, manifest=None, **keywords):
    return run("classify", "--data", folder, "--manifest", manifest or folder / "manifest.csv", *arguments, **keywords)


@pytest.mark.parametrize("method", ["svm", "elm"])
def test_a_classifier_tells_phantoms_apart(nodules, method):
    rows = listed(nodules)
    queries = [row for row in rows if row["split"] == "query"]
    answer = json.loads(classify(nodules, "--method", method, "--threads", 1, "--json"))
    assert answer["method"] == method and answer["features"] == "classical" and answer["split"] == "query"
    assert answer["rows"] == len(queries) and answer["patients"] == len({row["patient_id"] for row in queries})
    assert answer["training_rows"] == sum(row["split"] == "train" for row in rows)
    assert answer["patients_in_two_splits"] == 0 and answer["rows_without_label"] == 0
    confusion = answer["confusion"]
    assert sum(map(sum, confusion)) == len(queries)
    right = sum(confusion[i][i] for i in range(len(confusion)))
    assert answer["accuracy"] == pytest.approx(right / len(queries))
    counts = [sum(row) for row in confusion]
    assert counts == [sum(row["labels"] == label for row in queries) for label in answer["labels"]]
    assert answer["chance"] == pytest.approx(max(counts) / len(queries))
    assert answer["accuracy_interval"][0] <= answer["accuracy"] <= answer["accuracy_interval"][1]
    assert answer["balanced_accuracy"] > 0.55, "better than guessing"
    again = json.loads(classify(nodules, "--method", method, "--threads", 2, "--json"))
    assert again == answer


def test_options_are_taken_and_printed(nodules):
    answer = json.loads(
        classify(nodules, "--method", "svm", "--option", "c=2", "--option", "gamma=0.01", "--split", "database", "--json")
    )
    assert answer["parameters"] == {"c": 2, "folds": 5, "gamma": 0.01} and answer["split"] == "database"
    text = classify(nodules, "--method", "elm", "--option", "nodes=50", "--option", "ridge=1")
    assert "elm on classical, split query" in text and "nodes=50" in text and "ridge=1" in text
    assert "accuracy" in text and "No patient is in two splits." in text


def test_what_does_not_go_together_is_refused(nodules):
    assert "--network" in classify(nodules, "--method", "network", status=3)
    assert "has none" in classify(nodules, "--method", "network", "--network", "n", "--option", "c=1", status=3)
    assert "no option 'c'" in classify(nodules, "--method", "elm", "--option", "c=1", status=3)
    assert "nodes" in classify(nodules, "--method", "elm", "--option", "nodes=0", status=3)
    assert "does not learn from" in classify(nodules, "--method", "svm", "--split", "train", status=3)
    classify(nodules, "--method", "forest", status=2)


def test_rows_are_checked(nodules):
    rows = listed(nodules)
    query = next(i for i, row in enumerate(rows) if row["split"] == "query")
    train = next(i for i, row in enumerate(rows) if row["split"] == "train")

    def changed(name, place, **changes):
        return write(nodules, name, [{**row, **changes} if i == place else row for i, row in enumerate(rows)])

    fast = ("--method", "elm", "--option", "nodes=20", "--option", "ridge=1")
    leaking = changed("leaking.csv", query, patient_id=rows[train]["patient_id"])
    assert "in two splits" in classify(nodules, *fast, manifest=leaking, status=4)
    allowed = json.loads(classify(nodules, *fast, "--allow-leak", "--json", manifest=leaking))
    assert allowed["patients_in_two_splits"] == 1
    several = changed("several.csv", query, labels="benign|malignant")
    assert f"line {query + 2}: expected one label, got 2" in classify(nodules, *fast, manifest=several, status=9)
    none = json.loads(classify(nodules, *fast, "--json", manifest=changed("none.csv", query, labels="")))
    assert none["rows_without_label"] == 1
    new = json.loads(classify(nodules, *fast, "--json", manifest=changed("new.csv", query, labels="unknown")))
    row = new["confusion"][new["labels"].index("unknown")]
    assert sum(row) == 1 and row[new["labels"].index("unknown")] == 0, "a class without training rows is never told"
    one = write(nodules, "one.csv", [{**row, "labels": "benign"} for row in rows])
    assert "at least two classes" in classify(nodules, *fast, manifest=one, status=3)
    only = write(nodules, "only.csv", [row for row in rows if row["split"] != "query"])
    assert "no rows with a label in split 'query'" in classify(nodules, *fast, manifest=only, status=3)


@needs_networks
def test_a_network_is_asked_and_lends_its_features(nodules, tmp_path):
    model = tmp_path / "model"
    run("train", "--model", "attention-cnn-bilstm", "--option", "form=cnn", "--option", "features=32", "--bits", 16,
        "--input", nodules / "manifest.csv", "--epochs", 2, "--threads", 1, "--out", model)
    answer = json.loads(classify(nodules, "--method", "network", "--network", model, "--threads", 1, "--json"))
    assert answer["method"] == "network" and answer["features"] == "network attention-cnn-bilstm"
    assert answer["rows"] == sum(row["split"] == "query" for row in listed(nodules))
    assert sum(map(sum, answer["confusion"])) == answer["rows"]
    lent = json.loads(classify(nodules, "--method", "elm", "--network", model, "--threads", 1, "--json"))
    assert lent["method"] == "elm" and lent["features"] == "network attention-cnn-bilstm"
    rows = listed(nodules)
    other = write(nodules, "other.csv", [{**row, "labels": "cyst"} for row in rows])
    assert "unknown label 'cyst'" in classify(nodules, "--method", "network", "--network", model, manifest=other, status=5)


@needs_networks
def test_several_labels_are_counted_label_by_label(nodules, tmp_path):
    rows = listed(nodules)
    both = [{**row, "labels": row["labels"] + ("|even" if i % 2 == 0 else "")} for i, row in enumerate(rows)]
    manifest = write(nodules, "both.csv", both)
    model = tmp_path / "model"
    run("train", "--model", "attention-cnn-bilstm", "--option", "form=cnn", "--option", "features=32", "--bits", 16,
        "--input", manifest, "--epochs", 1, "--threads", 1, "--out", model)
    answer = json.loads(classify(nodules, "--method", "network", "--network", model, "--json", manifest=manifest))
    by_label = {each["label"]: each for each in answer["labels"]}
    queries = [row for row in both if row["split"] == "query"]
    assert by_label["even"]["positives"] == sum("even" in row["labels"] for row in queries)
    accuracies = [each["accuracy"] for each in answer["labels"]]
    assert answer["accuracy"] == pytest.approx(sum(accuracies) / len(accuracies))
    assert 0 <= answer["area_under_curve"] <= 1


@needs_networks
def test_backbone_weights_are_refused_by_a_network_without_one(nodules, tmp_path):
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"no weights")
    train = ("train", "--input", nodules / "manifest.csv", "--epochs", 1, "--threads", 1, "--out", tmp_path / "model")
    refused = run(*train, "--model", "attention-cnn-bilstm", "--backbone-weights", weights, status=9)
    assert "no backbone that takes weights by name" in refused
    assert "torch.save" in run(*train, "--model", "resnet18", "--backbone-weights", weights, status=7)
    assert "none.pt" in run(*train, "--model", "resnet18", "--backbone-weights", tmp_path / "none.pt", status=5)
