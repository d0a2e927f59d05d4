"""Two devices as one."""

import numpy as np
import pytest

from etude.core.errors import ConfigError, DeviceError
from etude.core.frame import STATE
from etude.hardware import robots, teleoperators
from etude.hardware.device import connected


@pytest.fixture
def pair():
    return robots.build(robots.config("bimanual")())


def test_names_of_joints_and_of_the_pair_are_lerobots(pair):
    assert pair.name == "bi_so_follower"
    assert pair.action.names[0] == "left_shoulder_pan.pos"
    assert pair.action.names[6] == "right_shoulder_pan.pos"


def test_each_arm_gets_its_half(pair):
    with connected(pair):
        start = pair.observe()[STATE]
        goal = start + np.repeat(np.float32([5, -5]), 6)
        for _ in range(30):
            applied = pair.apply(goal)
            pair.scene.clock.sleep_until(pair.scene.clock.now() + 1 / 30)
            state = pair.observe()[STATE]
    np.testing.assert_array_equal(applied, goal)
    np.testing.assert_allclose((state - start)[[0, 4, 6, 10]], [5, 5, -5, -5], atol=2)


def test_what_happens_to_one_arm_is_told_of_that_one(pair):
    with connected(pair):
        pair.observe()
        pair.right.stop("somebody is in the way")
        pair.apply(pair.observe()[STATE] + np.float32(1))
        assert "right: the arm holds still: somebody is in the way" in pair.clipped
        assert pair.health().warnings == ("right: The arm holds still: somebody is in the way.",)
        assert next(iter(pair.health().motors)).startswith("left_")


def test_stop_holds_both(pair):
    with connected(pair):
        state = pair.observe()[STATE]
        pair.stop()
        np.testing.assert_allclose(pair.apply(state + 20), state, atol=0.5)
        pair.resume()
        assert np.abs(pair.apply(state + 20) - state).min() > 1


def test_when_one_is_not_there_the_other_is_let_go(pair, monkeypatch):
    def refuse():
        raise DeviceError("There is no right arm.")

    monkeypatch.setattr(pair.left, "connect", refuse)
    with pytest.raises(DeviceError, match="no right arm"):
        pair.connect()
    with pytest.raises(DeviceError, match="not connected"):
        pair.right.observe()


def test_ids_and_folder_are_shared(tmp_path):
    config = robots.config("bimanual")(id="pair", calibration_dir=tmp_path)
    left, right = config.sides()
    assert (left.id, right.id) == ("pair_left", "pair_right")
    assert left.calibration_dir == right.calibration_dir == tmp_path


def test_two_unlike_robots_and_cameras_by_side():
    one = {"type": "fake", "num_joints": 1, "cameras": {"top": {"type": "fake"}}}
    robot = robots.build(robots.config("bimanual")(left_arm_config=one, right_arm_config={"type": "so101_follower"}))
    assert robot.name == "bimanual"
    assert len(robot.action.names) == 7
    assert "observation.images.left_top" in robot.observation
    assert "observation.images.right_front" in robot.observation


@pytest.mark.parametrize(
    ("values", "problem"),
    [({"port": "x"}, "left_arm_config should name its type"), ({"type": "fake", "port": "x"}, "has no key 'port'")],
)
def test_mistakes_are_explained(values, problem):
    with pytest.raises(ConfigError, match=problem):
        robots.config("bimanual")(left_arm_config=values)


def test_a_demonstration_ends_with_the_shorter_half():
    short, long = ({"type": "fake", "num_joints": 1, "num_ticks": ticks} for ticks in (3, 9))
    teleoperator = teleoperators.build(teleoperators.config("bimanual")(left_arm_config=long, right_arm_config=short))
    with connected(teleoperator):
        actions = [teleoperator.read() for _ in range(4)]
    assert [action is None for action in actions] == [False, False, False, True]
    assert actions[0].shape == (2,)
