"""Every example, run as a user runs it, at a small size."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

import semseg
from semseg.metrics.functional import reject_curve
from semseg.models.catalogue import BUILDERS

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """What an example sets, this process keeps, and hands to processes of other tests: not here."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")


def test_every_example_has_a_test_here():
    tests = " ".join(name for name in globals() if name.startswith("test_"))
    scripts = [script.stem for script in EXAMPLES.glob("*.py")]
    scripts.remove("semantic_segmentation")  # the notebook's: test_notebook.py
    assert [script for script in scripts if script not in tests] == []


@pytest.mark.slow  # .ci/run has it run from the wheel
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


@pytest.mark.once
def test_compose_a_model_learns(monkeypatch, capsys):
    compose = load_example("compose_a_model")
    run(compose, monkeypatch, "--steps", "3", "--scenes", "4")
    assert "mean IoU" in capsys.readouterr().out


@pytest.mark.once
def test_loss_choice_trains_with_a_loss_and_scores_it(monkeypatch, capsys):
    loss_choice = load_example("loss_choice")
    chosen = loss_choice.losses(semseg.data.shapes(count=5))
    assert len(chosen) == 3
    monkeypatch.setattr(loss_choice, "losses", lambda ds: dict([chosen.popitem()]))
    monkeypatch.setattr(loss_choice, "NETWORK", {"depth": 1, "filters": 4})
    monkeypatch.setattr(loss_choice, "CROP", (32, 32))
    run(loss_choice, monkeypatch, "--steps", "1", "--scenes", "5")
    printed = capsys.readouterr().out
    assert "Tversky(ignore_class=255" in printed
    assert "mean IoU" in printed


@pytest.mark.once
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


@pytest.fixture
def step_by_step(monkeypatch):
    """Compiling would cost more than the few steps."""
    fit = keras.Model.fit

    def fit_eagerly(model, *arguments, **options):
        model.run_eagerly = True
        return fit(model, *arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", fit_eagerly)


@pytest.fixture(scope="module")
def nuclei_folder(tmp_path_factory):
    """Pictures of 24x32 with two nuclei that touch and one that does not: five and two."""
    root = tmp_path_factory.mktemp("nuclei")
    for folder in ("image", "instances"):
        (root / folder).mkdir()
    for index in range(7):
        instances = np.zeros((24, 32), np.uint16)
        for number, left in enumerate((2, 8, 20), start=300):
            instances[4 + index : 12 + index, left : left + 6] = number
        grey = np.repeat(40 + 100 * (instances > 0)[..., None], 3, 2).astype("uint8")
        cv2.imwrite(str(root / f"image/{index}.png"), grey)
        cv2.imwrite(str(root / f"instances/{index}.png"), instances)
    (root / "train.txt").write_text("0\n1\n2\n3\n4")
    (root / "test.txt").write_text("5\n6")
    return root


@pytest.mark.once
@pytest.mark.usefixtures("step_by_step")
def test_train_nuclei_trains_with_the_weights_and_counts(
    nuclei_folder, tmp_path, monkeypatch, capsys
):
    train_nuclei = load_example("train_nuclei")
    monkeypatch.setattr(train_nuclei, "NETWORK", {"depth": 1, "filters": 4})
    monkeypatch.setattr(train_nuclei, "CROP", (16, 16))
    arguments = ["--data", str(nuclei_folder), "--epochs", "1", "--out", str(tmp_path)]
    run(train_nuclei, monkeypatch, *arguments)
    printed = capsys.readouterr().out
    counts = json.loads((tmp_path / "objects.json").read_text())
    assert counts["found"] + counts["missed"] == 6
    assert f"merged   {counts['merged']:>6} nuclei" in printed
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["settings"]["sample_weight"]["function"] == "border_weights"
    for name in ("model.keras", "history.png", "predictions.png", "weights.png", "scores.json"):
        assert (tmp_path / name).is_file()
    with pytest.raises(ValueError, match=r"another run.*sample_weight"):
        run(train_nuclei, monkeypatch, *arguments, "--weights", "none")


@pytest.mark.once
def test_train_nuclei_keeps_touching_nuclei_apart_and_sees_them_merged(nuclei_folder):
    train_nuclei = load_example("train_nuclei")
    (_, mask), (_, other) = train_nuclei.nuclei(nuclei_folder, "test")
    joined = other.copy()
    joined[11:19, 2:14] = 1
    counts = train_nuclei.count_objects([mask, other], [mask, joined])
    assert counts == {"found": 4, "missed": 2, "invented": 1, "merged": 2}


@pytest.mark.once
@pytest.mark.usefixtures("step_by_step")
def test_train_em_trains_on_crops_and_scores_tiles(tmp_path, monkeypatch, capsys):
    for folder in ("image", "label"):
        (tmp_path / folder).mkdir()
    for index in range(30):
        label = np.full((40, 48), 255, np.uint8)
        label[:, 10 + index % 5 :: 12] = label[20] = 0
        cv2.imwrite(str(tmp_path / f"label/{index:02d}.png"), label)
        cv2.imwrite(str(tmp_path / f"image/{index:02d}.png"), label // 2 + 60)
    train_em = load_example("train_em")
    monkeypatch.setattr(train_em, "NETWORK", {"depth": 1, "filters": 4})
    monkeypatch.setattr(train_em, "CROP", (16, 16))
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path), "--steps", "2", "--tile", "32", "--out", str(out)]
    run(train_em, monkeypatch, *arguments)
    printed = capsys.readouterr().out
    assert "tiles of up to 32 x 32" in printed and "membrane" in printed and "Rand" in printed
    best = json.loads((out / "isbi_scores.json").read_text())
    assert 0 < best["rand"] <= 1 and best["threshold"] in train_em.THRESHOLDS
    assert (out / "predictions.png").is_file() and (out / "model.keras").is_file()
    labels = [mask for _, mask in semseg.data.isbi_em(tmp_path, "val")]
    best = train_em.challenge_scores(labels, [0.8 * mask + 0.1 for mask in labels])
    assert best["rand"] == best["info"] == 1 and 0.05 < best["threshold"] < 0.9


@pytest.mark.once
@pytest.mark.usefixtures("step_by_step")
def test_custom_dataset_makes_reads_checks_trains_and_predicts(tmp_path, monkeypatch, capsys):
    custom = load_example("custom_dataset")
    monkeypatch.setattr(custom, "NETWORK", {"depth": 1, "filters": 4})
    made = custom.make_folder
    monkeypatch.setattr(custom, "make_folder", lambda root: made(root, count=6))
    run(custom, monkeypatch, "--epochs", "1", "--out", str(tmp_path))
    printed = capsys.readouterr().out
    assert "no problem found" in printed and "coin" in printed
    for name in ("samples.png", "predictions.png", "overlay.png", "model.keras", "scores.json"):
        assert (tmp_path / name).is_file()
    assert cv2.imread(str(tmp_path / "overlay.png")).shape == (120, 160, 3)


@pytest.mark.once
def test_custom_dataset_trains_on_nothing_that_is_certainly_wrong(tmp_path, monkeypatch, capsys):
    custom = load_example("custom_dataset")
    images, masks = custom.make_folder(tmp_path, count=4)
    cv2.imwrite(str(masks / "02.png"), np.zeros((160, 120), np.uint8))
    folders = ["--images", str(images), "--masks", str(masks), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="mend this first"):
        run(custom, monkeypatch, *folders)
    assert "02 (" in capsys.readouterr().out
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"samples.png"}
    with pytest.raises(SystemExit):
        run(custom, monkeypatch, *folders[:2])
    assert "--images and --masks go together" in capsys.readouterr().err


@pytest.mark.once
@pytest.mark.usefixtures("step_by_step")
def test_compare_architectures_prints_a_table_and_tests_pairs(tmp_path, monkeypatch, capsys):
    compare = load_example("compare_architectures")
    assert {name for name, _ in compare.MODELS.values()} <= set(BUILDERS)
    small = {
        "U-Net": ("unet", {"depth": 1, "filters": 4}),
        "narrow U-Net": ("unet", {"depth": 1, "filters": 2}),
    }
    monkeypatch.setattr(compare, "MODELS", small)
    run(compare, monkeypatch, "--steps", "1", "--scenes", "3", "--out", str(tmp_path))
    printed = capsys.readouterr().out
    assert "U-Net               1,828" in printed
    assert "U-Net - narrow U-Net: " in printed and "p = " in printed
    assert {p.name for p in tmp_path.iterdir()} == {*small, "architectures.png", "comparison.png"}


def test_bayesian_uncertainty_shows_ink_and_draws_its_curves():
    bayesian = load_example("bayesian_uncertainty")
    assert bayesian.ink("test", 1).class_map.names == ("background", "ink")
    assert bayesian.recipe(250, seed=1).epochs == 2
    curve = reject_curve([0, 0, 1, 1], [0, 1, 1, 1], [0.1, 0.9, 0.2, 0.4], 2, points=4)
    (axes,) = bayesian.plot_curves({"entropy": curve}).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), curve.mean_iou)


@pytest.mark.slow
@pytest.mark.usefixtures("step_by_step")
def test_bayesian_uncertainty_trains_and_rejects_what_it_doubts(tmp_path, monkeypatch, capsys):
    bayesian = load_example("bayesian_uncertainty")
    monkeypatch.setitem(bayesian.NETWORK, "filters", 2)
    arguments = ["--steps", "1", "--scenes", "2", "--samples", "2", "--out", str(tmp_path)]
    run(bayesian, monkeypatch, *arguments)
    printed = capsys.readouterr().out
    assert "mean of 2" in printed and "mutual information" in printed
    pictures = {"predictions.png", "reject_curve.png", "uncertainty_0.png", "uncertainty_1.png"}
    assert pictures <= {p.name for p in tmp_path.iterdir()}


@pytest.mark.once
@pytest.mark.usefixtures("step_by_step")
def test_large_image_predicts_from_a_file_into_a_file(tmp_path, monkeypatch, capsys):
    large = load_example("large_image")
    monkeypatch.setattr(large, "NETWORK", {"depth": 1, "filters": 4})
    arguments = ["--size", "150", "200", "--tile", "64", "--out", str(tmp_path), "--steps", "1"]
    run(large, monkeypatch, *arguments)
    printed = capsys.readouterr().out
    equal, counted = re.search(r"([\d,]+) of ([\d,]+) pixels are those", printed).groups()
    assert equal == counted and int(counted.replace(",", "")) > 64 * 64
    mask = np.load(tmp_path / "mask.npy")
    picture = np.load(tmp_path / "picture_150x200.npy")
    model = semseg.models.load(tmp_path / "model.keras")
    assert (semseg.inference.predict(model, picture) == mask).mean() > 0.999
    assert cv2.imread(str(tmp_path / "reduced.png")).shape == (150, 200, 3)
    if large.tifffile:
        np.testing.assert_array_equal(large.tifffile.imread(tmp_path / "mask.tif"), mask)


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
    module.main()
