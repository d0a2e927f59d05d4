import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.core.frame import IMAGES, STATE
from etude.hardware import cameras, robots, teleoperators
from etude.hardware.device import connected


def test_pictures_carry_their_number():
    with connected(camera := cameras.build(cameras.config("fake")())):
        numbers = [int.from_bytes(camera.read()[0, 0].tobytes(), "big") for _ in range(300)]
    assert numbers == list(range(300))


def test_pictures_are_the_same_in_every_run():
    def film():
        with connected(camera := cameras.build(cameras.config("fake").tiny())):
            return np.array([camera.read() for _ in range(3)])

    np.testing.assert_array_equal(film(), film())
    assert (film()[0] != film()[1]).any()


def test_a_joint_goes_its_share_of_the_way():
    with connected(robot := robots.build(robots.config("fake")(num_joints=2, follow=0.25))):
        start = robot.observe()[STATE]
        robot.apply(np.array([40, -40], np.float32))
        np.testing.assert_allclose(robot.observe()[STATE], start * 0.75 + [10, -10], rtol=1e-6)


def test_the_seed_decides_where_the_joints_start():
    def start(seed):
        with connected(robot := robots.build(robots.config("fake")(seed=seed))):
            return robot.observe()[STATE]

    np.testing.assert_array_equal(start(1), start(1))
    assert (start(1) != start(2)).any()


def test_goals_beyond_the_limit_are_clamped():
    with connected(robot := robots.build(robots.config("fake")(num_joints=2, limit=50.0))):
        assert robot.apply(np.array([60, -60], np.float32)).tolist() == [50, -50]


def test_it_has_the_cameras_that_are_chosen():
    chosen = {"top": cameras.config("fake")(width=8, height=6)}
    robot = robots.build(robots.config("fake")(cameras=chosen))
    assert robot.observation[IMAGES + "top"].shape == (6, 8, 3)
    assert robots.build(robots.config("fake")()).observation.keys() == {STATE, IMAGES + "front"}


def test_a_demonstration_is_smooth_and_ends():
    config = teleoperators.config("fake")(num_joints=3, num_ticks=50, amplitude=10.0)
    with connected(teleoperator := teleoperators.build(config)):
        actions = np.array([teleoperator.read() for _ in range(50)])
        assert teleoperator.read() is None
        teleoperator.reset(1)
        again = np.array([teleoperator.read() for _ in range(50)])
    assert np.abs(np.diff(actions, axis=0)).max() < 10 * 2 * np.pi * 1.5 / 50
    assert np.abs(actions).max() <= 10
    assert (actions != again).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: cameras.config("fake")(width=0),
        lambda: robots.config("fake")(num_joints=0),
        lambda: robots.config("fake")(follow=1.5),
        lambda: teleoperators.config("fake")(num_ticks=0),
    ],
)
def test_values_that_make_no_sense(make):
    with pytest.raises(ConfigError):
        make()
