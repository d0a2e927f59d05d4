import numpy as np
import pytest

from etude.data.timing import Timing
from etude.data.video import VideoReader
from etude.envs.env import Step
from etude.rollout import sinks
from etude.rollout.agents import ReplayAgent
from etude.rollout.loop import rollout
from etude.rollout.sinks import RecordSink, VideoSink


class Notes:
    """A dataset writer that notes what it is told."""

    def __init__(self):
        self.said = []

    def add_frame(self, frame, timing):
        self.said.append((float(frame["observation.state"][0]), float(frame["action"][0]), timing))

    def save_episode(self, task):
        self.said.append(f"save {task}")

    def discard_episode(self):
        self.said.append("discard")

    def leave_episode(self):
        self.said.append("leave")


@pytest.fixture
def actions():
    return np.array([[0.5], [5.0], [0.25]], np.float32)


def test_each_frame_is_recorded_with_the_time_of_its_own_observation(counter, actions):
    env, notes = counter(goal=3), Notes()
    sink = RecordSink(notes, "Count", timing=lambda: Timing(time_s=env.ticks))
    rollout(env, ReplayAgent(actions), [sink])
    assert [(state, action, timing.time_s) for state, action, timing in notes.said[:-1]] == [
        (0, 0.5, 0), (1, 1.0, 1), (2, 0.25, 2),
    ]  # fmt: skip
    assert notes.said[-1] == "save Count"


def test_a_failed_demonstration_is_discarded(counter, actions):
    notes = Notes()
    rollout(counter(goal=9), ReplayAgent(actions), [RecordSink(notes, "Count", keep=lambda success: success)])
    assert notes.said[-1] == "discard"


def test_an_episode_that_breaks_off_is_left_as_a_draft(counter, actions):
    class Failing(counter):
        def step(self, action, wait=None) -> Step:
            raise RuntimeError("camera unplugged")

    notes = Notes()
    with pytest.raises(RuntimeError, match="unplugged"):
        rollout(Failing(), ReplayAgent(actions), [RecordSink(notes, "Count")])
    assert notes.said == ["leave"]


@pytest.fixture
def film(tmp_path, counter):
    """Film an episode of three ticks at 10 Hz; give its film's number of pictures, none when there is no film."""

    def film(*, success, **options):
        path = tmp_path / f"{success}.mp4"
        picture = lambda: np.full((32, 48, 3), 90, np.uint8)  # noqa: E731
        sink = VideoSink(path, 10, picture=picture, **options)
        rollout(counter(goal=3 if success else 9), ReplayAgent(np.zeros((3, 1), np.float32)), [sink])
        return VideoReader(path).num_frames if path.exists() else None

    return film


def test_a_film_holds_its_last_picture_for_half_a_second(film):
    assert film(success=True) == film(success=False) == 3 + 5


@pytest.mark.parametrize("most", [64 * 2**20, 32 * 48 * 3])
def test_of_a_success_that_nobody_wants_to_see_nothing_is_kept_unless_memory_is_short(film, monkeypatch, most):
    monkeypatch.setattr(sinks, "MOST_HELD_BYTES", most)
    assert film(success=False, only_failures=True) == 3 + 5
    assert film(success=True, only_failures=True) == (None if most > 2**20 else 3 + 5)
