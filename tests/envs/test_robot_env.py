import time

import numpy as np
import pytest

from etude.core.clock import SimClock
from etude.core.spec import Spec
from etude.envs.robot_env import RobotEnv


class Table:
    def __init__(self):
        self.clock = SimClock()
        self.seeds, self.done = [], False
        self.observation = {"observation.environment_state": Spec(shape=(1,))}

    def reset(self, seed):
        self.seeds.append(seed)

    def observe(self):
        return {"observation.environment_state": np.array([42], np.float32)}

    def success(self):
        return self.done


class Arm:
    """Goes where it is sent, though no further than 1."""

    name = "arm"
    action = Spec(shape=(2,))

    def __init__(self, scene=None):
        self.scene, self.camera_times = scene, {}
        self.observation = {"observation.state": Spec(shape=(2,))}
        self.state, self.is_connected = np.zeros(2, np.float32), True
        self.clipped = self.events = ()

    def connect(self):
        self.is_connected = True

    def disconnect(self):
        self.is_connected = False

    def observe(self):
        return {"observation.state": self.state.copy()}

    def apply(self, action):
        self.state = np.clip(action, -1, 1)
        return self.state


def test_the_applied_action_is_what_the_robot_really_did():
    env = RobotEnv(Arm())
    env.reset(0)
    step = env.step(np.array([5, 0.5], np.float32))
    assert step.action.tolist() == [1, 0.5]
    assert step.frame["observation.state"].tolist() == [1, 0.5]


def test_what_a_scene_tells_is_observed_too():
    env = RobotEnv(Arm(Table()))
    assert env.observation["observation.environment_state"].shape == (1,)
    assert env.reset(0)["observation.environment_state"].tolist() == [42]
    assert env.step(np.zeros(2, np.float32)).frame["observation.environment_state"].tolist() == [42]


def test_a_scene_is_reset_by_seed_and_judges_success():
    table = Table()
    env = RobotEnv(Arm(table))
    env.reset(7)
    assert table.seeds == [7]
    assert not env.step(np.zeros(2, np.float32)).terminated
    table.done = True
    step = env.step(np.zeros(2, np.float32))
    assert (step.terminated, step.success, step.reward) == (True, True, 1.0)


def test_an_episode_is_truncated_after_max_ticks_and_counts_anew_after_reset():
    env = RobotEnv(Arm(Table()), max_ticks=2)
    for _ in range(2):
        env.reset(0)
        assert [env.step(np.zeros(2, np.float32)).truncated for _ in range(2)] == [False, True]


def test_a_wait_decides_how_long_a_tick_takes():
    table = Table()
    env = RobotEnv(Arm(table), hz=10)
    env.step(np.zeros(2, np.float32), lambda: table.clock.sleep_until(0.03))
    assert table.clock.now() == pytest.approx(0.03)
    env.step(np.zeros(2, np.float32))
    assert table.clock.now() == pytest.approx(0.13)


def test_a_real_robot_is_not_made_to_wait():
    env = RobotEnv(Arm(), hz=0.1)
    assert not env.is_simulated
    began = time.perf_counter()
    env.step(np.zeros(2, np.float32))
    assert time.perf_counter() - began < 1


def test_closing_disconnects_the_robot():
    robot = Arm()
    RobotEnv(robot).close()
    assert not robot.is_connected


class Watch:
    """A clock that the test sets."""

    time_s = 0.0

    def now(self):
        return self.time_s

    def sleep_until(self, instant):
        self.time_s = max(self.time_s, instant)


def test_an_observation_a_period_and_a_half_after_the_last_one_is_late():
    env = RobotEnv(Arm(), hz=10)
    env.clock = watch = Watch()
    env.reset(0)
    late = []
    for pause in (0.1, 0.14, 0.16, 0.1):
        watch.time_s += pause
        env.step(np.zeros(2, np.float32))
        late.append(env.timing.is_late)
    assert late == [False, False, True, False]
    assert env.timing.time_s == pytest.approx(0.5)
    env.reset(0)
    assert not env.timing.is_late


def test_what_goes_wrong_at_an_observation_is_told_with_its_time():
    arm = Arm()
    env = RobotEnv(arm)
    env.reset(0)
    assert env.timing.trouble == ()
    arm.events = ("Motor 'pan' did not answer.",)
    env.step(np.zeros(2, np.float32))
    assert env.timing.trouble == arm.events
