"""What a user may want to know and is no fault of the files."""

import shutil

import numpy as np

from etude.core.spec import Spec
from etude.data import create_dataset
from etude.data.dataset import Timing
from etude.data.formats.lerobot_v3.config import Config

from .conftest import DATA, FRONT, notes


def still(root, *, lengths=(30,), timing=None, fps=10):
    """Record a robot that moves for a third of the time, then stands still, its camera giving one picture."""
    specs = {"observation.state": Spec(shape=(1,)), FRONT: Spec(shape=(48, 64, 3), dtype="uint8")}
    writer = create_dataset(root, specs, fps=fps, config=Config.tiny())
    for length in lengths:
        for tick in range(length):
            position = np.array([min(tick, length // 3)], np.float32)
            picture = np.full((48, 64, 3), 8 * min(tick, length // 3), np.uint8)
            frame = {"observation.state": position, FRONT: picture}
            writer.add_frame(frame, timing(tick) if timing else None)
        writer.save_episode("Do it")
    writer.close()
    return root


def test_standing_still_is_a_note(tmp_path):
    assert notes(still(tmp_path / "still", lengths=(6, 45))) == [
        "Episode 1 stands still for 2.9 s, from frame 16 on.",
        "To cut off what is before and after the motion: etude dataset trim {root} --idle",
    ]


def test_a_demonstrator_who_hesitates_is_a_note(tmp_path):
    specs = {"action": Spec(shape=(1,))}
    writer = create_dataset(tmp_path / "hesitant", specs, fps=10, config=Config.tiny())
    for command in (0, 1, 2, 2, 2, 3, 4, 5, 6, 7):
        writer.add_frame({"action": np.array([command], np.float32)})
    writer.save_episode("Do it")
    writer.close()
    (note,) = notes(tmp_path / "hesitant")
    assert note.startswith("In 2 of 10 frames (20.0%) the command stays as it was")


def test_a_frozen_camera_is_a_note_of_a_deep_check(tmp_path):
    (note,) = notes(still(tmp_path / "still"), deep=True)
    assert note.startswith(f"Episode 0: '{FRONT}' gives the same picture for 1.")


def test_late_and_repeated_frames_and_the_real_rate_are_notes(tmp_path):
    def timing(tick):
        return Timing(time_s=tick / 8, is_late=tick in (3, 4), camera_time_s={FRONT: (tick // 2) / 4})

    assert notes(still(tmp_path / "late", lengths=(12, 12), timing=timing)) == [
        "4 of 24 frames came late (the computer was too slow for the control loop), most in episode 0-1.",
        f"'{FRONT}' repeats a picture in 12 of 24 frames: the camera is slower than the loop.",
        "Frames were really taken at 8.0 Hz, but are stamped 10 Hz.",
    ]


def test_a_recording_that_broke_off_is_a_note(root, specs, make_frame):
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=True, config=Config.tiny())
    for tick in range(3):
        writer.add_frame(make_frame(0, tick))
    writer.close()
    (note,) = notes(root)
    assert note.startswith("A recording begun ")
    assert note.endswith("etude dataset recover {root}")


def test_a_table_that_no_episode_is_in_is_a_note(root):
    shutil.copy(root / DATA.format("000"), root / DATA.format("007"))
    (note,) = notes(root)
    assert note.startswith(f"{DATA.format('007')} belongs to no episode")
