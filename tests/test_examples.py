"""Every example, run as a user runs it, at a small size."""

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import semseg
from semseg.models.catalogue import BUILDERS

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """What an example sets, this process keeps, and hands to processes of other tests: not here."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")


def test_every_example_has_a_test_here():
    tests = " ".join(name for name in globals() if name.startswith("test_"))
    assert [script.stem for script in EXAMPLES.glob("*.py") if script.stem not in tests] == []


def test_quickstart_trains_saves_and_scores_the_same_in_a_fresh_process(
    tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out put"
    arguments = ["--steps", "3", "--scenes", "2", "--out", str(out)]
    run(load_example("quickstart"), monkeypatch, *arguments)
    printed = capsys.readouterr().out
    assert "the same to the last digit" in printed
    assert "background" in printed and "mean IoU" in printed
    made = {p.name for p in out.iterdir()}
    assert made >= {"model.keras", "predictions.png", "run.json", "history.png"}
    assert cv2.imread(str(out / "predictions.png")).shape[1] > 400


@pytest.mark.parametrize(("steps", "epochs"), [(900, 9), (250, 2), (20, 1), (1, 1)])
def test_quickstart_shortens_the_recipe_to_whole_epochs(steps, epochs):
    assert load_example("quickstart").shortened(steps, seed=1).epochs == epochs


def test_quickstart_finds_an_unwritable_folder_before_it_trains(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    quickstart, out = load_example("quickstart"), str(tmp_path / "file" / "run")
    with pytest.raises(OSError, match="out must be a folder that can be written"):
        run(quickstart, monkeypatch, "--out", out, "--scenes", "1")
    assert "trained in" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def camvid_folder(tmp_path_factory):
    """A tiny CamVid: six pictures a split, 24x32, ids 0..11 with 11 = void."""
    root = tmp_path_factory.mktemp("CamVid")
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        lines = []
        for folder in (root / split, root / f"{split}annot"):
            folder.mkdir()
        for index in range(6):
            mask = np.kron(rng.integers(0, 12, (6, 8)), np.ones((4, 4), int)).astype("uint8")
            cv2.imwrite(str(root / f"{split}/{index}.jpg"), np.repeat(mask[..., None] * 20, 3, 2))
            cv2.imwrite(str(root / f"{split}annot/{index}.png"), mask)
            lines.append(f"{split}/{index}.jpg {split}annot/{index}.png")
        (root / f"{split}.txt").write_text("\n".join(lines))
    return root


def test_train_camvid_trains_scores_and_goes_on(camvid_folder, tmp_path, monkeypatch, capsys):
    train_camvid = load_example("train_camvid")
    monkeypatch.setitem(train_camvid.MODELS, "unet", {"depth": 1, "filters": 4})
    arguments = ["--data", str(camvid_folder), "--size", "12x16", "--epochs", "2", "--batch", "3"]
    arguments += ["--out", str(tmp_path)]
    run(train_camvid, monkeypatch, *arguments)
    assert "Road" in capsys.readouterr().out
    for name in ("history.png", "predictions.png", "scores.json", "test_scores.json", "run.json"):
        assert (tmp_path / name).is_file()
    first = json.loads((tmp_path / "test_scores.json").read_text())
    assert np.sum(first["confusion"]) > 0
    loaded = semseg.models.load(tmp_path / "model.keras")
    assert semseg.models.class_map(loaded).names[3] == "Road"

    run(train_camvid, monkeypatch, *arguments)  # finished: nothing is trained again
    assert json.loads((tmp_path / "test_scores.json").read_text()) == first
    with pytest.raises(ValueError, match=r"another run.*learning_rate"):
        run(train_camvid, monkeypatch, *arguments, "--learning-rate", "1")


@pytest.mark.slow
def test_train_camvid_trains_other_models(camvid_folder, tmp_path, monkeypatch):
    train_camvid = load_example("train_camvid")
    assert set(train_camvid.MODELS) <= set(BUILDERS)
    built = []
    monkeypatch.setattr(train_camvid, "report", lambda args, model, _: built.append(model.name))
    arguments = ["--data", str(camvid_folder), "--size", "12x16", "--epochs", "1", "--samples", "2"]
    arguments += ["--model", "segnet_basic", "--out", str(tmp_path)]
    run(train_camvid, monkeypatch, *arguments)
    assert built == ["segnet_basic"]


def test_compose_a_model_learns(monkeypatch, capsys):
    compose = load_example("compose_a_model")
    run(compose, monkeypatch, "--steps", "3", "--scenes", "4")
    assert "mean IoU" in capsys.readouterr().out


def test_loss_choice_trains_with_a_loss_and_scores_it(monkeypatch, capsys):
    loss_choice = load_example("loss_choice")
    chosen = loss_choice.losses(semseg.data.shapes(count=5))
    assert len(chosen) == 3
    monkeypatch.setattr(loss_choice, "losses", lambda ds: dict([chosen.popitem()]))
    monkeypatch.setattr(loss_choice, "NETWORK", {"depth": 1, "filters": 4})
    monkeypatch.setattr(loss_choice, "CROP", (32, 32))
    run(loss_choice, monkeypatch, "--steps", "1", "--scenes", "5")
    printed = capsys.readouterr().out
    assert "Dice(ignore_class=255) + Crossentropy(ignore_class=255)" in printed
    assert "mean IoU" in printed


def test_loss_choice_reads_a_users_folders(tmp_path, monkeypatch):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for index in range(5):
            cv2.imwrite(
                str(tmp_path / folder / f"{index}.png"), np.full((8, 8), index % 2, "uint8")
            )
    loss_choice = load_example("loss_choice")
    sizes = []
    monkeypatch.setattr(loss_choice, "losses", lambda ds: sizes.append(len(ds)) or {})
    folders = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    run(loss_choice, monkeypatch, *folders, "--classes", "ground", "cell")
    assert sizes == [4]


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
    module.main()
