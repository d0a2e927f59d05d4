"""Things go wrong at a random moment of a recording: the arm makes no jump, the episode says so, nothing is lost."""

import random

import numpy as np
import pytest

from etude.core.errors import DeviceError
from etude.core.frame import STATE
from etude.data import create_dataset, open_dataset
from etude.data.draft import drafts
from etude.data.notes import timing_facts
from etude.envs.robot_env import RobotEnv
from etude.hardware import cameras, robots, teleoperators
from etude.hardware.device import connected
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.loop import rollout
from etude.rollout.sinks import RecordSink
from etude.sim.world import shared_world

HZ = 30
MAX_SPEED = 240.0
LONGEST_TICK_S = 0.1
UNDO_AFTER = 10
"""Ticks after which mischief is undone, where it can be."""
FAULTS = {
    "noise": lambda faults: faults.noise(0.5, for_s=0.5),
    "silence": lambda faults: faults.silence(3, for_s=0.1),
    "wrong checksum": lambda faults: faults.wrong_checksum(2, for_s=0.1),
    "slow answers": lambda faults: faults.slow(0.03, for_s=0.5),
    "overload": lambda faults: faults.overload(3, for_s=1.0),
    "brown-out": lambda faults: faults.brown_out(3.0, for_s=0.1),
    "brown-out of one": lambda faults: faults.brown_out(3.0, motor_id=2, for_s=0.1),
    "weak supply": lambda faults: faults.brown_out(3.8, for_s=2.0),
    "unplugged": lambda faults: faults.unplug(for_s=1.0),
}


def nothing():
    pass


class Mischief:
    """Watches what an arm is told and how it moves, and at some tick does something to it."""

    def __init__(self, robot, at, do, undo):
        self._robot, self._apply = robot, robot.apply
        self._due = {at: lambda: do(shared_world().arm.wire.faults), at + UNDO_AFTER: undo}
        robot.apply = self.apply
        self.begin(0)
        self.worst_command = self.worst_move = 0.0
        self.problem = ""

    def apply(self, action):
        """Compare what is sent with what was sent before or, where the arm was moved by others, with where it is."""
        now, measured = shared_world().clock.now(), self.state
        sent = self._apply(action)
        if self.sent:
            then, before = self.sent
            allowed = MAX_SPEED * min(now - then, LONGEST_TICK_S) + 1e-3
            step = np.minimum(np.abs(sent - before), np.abs(sent - measured)).max()
            self.worst_command = max(self.worst_command, step / allowed)
        self.sent = now, sent
        return sent

    def begin(self, seed):
        self.tick_count, self.sent, self.seen = 0, None, None
        self.state = np.full(6, np.inf)

    def tick(self, frame, step):
        now, joints = shared_world().clock.now(), np.degrees(shared_world().arm.joints)
        if self.seen:
            then, before = self.seen
            self.worst_move = max(self.worst_move, np.abs(joints - before).max() / (now - then))
        self.seen, self.state = (now, joints), step.frame[STATE]
        self.tick_count += 1
        self._due.get(self.tick_count, nothing)()

    def end(self, success):
        pass

    def abort(self, *exception):
        pass


@pytest.fixture
def record(tmp_path):
    """Record a short episode in which all is well, and one in which it is not; give what watched the second."""

    def record(do, seed, views=(), undo=nothing):
        film = {view: cameras.config("sim")(view=view, width=32, height=32, grace_s=1.0) for view in views}
        robot = robots.build(robots.config("so101_follower")(port="sim:arm", cameras=film))
        person = teleoperators.build(teleoperators.config("scripted")())
        specs = {**robot.observation, "action": robot.action}
        writer = create_dataset(tmp_path / "data", specs, fps=HZ, robot_type=robot.name)
        mischief = Mischief(robot, random.Random(seed).randint(2, 30), do, undo)
        try:
            with connected(robot, person):
                env = RobotEnv(robot, hz=HZ)
                sinks = [RecordSink(writer, "Test", timing=lambda: env.timing), mischief]
                rollout(env, TeleoperatorAgent(person), sinks[:1], max_ticks=5, seed=0)
                rollout(env, TeleoperatorAgent(person), sinks, max_ticks=70, seed=seed)
        except DeviceError as problem:
            mischief.problem = str(problem)
        finally:
            del robot.apply  # a circle would keep the robot's world alive
            writer.close()
            shared_world().arm.wire.faults.clear()
        return mischief

    return record


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_on_the_wire_leaves_no_jump_and_a_flag(record, tmp_path, fault, seed):
    mischief = record(FAULTS[fault], seed)
    assert mischief.worst_command <= 1.0
    assert mischief.worst_move <= MAX_SPEED
    dataset = open_dataset(tmp_path / "data")
    if mischief.problem:  # it broke off, with a sentence; what was saved is there, and so is the draft
        assert fault == "noise"
        assert mischief.problem.startswith("Motor '")
        assert dataset.episodes.length.tolist() == [5]
        assert len(drafts(tmp_path / "data")) == 1
        return
    assert dataset.episodes.length.tolist() == [5, mischief.tick_count]
    facts = timing_facts(dataset)
    assert facts.troubled_episodes == (1,) or facts.late_episodes == (1,)


def test_a_cable_that_stays_away_ends_the_recording_with_a_sentence(record, tmp_path):
    mischief = record(lambda faults: faults.unplug(), 0)
    assert "was unplugged and has not come back within 10 s" in mischief.problem
    assert open_dataset(tmp_path / "data").episodes.length.tolist() == [5]
    assert len(drafts(tmp_path / "data")) == 1


def pull(faults):
    """Unplug a camera."""
    shared_world().unplugged.add("front")


def plug_in():
    shared_world().unplugged.discard("front")


def test_while_a_camera_is_unplugged_for_a_moment_its_pictures_are_marked_as_repeated(record, tmp_path):
    mischief = record(pull, 0, views=("front", "wrist"), undo=plug_in)
    assert mischief.problem == ""
    dataset = open_dataset(tmp_path / "data")
    assert dataset.episodes.length.tolist() == [5, mischief.tick_count]
    repeated = timing_facts(dataset).repeated
    assert repeated["observation.images.front"] >= UNDO_AFTER - 1
    assert repeated["observation.images.wrist"] == 0


def test_a_camera_that_stays_unplugged_ends_the_recording_with_a_sentence(record, tmp_path):
    mischief = record(pull, 0, views=("front",))
    assert mischief.problem == "Camera 'front': it was unplugged. Check its cable."
    assert open_dataset(tmp_path / "data").episodes.length.tolist() == [5]
    assert len(drafts(tmp_path / "data")) == 1
