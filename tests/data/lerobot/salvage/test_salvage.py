"""What LeRobot left when it was killed while recording is recovered, said, and can be taken back."""

import json
import shutil

import numpy as np
import pytest

from etude.core.errors import DatasetError, UserError
from etude.data import open_dataset
from etude.data.lerobot.salvage import is_damaged, salvage
from etude.data.versions import undo

from .conftest import FRONT


def test_all_that_lerobot_saved_is_recovered(root, assert_holds):
    assert is_damaged(root)
    report = salvage(root)
    assert (report.num_episodes, report.num_frames) == (12, 48)
    assert_holds(root, range(12))
    assert any("had no footer, and 48 rows of it were read" in each for each in report.damage)
    assert any("lacked 2 of 12 episodes" in each for each in report.damage)
    assert len(report.lost) == 1
    assert "Episode 12 was being recorded when the program ended" in report.lost[0]
    assert "2 pictures of observation.images.front" in report.lost[0]
    assert "Recovered 12 episodes with 48 frames." in str(report)


@pytest.mark.parametrize("lacking", [None, "meta/episodes"])
def test_who_opens_an_unfinished_dataset_is_told_how_to_save_it(root, lacking):
    if lacking:
        shutil.rmtree(root / lacking)
    with pytest.raises(DatasetError, match="save what is whole of an unfinished recording: etude dataset recover"):
        open_dataset(root)


def test_statistics_are_those_that_lerobot_measured(golden, root):
    salvage(root)
    stored = json.loads((root / "meta/stats.json").read_text())
    wanted = json.loads((golden / "lerobot_unfinished/meta/stats.json").read_text())
    assert stored.keys() == wanted.keys()
    for key, stats in wanted.items():
        # LeRobot's per-episode pictures come before compression, the last two episodes' here from the video.
        for name in ("min", "max", "mean", "std", "count"):
            np.testing.assert_allclose(stored[key][name], stats[name], atol=0.02 if key == FRONT else 1e-6)


def test_undo_brings_the_damaged_dataset_back(golden, root):
    salvage(root)
    assert undo(root) == "recover what LeRobot left unfinished"
    there = {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    source = golden / "lerobot_unfinished"
    assert there == {path.relative_to(source): path.read_bytes() for path in source.rglob("*") if path.is_file()}


def test_only_damaged_datasets_are_touched(golden, recorded, tmp_path):
    for whole in (golden / "lerobot_v3", golden / "lerobot_v21", recorded, tmp_path):
        assert not is_damaged(whole)
    copy = shutil.copytree(recorded, tmp_path / "copy")
    with pytest.raises(UserError, match="there is nothing to recover"):
        salvage(copy)
