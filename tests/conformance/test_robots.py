"""What every robot promises; a new folder under robots/ gets these tests without naming itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from etude.core import codec, frame
from etude.core.errors import DeviceError, SpecMismatch
from etude.core.frame import IMAGES, STATE
from etude.hardware import cameras, robots
from etude.hardware.device import Robot, connected

NAMES = robots.names()


@pytest.fixture
def build():
    return lambda name: robots.build(robots.config(name).tiny())


@pytest.mark.parametrize("name", NAMES)
class TestEveryRobot:
    def test_it_describes_itself_before_it_is_connected(self, name, build):
        robot = build(name)
        assert isinstance(robot, Robot)
        assert robot.name
        assert robot.action.names, "joints have names"
        assert robot.action.shape == (len(robot.action.names),)
        assert robot.action.dtype == "float32"
        assert robot.observation[STATE].names == robot.action.names
        assert all(spec.is_image for key, spec in robot.observation.items() if key.startswith(IMAGES))

    def test_what_it_observes_is_what_it_said(self, name, build):
        with connected(robot := build(name)):
            seen = robot.observe()
            frame.check(robot.observation, seen)
            assert set(seen) == set(robot.observation)
            assert np.isfinite(seen[STATE]).all()

    def test_a_small_legal_action_is_applied_as_it_is(self, name, build):
        with connected(robot := build(name)):
            state = robot.observe()[STATE]
            action = state - np.sign(state).astype(np.float32)
            applied = robot.apply(action)
            robot.action.check("action", applied)
            np.testing.assert_array_equal(applied, action)

    @pytest.mark.parametrize("value", [1e6, -1e6, np.inf, np.nan])
    def test_no_action_leaves_the_limits(self, name, value, build):
        with connected(robot := build(name)):
            applied = robot.apply(np.full(robot.action.shape, value, np.float32))
            robot.action.check("action", applied)
            assert np.abs(applied).max() < 1000
            frame.check(robot.observation, robot.observe())

    def test_it_goes_where_it_is_sent(self, name, build):
        with connected(robot := build(name)):
            start = robot.observe()[STATE]
            goal = start - 5 * np.sign(start).astype(np.float32)
            for _ in range(45):
                robot.apply(goal)
                if robot.scene:
                    robot.scene.clock.sleep_until(robot.scene.clock.now() + 1 / 30)
            end = robot.observe()[STATE]
            assert np.abs(end - goal).max() < np.abs(start - goal).max() * 0.75

    def test_an_action_of_another_shape_is_refused(self, name, build):
        with connected(robot := build(name)), pytest.raises(SpecMismatch):
            robot.apply(np.zeros(len(robot.action.names) + 1, np.float32))

    def test_what_it_gave_does_not_change_afterwards(self, name, build):
        with connected(robot := build(name)):
            seen = robot.observe()
            kept = {key: value.copy() for key, value in seen.items()}
            robot.apply(seen[STATE] + 1)
            robot.observe()
            for key, value in seen.items():
                np.testing.assert_array_equal(value, kept[key])

    def test_connecting_and_disconnecting_twice_is_harmless(self, name, build):
        robot = build(name)
        robot.disconnect()
        for _ in range(2):
            robot.connect()
            robot.connect()
            robot.observe()
            robot.disconnect()
            robot.disconnect()

    def test_it_says_when_it_is_not_connected(self, name, build):
        robot = build(name)
        with pytest.raises(DeviceError, match="not connected"):
            robot.observe()
        with pytest.raises(DeviceError, match="not connected"):
            robot.apply(np.zeros(robot.action.shape, np.float32))

    def test_its_config_round_trips_through_json(self, name):
        config = robots.config(name).tiny()
        if hasattr(config, "cameras"):
            config = replace(config, cameras={"top": cameras.config("fake").tiny()})
        stored = json.loads(json.dumps(codec.encode(config, {"cameras": cameras})))
        assert codec.decode(type(config), stored, {"cameras": cameras}) == config
