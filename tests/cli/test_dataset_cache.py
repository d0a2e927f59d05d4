import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.formats.lerobot_v3.config import Config

CAMERAS = ("observation.images.front", "observation.images.wrist")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("filmed") / "dataset"
    picture = Spec(shape=(16, 32, 3), dtype="uint8")
    specs = {"action": Spec(shape=(1,)), **dict.fromkeys(CAMERAS, picture)}
    writer = create_dataset(root, specs, fps=10, config=Config.tiny())
    for number in range(2):
        for tick in range(3):
            grey = np.full((16, 32, 3), 100 * number + 10 * tick, np.uint8)
            writer.add_frame({"action": np.zeros(1, np.float32), CAMERAS[0]: grey, CAMERAS[1]: grey + 50})
        writer.save_episode("Show grey")
    writer.close()
    return root


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ETUDE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "frames"


def test_fill_list_and_clear(etude, root, folder):
    code, out, err = etude("dataset", "cache", root, "--size=8x12")
    assert (code, out) == (0, f"All 12 pictures are in {folder}.\n")
    assert "Decoding 12/12" in err
    assert etude("dataset", "cache", root, "--size=4x4")[0] == 0
    assert len(list(folder.glob("*/*.frames"))) == 8

    code, out, _ = etude("dataset", "cache", root, "--list")
    assert code == 0
    assert f"{CAMERAS[1]} at 8x12: 6 pictures of 2 episodes" in out
    assert "4x4: 12 pictures of 4 episodes, 0.000 GB" in etude("dataset", "cache", "--list")[1]

    assert etude("dataset", "cache", root, "--clear", "--size=8x12")[1].startswith("Deleted 4 entries")
    assert etude("dataset", "cache", "--clear")[1].startswith("Deleted 4 entries")
    assert list(folder.glob("*/*.frames")) == []
    assert etude("dataset", "cache", "--list")[1].startswith("0.000 GB in")


def test_another_datasets_entries_are_not_cleared(etude, root, tmp_path, recorded_elsewhere):
    etude("dataset", "cache", root, "--size=4x4")
    assert etude("dataset", "cache", recorded_elsewhere, "--clear")[1].startswith("Deleted 0 entries")
    assert etude("dataset", "cache", root, "--clear")[1].startswith("Deleted 4 entries")


@pytest.fixture
def recorded_elsewhere(tmp_path):
    specs = {"action": Spec(shape=(1,)), CAMERAS[0]: Spec(shape=(16, 32, 3), dtype="uint8")}
    writer = create_dataset(tmp_path / "other", specs, fps=10, config=Config.tiny())
    writer.add_frame({"action": np.zeros(1, np.float32), CAMERAS[0]: np.full((16, 32, 3), 222, np.uint8)})
    writer.save_episode("Show grey")
    writer.close()
    return tmp_path / "other"


def test_what_does_not_fit_is_told(etude, root):
    one_entry_gb = 3 * (8 * 12 * 3 + 1) / 1e9
    code, out, err = etude("dataset", "cache", root, "--size=8x12", f"--cache_gb={one_entry_gb:.9f}")
    assert (code, out) == (1, "")
    assert "9 of 12 pictures do not fit" in err
    assert "--cache_gb" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Which dataset?"),
        (["--list", "--clear"], "exclude each other"),
        (["--clear", "--size=224"], "should be HEIGHTxWIDTH, such as 224x224, got '224'"),
        (["--clear", "--size=0x5"], "should be HEIGHTxWIDTH"),
    ],
)
def test_mistakes_are_sentences(etude, words, sentence):
    code, _, err = etude("dataset", "cache", *words)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_a_dataset_without_cameras_needs_nothing(etude, tmp_path):
    writer = create_dataset(tmp_path / "dataset", {"action": Spec(shape=(1,))}, fps=10, config=Config.tiny())
    writer.add_frame({"action": np.zeros(1, np.float32)})
    writer.save_episode("Wait")
    writer.close()
    code, out, _ = etude("dataset", "cache", tmp_path / "dataset")
    assert code == 0
    assert "no cameras" in out
