import shutil
from pathlib import Path

import pytest

from etude.cli.main import main
from etude.data import open_dataset

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "new"


def test_converting_says_what_was_made_and_what_was_left(root, capsys):
    words = ["dataset", "convert", str(GOLDEN / "rlds"), str(root), "--fps=5", "--write.preset=13"]
    assert main([*words, "--keys", "observation/grip=observation.state", "observation/state=observation.state"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{root}: 2 episodes, 8 frames, as in ")
    assert "pictures encoded" in told.out
    assert "Left out, being neither numbers nor pictures with three colours: observation/boxes" in told.err
    dataset = open_dataset(root)
    assert (dataset.fps, dataset.specs["observation.state"].shape) == (5, (6,))


def test_the_same_command_again_finds_it_done(root, capsys):
    words = ["dataset", "convert", str(GOLDEN / "lerobot_v21"), str(root)]
    assert main(words) == 0
    assert main(words) == 0
    told = capsys.readouterr()
    assert "3 of 3 episodes had been converted before." in told.err
    assert "pictures copied as they are" in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--options", "splitt=val"], "Did you mean 'split'"),
        (["--options", "split"], "--options should be like NAME=VALUE, got 'split'"),
        (["--keys", "state=action"], "No array in the dataset named 'state'"),
        (["--type=rlsd"], "Did you mean 'rlds'"),
        (["--type=zarr"], "is no dataset of format zarr"),
        (["--to=lerobot_v21"], "only LeRobot v3.0 is converted to v2.1"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(root, capsys, words, said):
    assert main(["dataset", "convert", str(GOLDEN / "rlds"), str(root), *words]) == 2
    assert said in capsys.readouterr().err
    assert not root.exists()


def test_a_damaged_source_is_exit_code_one(root, tmp_path, capsys):
    source = shutil.copytree(GOLDEN / "rlds", tmp_path / "old")
    shard = next(source.glob("*train*-00001-*"))
    shard.write_bytes(shard.read_bytes()[:-9] + b"x" * 9)
    assert main(["dataset", "convert", str(source), str(root), "--write.preset=13"]) == 1
    assert "is damaged: its checksum is wrong" in capsys.readouterr().err
