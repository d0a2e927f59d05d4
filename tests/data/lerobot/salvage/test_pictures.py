"""Pictures that are not encoded yet, or are missing: which episodes keep theirs."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etude.data.lerobot.salvage import salvage
from etude.data.video.splice import Piece, splice

from .conftest import ENDS, EPISODES, FRONT, LENGTHS, VIDEO, finished


def drop_frame(root, number):
    """Take one picture out of the video."""
    first = Piece(path=root / VIDEO, start=0, length=number)
    second = Piece(path=root / VIDEO, start=number + 1, length=47 - number)
    splice([first, second], root / "dropped.mp4", 10)
    (root / "dropped.mp4").replace(root / VIDEO)


def test_pictures_that_were_not_encoded_yet_are_encoded(root, holds, assert_holds):
    """LeRobot encodes at the end of an episode, or of several; until then there are PNG files."""
    end = int(ENDS[9])
    splice([Piece(path=root / VIDEO, start=0, length=end)], root / "short.mp4", 10)
    (root / "short.mp4").replace(root / VIDEO)
    for episode in (10, 11):
        folder = root / f"images/{FRONT}/episode-{episode:06d}"
        folder.mkdir()
        for tick in range(LENGTHS[episode]):
            cv2.imwrite(str(folder / f"frame-{tick:06d}.png"), holds.picture(episode, tick))
    assert salvage(root).num_episodes == 12
    assert_holds(root, range(12))


def test_an_episode_without_all_its_pictures_is_left_out(root, assert_holds):
    splice([Piece(path=root / VIDEO, start=0, length=int(ENDS[10]))], root / "short.mp4", 10)
    (root / "short.mp4").replace(root / VIDEO)
    report = salvage(root)
    assert_holds(root, range(11))
    assert f"Episode 11 (5 frames) was left out: its pictures of {FRONT} are in no video." in report.lost


def test_a_video_cut_short_gives_the_episodes_at_its_front(root, assert_holds):
    data = (root / VIDEO).read_bytes()
    (root / VIDEO).write_bytes(data[: int(0.9 * len(data))])
    report = salvage(root)
    assert 5 < report.num_episodes < 12
    assert_holds(root, range(report.num_episodes))


def test_where_a_frame_was_dropped_no_picture_is_given_to_the_wrong_row(root, assert_holds):
    """LeRobot's streaming encoder drops a frame when it cannot follow; from there on pictures come a row early."""
    drop_frame(root, int(ENDS[10]) + 2)
    report = salvage(root)
    assert_holds(root, range(10))  # the table tells of ten; which of the others lost a frame cannot be known
    assert sum("fewer pictures than rows" in each for each in report.lost) == 2


def test_an_episode_of_which_the_table_tells_that_a_frame_was_dropped_is_left_out_alone(root, assert_holds):
    table = finished(root)
    drop_frame(root, int(ENDS[3]) + 1)
    for name, first in (("from_timestamp", 5), ("to_timestamp", 4)):
        times = np.array(table[f"videos/{FRONT}/{name}"])
        times[first:] -= 0.1
        position = table.schema.get_field_index(f"videos/{FRONT}/{name}")
        table = table.set_column(position, f"videos/{FRONT}/{name}", pa.array(times))
    pq.write_table(table, root / EPISODES)
    report = salvage(root)
    assert_holds(root, [*range(4), *range(5, 12)])
    assert any(
        "Episode 4 (4 frames) was left out" in each and "3 pictures for its 4 rows" in each for each in report.lost
    )
