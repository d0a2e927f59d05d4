import shutil

import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.formats.lerobot_v3.config import Config


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded") / "blocks"
    camera = Spec(shape=(64, 64, 3), dtype="uint8")
    writer = create_dataset(root, {"action": Spec(shape=(2,)), "cam": camera}, fps=10, config=Config.tiny())
    for task in ("Push", "Push", "Pull"):
        for _ in range(4):
            writer.add_frame({"action": Spec(shape=(2,)).example(), "cam": camera.example()})
        writer.save_episode(task)
    writer.close()
    return root


@pytest.fixture
def blocks(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "blocks")


@pytest.mark.parametrize(
    ("words", "said", "episodes"),
    [
        (["delete", "{}", "--episodes=0,2-2"], "deleted episodes 0,2-2. It has 1 episodes, 4 frames now.", 1),
        (["trim", "{}", "--episode=1", "--start=2"], "trimmed episode 1 to frames 2 to the end", 3),
        (["filter", "{}", "--task=Push", "--keep=1,2"], "filtered by keep 1,2, task Push", 1),
        (["edit-tasks", "{}", "--task=Push=Shove"], "changed the task Push=Shove", 3),
        (["edit-tasks", "{}", "--episodes=2", "--task=Push"], "gave episodes 2 the task 'Push'", 3),
        (["rename", "{}", "cam=wrist"], "renamed cam=wrist", 3),
        (["remove-key", "{}", "cam"], "removed cam", 3),
        (["reencode", "{}", "--vcodec=h264", "--crf=20", "--g=4"], "encoded again with h264, crf 20, g 4", 3),
    ],
)
def test_an_edit_says_what_it_did_and_is_taken_back(etude, blocks, words, said, episodes):
    before = (blocks / "meta/info.json").read_bytes()
    code, out, err = etude("dataset", *(word.format(blocks) for word in words))
    assert (code, err) == (0, "")
    assert said in out
    assert f"To take this back: etude dataset {words[0]} {blocks} --undo" in out
    assert len(open_dataset(blocks).episodes) == episodes
    assert etude("dataset", "check", blocks)[0] == 0
    code, out, _ = etude("dataset", words[0], blocks, "--undo")
    assert code == 0
    assert "took back" in out
    assert (blocks / "meta/info.json").read_bytes() == before


def test_splitting_and_merging_make_new_datasets(etude, blocks, tmp_path):
    code, out, _ = etude("dataset", "split", blocks, "--into=train=0,2,val=1-1")
    assert code == 0
    assert out.splitlines() == [
        f"{tmp_path}/blocks_train: 2 episodes, 8 frames.",
        f"{tmp_path}/blocks_val: 1 episodes, 4 frames.",
    ]
    code, out, _ = etude("dataset", "split", blocks, "--into=a=0.67,b=0.33", f"--output={tmp_path}/parts")
    assert code == 0
    assert len(open_dataset(tmp_path / "parts/a").episodes) == 2
    parts = [tmp_path / "blocks_train", tmp_path / "blocks_val"]
    code, out, _ = etude("dataset", "merge", *parts, "--output", tmp_path / "all")
    assert code == 0
    assert "3 episodes, 12 frames, of 2 datasets" in out
    assert etude("dataset", "check", tmp_path / "all")[0] == 0
    assert len(open_dataset(blocks).episodes) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["delete", "{}"], "'' should be episode numbers such as 3,5-7"),
        (["delete", "{}", "--episodes=1-x"], "'1-x' should be episode numbers"),
        (["delete", "{}", "--episodes=7"], "no episode 7"),
        (["delete", "{}x", "--episodes=7"], "is not a dataset"),
        (["delete", "{}", "--undo"], "nothing to undo"),
        (["delete", "{}", "--undo", "--episodes=1"], "goes with no other option"),
        (["delete", "{}/x/y", "--undo"], "there is no such folder"),
        (["trim", "{}"], "Say either which episode to trim"),
        (["trim", "{}", "--idle", "--stop=3"], "leave out --start and --stop"),
        (["filter", "{}"], "Say what is to be kept"),
        (["edit-tasks", "{}"], "Say the task"),
        (["edit-tasks", "{}", "--task=Push"], "should look like --task='OLD=NEW'"),
        (["rename", "{}"], "Say which key"),
        (["rename", "{}", "cam=a", "cam=b"], "'cam' is given twice"),
        (["remove-key", "{}"], "Say which key"),
        (["reencode", "{}", "--g=0"], "g should be at least 1"),
        (["split", "{}", "--into=a=0.5,b=1-2"], "all episode numbers or all fractions"),
        (["split", "{}", "--into=a=0.1"], "would have no episode"),
        (["merge", "{}", "--output={}"], "at least two"),
        (["merge", "{}", "{}", "--output={}"], "exists already"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_nothing_is_touched(etude, blocks, words, said):
    before = sorted(blocks.parent.rglob("*"))
    code, out, err = etude("dataset", *(word.format(blocks) for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("error: ")
    assert sorted(blocks.parent.rglob("*")) == before
