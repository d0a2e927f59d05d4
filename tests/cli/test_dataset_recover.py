import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config

SPECS = {"action": Spec(shape=(1,)), "cam": Spec(shape=(48, 64, 3), dtype="uint8")}


def show(writer, count):
    for tick in range(count):
        writer.add_frame({"action": np.array([tick], np.float32), "cam": np.full((48, 64, 3), 9 * tick, np.uint8)})


@pytest.fixture
def root(tmp_path):
    """A dataset of one episode, and two recordings that broke off."""
    writer = create_dataset(tmp_path / "blocks", SPECS, fps=10, config=Config.tiny())
    show(writer, 2)
    writer.save_episode("Push it")
    for count in (3, 4):
        show(writer, count)
        writer.leave_episode()
    writer.close()
    return tmp_path / "blocks"


def test_drafts_are_listed_with_what_to_do(etude, root):
    code, out, _ = etude("dataset", "recover", root)
    assert code == 0
    assert [line.split(": ")[1][:9] for line in out.splitlines()[:2]] == ["3 frames ", "4 frames "]
    assert "--keep NAME" in out
    assert len(open_dataset(root).episodes) == 1


def test_a_kept_draft_becomes_an_episode(etude, root):
    first, second = drafts(root)
    code, _, err = etude("dataset", "recover", root, f"--keep={second.name}")
    assert code == 0
    assert "4 frames are episode 1, task: Push it" in err
    assert open_dataset(root).column("action")[:, 0].tolist() == [0, 1, 0, 1, 2, 3]
    assert [draft.name for draft in drafts(root)] == [first.name]
    assert check(root) == []


def test_all_are_kept_or_dropped(etude, root):
    assert etude("dataset", "recover", root, "--keep=all", "--task=Other")[0] == 0
    assert [episode.tasks for episode in open_dataset(root).episodes] == [("Push it",), ("Other",), ("Other",)]
    assert etude("dataset", "recover", root, "--drop=all")[0] == 0
    assert etude("dataset", "recover", root)[1].startswith("No recording broke off")


def test_dropped_drafts_are_gone_and_the_dataset_is_untouched(etude, root):
    assert etude("dataset", "recover", root, "--drop=all")[0] == 0
    assert drafts(root) == []
    assert len(open_dataset(root).episodes) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--keep=nope",), "No draft named 'nope'"), (("--keep=all", "--drop=all"), "not both at once")],
)
def test_mistakes_are_sentences(etude, root, words, message):
    code, _, err = etude("dataset", "recover", root, *words)
    assert code == 2
    assert message in err
    assert len(drafts(root)) == 2


def test_a_draft_that_is_only_a_stump_says_so(etude, root):
    (drafts(root)[0].folder / "rows.bin").write_bytes(b"")
    code, out, _ = etude("dataset", "recover", root)
    assert (code, out.split(": ")[1][:9]) == (0, "0 frames ")
    name = drafts(root)[0].name
    code, _, err = etude("dataset", "recover", root, f"--keep={name}")
    assert code == 1
    assert "holds no whole frame" in err


def test_a_folder_that_is_not_there_is_a_mistake(etude, tmp_path):
    code, _, err = etude("dataset", "recover", tmp_path / "none")
    assert (code, "there is no such folder" in err) == (2, True)


def test_a_recording_in_progress_is_left_alone(etude, tmp_path):
    writer = create_dataset(tmp_path / "live", SPECS, fps=10, config=Config.tiny())
    show(writer, 2)
    try:
        code, _, err = etude("dataset", "recover", tmp_path / "live", "--drop=all")
    finally:
        writer.save_episode("Push it")
        writer.close()
    assert (code, "is being written by another program" in err) == (2, True)
    assert len(open_dataset(tmp_path / "live").episodes) == 1
