"""Masks of phantoms, a decoder's targets and the pointing game, run as a user runs them."""

import csv
import gzip
import json
import pathlib
import shutil

import pytest

from test_command_line import COMMAND, run

pytestmark = pytest.mark.skipif(
    not pathlib.Path(COMMAND).with_name("medretrieval-deep").exists(), reason="the program with networks is not built"
)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "ct"
    run("phantom", "--out", folder, "--patients", 24, "--side", 64, "--offset-mm", 14)
    return folder


@pytest.fixture(scope="module")
def network(phantoms):
    file = phantoms.parent / "network"
    train(phantoms, file, "--model", "semantic-attention", "--bits", 16, "--epochs", 1)
    return file


def train(phantoms, out, *options, manifest="manifest.csv", status=0):
    return run("train", "--input", phantoms / manifest, "--out", out, "--threads", 1, *options, status=status)


def game(phantoms, network, *options, manifest="manifest.csv", status=0):
    return run("pointing-game", "--network", network, "--data", phantoms, "--manifest", phantoms / manifest,
               "--threads", 1, *options, status=status)


def rows(phantoms):
    with open(phantoms / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def write_manifest(phantoms, name, change):
    """The manifest with another column of masks: change(row) gives the cell."""
    listed = rows(phantoms)
    for row in listed:
        row["mask"] = change(row)
    with open(phantoms / name, "w", newline="") as file:
        writer = csv.DictWriter(file, listed[0].keys())
        writer.writeheader()
        writer.writerows(listed)
    return name


def test_every_phantom_has_its_mask(phantoms):
    for row in rows(phantoms):
        assert row["mask"] == row["path"].replace("images/", "masks/")
        assert (phantoms / row["mask"]).is_file()
    places = [abs(float(row[axis]) - 31.5) * float(row["pixel_spacing_mm"])
              for row in rows(phantoms) for axis in ("nodule_x", "nodule_y")]
    assert 10 < max(places) < 18


def test_the_score_stands_beside_its_baselines(phantoms, network):
    answer = json.loads(game(phantoms, network, "--mask-column", "mask", "--json"))
    queries = [row for row in rows(phantoms) if row["split"] == "query"]
    assert answer["images"] == len(queries) and answer["images_without_region"] == 0
    assert answer["patients"] == len({row["patient_id"] for row in queries})
    assert answer["network"] == "semantic-attention" and answer["tolerance"] == 0
    score = answer["score"]
    assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1
    # A nodule of 4 to 26 mm in 40 mm.
    assert 0.005 < answer["chance"] < 0.4
    assert answer["above_chance"]["value"] == pytest.approx(score["value"] - answer["chance"])
    assert answer["above_middle"]["value"] == pytest.approx(score["value"] - answer["middle"])
    wide = json.loads(game(phantoms, network, "--mask-column", "mask", "--json", "--tolerance", 200))
    assert wide["score"]["value"] == wide["chance"] == wide["middle"] == 1
    text = game(phantoms, network, "--mask-column", "mask")
    assert "too few for a claim" in text and f"{score['value']:.3f}" in text


def test_images_without_a_region_do_not_count(phantoms, network):
    masks = {"query": "none", "database": ""}
    name = write_manifest(phantoms, "some.csv", lambda row: masks.get(row["split"], row["mask"]))
    every = json.loads(game(phantoms, network, "--mask-column", "mask", "--json", "--split", "all", manifest=name))
    trained_on = [row for row in rows(phantoms) if row["split"] == "train"]
    assert every["images"] == len(trained_on)
    assert every["images_without_region"] == len(rows(phantoms)) - len(trained_on)
    for split in ("query", "database"):
        message = game(phantoms, network, "--mask-column", "mask", "--split", split, manifest=name, status=3)
        assert "expected images with a region" in message


def test_boxes_are_scaled_and_found_by_file_name(phantoms, network, tmp_path):
    header = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    first = next(row["path"] for row in rows(phantoms) if row["split"] == "query")
    boxes = tmp_path / "boxes.csv.gz"
    with gzip.open(boxes, "wt") as file:
        file.write(header + f"{pathlib.Path(first).name},Nodule,0,0,512,256,,,\nother.png,Mass,1,2,3,4,,,\n")
    answer = json.loads(game(phantoms, network, "--boxes", boxes, "--json"))
    assert answer["images"] == 1 and answer["patients"] == 1
    assert answer["chance"] == 1 / 8
    message = game(phantoms, network, "--boxes", boxes, "--box-side", 500, status=7)
    assert "line 2" in message and "0 to 500" in message
    (tmp_path / "bad.csv").write_text(header + "a.png,Nodule,0,0,2000,1\n")
    assert "line 2" in game(phantoms, network, "--boxes", tmp_path / "bad.csv", status=7)


def test_what_makes_no_game_is_refused(phantoms, network, tmp_path):
    game(phantoms, network, status=2)
    game(phantoms, network, "--mask-column", "mask", "--boxes", tmp_path / "boxes.csv", status=2)
    game(phantoms, network, "--mask-column", "mask", "--box-side", 512, status=2)
    assert "no column of masks \"masks\"" in game(phantoms, network, "--mask-column", "masks", status=5)
    assert "manifest.csv" in game(phantoms, network, "--mask-column", "masks", status=5)
    name = write_manifest(phantoms, "outside.csv", lambda row: "../" + row["mask"])
    assert "inside the folder" in game(phantoms, network, "--mask-column", "mask", manifest=name, status=3)
    game(phantoms, tmp_path / "none", "--mask-column", "mask", status=5)


def test_a_decoder_learns_masks(phantoms, tmp_path):
    small = ("--model", "fcdn", "--bits", 8, "--epochs", 1, "--option", "width=2", "--option", "growth=2", "--json")
    plain = json.loads(train(phantoms, tmp_path / "plain", *small))
    masks = json.loads(train(phantoms, tmp_path / "masks", *small, "--target-column", "mask"))
    assert plain["fingerprint"] != masks["fingerprint"]
    name = write_manifest(phantoms, "none.csv", lambda row: "none")
    black = json.loads(train(phantoms, tmp_path / "black", *small, "--target-column", "mask", manifest=name))
    assert black["fingerprint"] != masks["fingerprint"]
    assert "has no map" in game(phantoms, tmp_path / "plain", "--mask-column", "mask", status=9)


def test_targets_that_cannot_be_learned_are_refused(phantoms, tmp_path):
    fcdn = ("--model", "fcdn", "--target-column", "mask")
    out = tmp_path / "network"
    assert "no column of masks" in train(phantoms, out, "--model", "fcdn", "--target-column", "lesion", status=5)
    name = write_manifest(phantoms, "gaps.csv", lambda row: row["mask"] if row["split"] != "train" else "")
    message = train(phantoms, out, *fcdn, manifest=name, status=3)
    assert "gaps.csv: line" in message and "got an empty cell" in message
    name = write_manifest(phantoms, "gone.csv", lambda row: "masks/gone.png")
    assert "masks/gone.png" in train(phantoms, out, *fcdn, manifest=name, status=5)
    run("phantom", "--out", tmp_path / "large", "--patients", 1, "--images-per-patient", 1, "--side", 128)
    shutil.copy(next((tmp_path / "large" / "masks").iterdir()), phantoms / "masks" / "large.png")
    name = write_manifest(phantoms, "large.csv", lambda row: "masks/large.png")
    assert "expected a mask of 64 x 64" in train(phantoms, out, *fcdn, manifest=name, status=4)
    message = train(phantoms, out, "--model", "resnet18", "--target-column", "mask", status=3)
    assert "targets are given" in message
    message = train(phantoms, out, "--model", "resnet18", "--reconstruction", 1, status=3)
    assert "network 'resnet18', which has no decoder" in message
    assert not out.exists()


def test_offsets_belong_to_nodules_in_regions(tmp_path):
    assert "offset_mm must be 0 to 16, got 17" in run("phantom", "--out", tmp_path / "a", "--offset-mm", 17, status=3)
    message = run("phantom", "--out", tmp_path / "a", "--kind", "chest-xray", "--offset-mm", 3, status=3)
    assert "got 3" in message
    message = run("phantom", "--out", tmp_path / "a", "--form", "luna16", "--offset-mm", 3, status=3)
    assert "--offset-mm means nothing" in message
    assert not (tmp_path / "a").exists()
