"""Networks on the command line: training, galleries over them, explanations. Skipped where medretrieval-deep is not built."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from test_command_line import COMMAND, rows, run

DEEP = pathlib.Path(COMMAND).with_name("medretrieval-deep")
pytestmark = pytest.mark.skipif(not DEEP.exists(), reason=f"networks are not built: {DEEP} (they need libtorch)")

BITS = 16
QUICK = ("--model", "attention-cnn-bilstm", "--option", "form=cnn", "--option", "features=32", "--side", 32,
         "--bits", BITS, "--threads", 1)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks") / "ct"
    run("phantom", "--out", folder, "--patients", 60)
    return folder


def training(phantoms, out, *more, epochs=2):
    return ("train", "--input", phantoms / "manifest.csv", "--out", out, *QUICK, "--epochs", epochs, *more)


@pytest.fixture(scope="module")
def network(phantoms, tmp_path_factory):
    file = tmp_path_factory.mktemp("network") / "nodules.network"
    answer = json.loads(run(*training(phantoms, file), "--json"))
    assert answer["labels"] == ["benign", "malignant"] or answer["labels"] == ["malignant", "benign"]
    assert answer["dimension"] == 32 and answer["bits"] == BITS
    return file


def data(phantoms):
    return ("--data", phantoms, "--manifest", phantoms / "manifest.csv", "--threads", 1)


def create(phantoms, network, gallery, *more, **status):
    return run("index", "create", "--gallery", gallery, *data(phantoms), "--network", network, *more, "--json", **status)


@pytest.fixture
def gallery(phantoms, network, tmp_path):
    create(phantoms, network, tmp_path / "gallery")
    return tmp_path / "gallery"


def lines_of(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def query_of(phantoms):
    return phantoms / next(row for row in rows(phantoms) if row["split"] == "query")["path"]


def search(gallery, image, *more, **status):
    return run("search", "--gallery", gallery, "--image", image, "--threads", 1, *more, **status)


def kill_after(command, log, epochs):
    """Runs a training and kills it as soon as its log has that many epochs."""
    process = subprocess.Popen([COMMAND, "-q", *map(str, command)])
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.read_text().count("\n") >= epochs:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    return process.wait(timeout=60)


def test_train_writes_model_and_log_and_removes_its_checkpoint(phantoms, network):
    log = lines_of(network.with_name(network.name + ".jsonl"))
    assert [line["epoch"] for line in log] == [1, 2]
    for line in log:
        assert set(line) == {"epoch", "loss", "map", "accuracy", "area_under_curve", "learning_rate", "seconds"}
        assert line["loss"] > 0 and 0 <= line["map"] <= 1 and 0 <= line["accuracy"] <= 1 and line["seconds"] > 0
    assert sorted(file.name for file in network.parent.iterdir()) == [network.name, network.name + ".jsonl"]


def test_a_killed_training_goes_on_to_the_same_bytes(phantoms, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(*training(phantoms, whole, epochs=6))
    log, checkpoint = tmp_path / "killed.jsonl", tmp_path / "killed.checkpoint"
    for epochs in (1, 3):
        assert kill_after(training(phantoms, killed, epochs=6), log, epochs) == -signal.SIGKILL
        assert checkpoint.exists() and not killed.exists()
        log.unlink()
    run(*training(phantoms, killed, epochs=6))
    assert killed.read_bytes() == whole.read_bytes()
    assert not checkpoint.exists()
    figures = [[{**line, "seconds": 0} for line in lines_of(file)] for file in (tmp_path / "whole.jsonl", log)]
    assert figures[0] == figures[1] and len(figures[0]) == 6


def test_a_checkpoint_of_another_training_is_refused(phantoms, tmp_path):
    out, log = tmp_path / "model", tmp_path / "model.jsonl"
    assert kill_after(training(phantoms, out, epochs=6), log, 1) == -signal.SIGKILL
    kept = (tmp_path / "model.checkpoint").read_bytes()
    refused = run(*training(phantoms, out, "--seed", 2, epochs=6), status=4)
    assert "model.checkpoint" in refused and "other options or images" in refused
    assert (tmp_path / "model.checkpoint").read_bytes() == kept and not out.exists()


def test_gallery_over_a_network(phantoms, network, tmp_path):
    described = json.loads(create(phantoms, network, tmp_path / "gallery"))
    assert described["features"] == "network" and described["dimension"] == 32 and described["gate"]
    assert described["encoder"]["code"] == f"binary({BITS})"
    assert described["items"] == sum(row["split"] == "database" for row in rows(phantoms))
    assert (tmp_path / "gallery" / "network").read_bytes() == network.read_bytes()
    other = json.loads(create(phantoms, network, tmp_path / "other", "--encoder", "itq", "--bits", 8))
    assert other["encoder"]["type"] == "itq" and other["encoder"]["code"] == "binary(8)"
    assert "give an --encoder" in create(phantoms, network, tmp_path / "bad", "--option", "iterations=3", status=3)
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("given, encoder, expected", [
    ((), "network", {}),
    (("--no-gate",), "network", {"gate": False}),
    (("--stored-features", "float16"), "network", {"stored_features": "float16"}),
    (("--lists", 4), "network", {"lists": 4}),
    (("--encoder", "pq", "--lists", 4), "pq", {"lists": 4}),
    (("--no-encoder",), None, {}),
    (("--no-encoder", "--no-gate"), None, {"gate": False}),
])
@pytest.mark.parametrize("splits", [True, False])
def test_what_a_gallery_takes_from_its_network(phantoms, network, tmp_path, given, encoder, expected, splits):
    manifest = phantoms / "manifest.csv"
    if not splits:
        table = rows(phantoms)
        for row in table:
            del row["split"]
        manifest = tmp_path / "all.csv"
        manifest.write_text("\n".join([",".join(table[0]), *(",".join(row.values()) for row in table), ""]))
    made = json.loads(run("index", "create", "--gallery", tmp_path / "g", "--data", phantoms, "--manifest", manifest,
                          "--network", network, "--threads", 1, "--json", *given))
    wanted = {"gate": True, "lists": 0, "stored_features": "float32", **expected}
    assert {key: made[key] for key in wanted} == wanted
    if encoder == "network":
        assert made["encoder"]["code"] == f"binary({BITS})"
    else:
        assert (made["encoder"] or {"type": None})["type"] == encoder
    assert made["items"] == sum(not splits or row["split"] == "database" for row in rows(phantoms))
    exact = () if encoder else ("--exact",)
    found = json.loads(search(tmp_path / "g", query_of(phantoms), *exact, "--json"))
    assert len(found["hits"]) == 10


def test_search_says_which_bits_agree(phantoms, gallery, tmp_path):
    answer = json.loads(search(gallery, query_of(phantoms), "-k", 5, "--json", "--explain", tmp_path / "out.png"))
    assert len(answer["hits"]) == 5
    for hit in answer["hits"]:
        assert set(hit["agreeing_bits"]) <= {"0", "1"} and len(hit["agreeing_bits"]) == BITS
        assert hit["agreeing_bits"].count("0") == hit["code_distance"]
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    plain = json.loads(search(gallery, query_of(phantoms), "-k", 5, "--json"))
    assert [hit["id"] for hit in plain["hits"]] == [hit["id"] for hit in answer["hits"]]


def test_the_networks_own_posterior_gates(phantoms, gallery):
    answer = json.loads(search(gallery, query_of(phantoms), "--gate", "top1", "--json"))
    assert len(answer["classes_searched"]) == 1
    assert all(hit["labels"] == answer["classes_searched"] for hit in answer["hits"])


def test_evaluate_measures_the_cascade(phantoms, gallery):
    table = json.loads(run("evaluate", "--gallery", gallery, *data(phantoms), "--json"))["rows"]
    assert [row["cascade"] for row in table] == [False, True]
    assert table[0]["map"] > 0 and 0 < table[1]["p_at_10"] <= 1


def test_add_needs_nothing_but_the_gallery(phantoms, network, gallery):
    before = json.loads(run("index", "info", "--gallery", gallery, "--json"))["items"]
    added = json.loads(run("index", "add", "--gallery", gallery, *data(phantoms), "--split", "query", "--json"))
    assert added["items"] == before + sum(row["split"] == "query" for row in rows(phantoms))
    own, next_one = json.loads(search(gallery, query_of(phantoms), "-k", 2, "--exact", "--json"))["hits"]
    assert phantoms / own["key"] == query_of(phantoms)
    assert own["distance"] <= 1e-4 * next_one["distance"], "a batch differs from an image alone by rounding only"


def test_labels_that_the_network_does_not_know(phantoms, network, gallery, tmp_path):
    text = (phantoms / "manifest.csv").read_text()
    for split, encoder in (("train", ["--encoder", "itq"]), ("database", [])):
        manifest = tmp_path / f"{split}.csv"
        lines = [line.replace("benign", "unheard-of") if f",{split}" in line else line for line in text.splitlines()]
        assert lines != text.splitlines()
        manifest.write_text("\n".join([*lines, ""]))
        refused = run("index", "create", "--gallery", tmp_path / "new", "--data", phantoms, "--manifest", manifest,
                      "--network", network, *encoder, "--threads", 1, status=4)
        assert "'unheard-of'" in refused and "malignant" in refused and manifest.name in refused
        assert not (tmp_path / "new").exists(), "nothing half-made is left"
    queries = tmp_path / "query.csv"
    lines = [line.replace("benign", "unheard-of") if ",query" in line else line for line in text.splitlines()]
    queries.write_text("\n".join([*lines, ""]))
    run("index", "create", "--gallery", tmp_path / "asked", "--data", phantoms, "--manifest", queries, "--network",
        network, "--threads", 1)
    before = json.loads(run("index", "info", "--gallery", gallery, "--json"))
    assert "unheard-of" in run("index", "add", "--gallery", gallery, "--data", phantoms, "--manifest",
                               tmp_path / "database.csv", "--split", "database", "--upsert", status=5)
    assert json.loads(run("index", "info", "--gallery", gallery, "--json")) == before


def test_labels_of_all_splits_are_known(phantoms, tmp_path):
    lines = (phantoms / "manifest.csv").read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if ",database" in line)
    lines[place] = lines[place].replace("benign", "rare").replace("malignant", "rare")
    manifest = tmp_path / "rare.csv"
    manifest.write_text("\n".join([*lines, ""]))
    answer = json.loads(run("train", "--input", manifest, "--data", phantoms, "--out", tmp_path / "network", *QUICK,
                            "--epochs", 1, "--json"))
    assert sorted(answer["labels"]) == ["benign", "malignant", "rare"] and answer["rows_without_patient"] == 0
    run("index", "create", "--gallery", tmp_path / "gallery", "--data", phantoms, "--manifest", manifest, "--network",
        tmp_path / "network", "--threads", 1)


def test_a_patient_in_two_splits_is_refused(phantoms, tmp_path):
    lines = (phantoms / "manifest.csv").read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if ",train" in line)
    lines[place] = lines[place].replace(",train", ",query")
    manifest = tmp_path / "leak.csv"
    manifest.write_text("\n".join([*lines, ""]))
    call = ("train", "--input", manifest, "--data", phantoms, "--out", tmp_path / "network", *QUICK, "--epochs", 1)
    assert "--allow-leak" in run(*call, status=4) and not (tmp_path / "network").exists()
    run(*call, "--allow-leak")


def test_options_that_mean_nothing_are_refused(phantoms, network, tmp_path):
    new = ("index", "create", "--gallery", tmp_path / "new", *data(phantoms), "--network", network)
    assert "--bits" in run(*new, "--bits", 32, status=3)
    for given in (("--bits", 32), ("--encoder", "itq"), ("--option", "seed=1")):
        assert "--no-encoder" in run(*new, "--no-encoder", *given, status=3)
    run(*new, "--features", "classical", status=2)
    for given in (("--momentum", 0.5), ("--decay-factor", 0.5), ("--loss-weight", 2), ("--pixel-weight", 2),
                  ("--loss-option", "alpha=1")):
        refused = run(*training(phantoms, tmp_path / "x", "--optimizer", "adam", "--loss", "none", *given), status=3)
        assert given[0] in refused and "expected" in refused
    for given, needed in ((("--decay-epochs", 2), "below --epochs, 2"), (("--loss", "csq", "--loss-weight", 0), "--loss-weight above 0")):
        refused = run(*training(phantoms, tmp_path / "x", *given), status=3)
        assert given[0] in refused and needed in refused
    refused = run(*training(phantoms, tmp_path / "x", "--loss", "csq", "--classification", 0, "--balance-classes"), status=3)
    assert "classification above 0" in refused
    assert "'test'" in run(*training(phantoms, tmp_path / "x", "--split", "test"), status=3)
    run(*training(phantoms, tmp_path / "x", "--rotation", 5), status=2)
    assert not (tmp_path / "new").exists() and not (tmp_path / "x").exists()


def test_no_file_is_written_over_another(phantoms, tmp_path):
    kept = (phantoms / "manifest.csv").read_bytes()
    for more in (("--checkpoint", tmp_path / "x"), ("--log", tmp_path / "." / "x"), ("--log", tmp_path / "x.checkpoint"),
                 ("--log", phantoms / "manifest.csv")):
        refused = run(*training(phantoms, tmp_path / "x", *more), status=3)
        assert more[0] in refused or "--checkpoint" in refused
        assert "another file" in refused
    (tmp_path / "folder").mkdir()
    for call in (training(phantoms, tmp_path / "folder"), training(phantoms, tmp_path / "x", "--log", tmp_path / "folder")):
        assert "got a folder" in run(*call, status=3)
    (tmp_path / "folder").rmdir()
    assert (phantoms / "manifest.csv").read_bytes() == kept and list(tmp_path.iterdir()) == []


def test_a_hash_layer_that_nothing_taught_is_told(phantoms, tmp_path):
    call = ("train", "--input", phantoms / "manifest.csv", "--model", "resnet18", "--side", 32, "--bits", BITS, "--threads", 1,
            "--epochs", 1, "--json", "--out")
    for name, learned, more in (("taught", True, ()), ("random", False, ("--loss", "none"))):
        assert json.loads(run(*call, tmp_path / name, *more))["hash_learned"] is learned
        index = ("index", "create", "--gallery", tmp_path / f"{name}-gallery", *data(phantoms), "--network", tmp_path / name)
        said = subprocess.run([COMMAND, *map(str, index)], capture_output=True, text=True, check=True).stderr
        assert ("nothing taught the hash layer" in said) is not learned
        assert " 0 training images" in said, "a network's own code needs none"


def test_what_is_altered_in_training_can_be_said(phantoms, tmp_path):
    assert "rotation_degrees" in run(*training(phantoms, tmp_path / "x", "--augment", "--rotation", 200), status=3)
    for name, more in (("still", ("--rotation", 0, "--shift", 0, "--no-flip-horizontal", "--no-flip-vertical")), ("turned", ())):
        run(*training(phantoms, tmp_path / name, "--augment", *more, epochs=1))
    run(*training(phantoms, tmp_path / "plain", epochs=1))
    losses = {name: lines_of(tmp_path / f"{name}.jsonl")[0]["loss"] for name in ("still", "turned", "plain")}
    assert losses["still"] == losses["plain"] != losses["turned"]


def test_a_network_file_that_is_gone_or_another(phantoms, gallery, tmp_path):
    image = query_of(phantoms)
    kept = (gallery / "network").read_bytes()
    run(*training(phantoms, tmp_path / "other", "--seed", 2, epochs=1))
    shutil.copy(tmp_path / "other", gallery / "network")
    assert "expected the network" in search(gallery, image, status=4)
    assert "expected the network" in run("index", "add", "--gallery", gallery, *data(phantoms), status=4)
    (gallery / "network").write_bytes(kept[:-1000])
    assert "network" in search(gallery, image, status=7)
    (gallery / "network").unlink()
    assert str(gallery / "network") in search(gallery, image, status=5)
    (gallery / "network").write_bytes(kept)
    search(gallery, image)


def test_without_the_program_of_networks(phantoms, gallery, tmp_path):
    alone = tmp_path / "medretrieval"
    shutil.copy(COMMAND, alone)
    for words in (training(phantoms, tmp_path / "model"),
                  ("search", "--gallery", gallery, "--image", query_of(phantoms))):
        done = subprocess.run([alone, "-q", *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 9, done.stderr
        assert done.stderr.startswith("error: networks need libtorch") and str(tmp_path / "medretrieval-deep") in done.stderr
    assert not (tmp_path / "model.jsonl").exists()


def test_explanations_need_a_network(phantoms, tmp_path):
    run("index", "create", "--gallery", tmp_path / "g", *data(phantoms), "--encoder", "lsh", "--bits", 16)
    refused = search(tmp_path / "g", query_of(phantoms), "--explain", tmp_path / "out.png", status=9)
    assert "'classical'" in refused and not (tmp_path / "out.png").exists()


def test_wrong_names_list_what_there_is(phantoms, tmp_path):
    refused = run(*training(phantoms, tmp_path / "model", "--option", "formm=cnn"), status=3)
    assert "'formm'" in refused and "form" in refused and "dropout" in refused
    refused = run(*training(phantoms, tmp_path / "model", "--option", "form=rnn"), status=3)
    assert "'rnn'" in refused and "bilstm-cnn" in refused
    refused = run(*training(phantoms, tmp_path / "model", "--loss", "hamming"), status=5)
    assert "'hamming'" in refused and "hashnet" in refused and "csq" in refused
    refused = run(*training(phantoms, tmp_path / "model", "--loss", "csq", "--loss-option", "alpha=1"), status=3)
    assert "'alpha'" in refused and "lambda" in refused
    refused = run(*training(phantoms, tmp_path / "model", "--loss-option", "alpha=1"), status=3)
    assert "--loss" in refused
    manifest = ("train", "--input", phantoms / "manifest.csv", "--out", tmp_path / "model")
    refused = run(*manifest, "--model", "resnet19", status=5)
    assert "'resnet19'" in refused and "resnet18" in refused and "attention-cnn-bilstm" in refused
    assert "multiple of 32" in run(*manifest, "--side", 40, status=3)
    assert list(tmp_path.iterdir()) == [], "what is refused leaves nothing"


def test_devices_that_are_not_there(phantoms, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "0 CUDA devices" in run(*training(phantoms, tmp_path / "model", "--device", "cuda"), status=9)
    assert "'toaster'" in run(*training(phantoms, tmp_path / "model", "--device", "toaster"), status=3)


def test_places_that_cannot_be_written(phantoms, tmp_path):
    assert "none" in run(*training(phantoms, tmp_path / "none" / "model"), status=5)
    refused = run(*training(phantoms, tmp_path / "model", "--log", "/dev/full"), status=8)
    assert "/dev/full" in refused and "cannot write" in refused
    assert (tmp_path / "model.checkpoint").exists() and not (tmp_path / "model").exists()
    run(*training(phantoms, tmp_path / "model"))
    assert (tmp_path / "model").exists() and not (tmp_path / "model.checkpoint").exists()


def test_a_loss_that_is_no_number_names_its_step(phantoms, tmp_path):
    refused = run(*training(phantoms, tmp_path / "model", "--optimizer", "sgd", "--learning-rate", 10,
                            "--loss", "dpsh", epochs=20), status=9)
    assert "epoch" in refused and "batch" in refused and "rows" in refused
    assert not (tmp_path / "model").exists()


def test_train_help_lists_networks_and_losses():
    text = run("train", "--help")
    for name in ("attention-cnn-bilstm", "semantic-attention", "fcdn", "spatial-attention-resnet", "vgg16", "scripted",
                 "csq", "hashnet", "--checkpoint"):
        assert name in text
    assert "medretrieval train" in text


def test_demo_with_a_network(phantoms, tmp_path):
    out = tmp_path / "demo"
    demo = ("demo", "--deep", "--deep-epochs", 2, *data(phantoms), "--out", out, "--json")
    assert "resnet18" in run(*demo, "--deep-model", "lenet", status=5) and not out.exists()
    table = json.loads(run(*demo))["rows"]
    alone, cascade = [row for row in table if row["method"] == "spatial-attention-resnet18"]
    assert alone["bits"] == 64 and cascade["gate"] == "adaptive" and len(table) == 12
    report = (out / "report.html").read_text()
    assert "spatial-attention-resnet18: loss" in report and "lit where the network looked" in report
    assert report.count("of 64 bits") > 2 * report.count("Query 1")  # hits of both kinds of codes
    answer = json.loads(search(out / "galleries" / "network", query_of(phantoms), "--json", "-k", 1))
    assert len(answer["hits"]) == 1 and (out / "network").exists()
    run("demo", "--deep-epochs", 2, *data(phantoms), "--out", tmp_path / "plain", status=2)  # needs --deep


def test_demo_with_a_network_that_has_no_map(phantoms, tmp_path):
    run("demo", "--deep", "--deep-model", "fcdn", "--deep-epochs", 1, *data(phantoms), "--out", tmp_path / "demo")
    assert "no map of where it looks" in (tmp_path / "demo" / "report.html").read_text()
