"""Videos that do not show what the rows say."""

import shutil

import av
import numpy as np

from etude.data.video import VideoReader, VideoWriter

from .conftest import DELETE, EPISODES, FRONT, VIDEO, change_table, found


def test_a_video_with_fewer_frames_than_rows(root):
    shutil.copy(root / VIDEO.format("001"), root / VIDEO.format("002"))
    assert found(root) == [f"{{root}}/{VIDEO.format('002')}: holds 1 frames, its episodes 3 rows. {DELETE}2"]


def test_a_dropped_frame_shows_in_the_episodes_table(root):
    key = f"videos/{FRONT}/to_timestamp"
    change_table(root / EPISODES, key, lambda ends: [0.3, *ends[1:]])
    assert found(root) == [
        (
            f"episode 0: the video of {FRONT} lasts 3 frames, the table 4 rows. Frames were dropped while recording. "
            f"{DELETE}0"
        ),
        f"{{root}}/{VIDEO.format('000')}: holds 4 frames, its episodes 3 rows. {DELETE}0",
    ]


def test_clips_that_overlap(root):
    places = {"file_index": [0, 0, 2], "from_timestamp": [0.0, 0.2, 0.0], "to_timestamp": [0.4, 0.3, 0.3]}
    for name, values in places.items():
        change_table(root / EPISODES, f"videos/{FRONT}/{name}", lambda _, values=values: values)
    assert f"episode 1: its clip of {FRONT} overlaps with that of episode 0. {DELETE}1" in found(root)


def test_pictures_that_are_not_shown_at_their_time(root):
    path = root / VIDEO.format("002")
    pictures = VideoReader(path).frames(np.arange(3))
    writer = VideoWriter(path, 12, preset=13)
    for picture in pictures:
        writer.add(picture)
    writer.close()
    assert found(root) == [
        (
            f"{{root}}/{VIDEO.format('002')}: shows frame 1 16.7 ms away from its time; LeRobot refuses that. "
            "Encode the videos again: etude dataset reencode {root}"
        )
    ]


def test_pictures_that_cannot_be_decoded(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "dataset", [6, 2])
    path = root / VIDEO.format("000")
    data = bytearray(path.read_bytes())
    with VideoFile(path) as places:
        place, size = places[2]
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    assert found(root) == []  # neither the first nor the last
    (problem,) = found(root, deep=True)
    assert problem.startswith(f"{{root}}/{VIDEO.format('000')}: ")
    assert problem.endswith(f"{DELETE}0")


class VideoFile:
    """Where the coded pictures of a file are."""

    def __init__(self, path):
        self._container = av.open(str(path))

    def __enter__(self):
        return [(entry.pos, entry.size) for entry in self._container.streams.video[0].index_entries]

    def __exit__(self, *_):
        self._container.close()
