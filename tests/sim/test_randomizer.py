import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.sim.randomization import Randomization
from etude.sim.tasks.pick_place.config import Config
from etude.sim.world import World

EVERYTHING = Randomization(
    distractors=2,
    color=0.2,
    object_color=0.3,
    light=0.3,
    light_rad=0.3,
    camera_m=0.01,
    camera_rad=0.02,
    brightness=0.15,
    image_noise=4.0,
    friction=0.3,
    mass=0.3,
    backlash_deg=(0.2, 0.5),
    latency_s=(0.01, 0.03),
    astray=0.5,
)


def numbers(model):
    """Every array of a compiled scene."""
    found = {name: getattr(model, name) for name in dir(model) if not name.startswith("_")}
    return {name: array.copy() for name, array in found.items() if isinstance(array, np.ndarray)}


def restore(world):
    world.start()
    world._randomizer.restore()


def world_with(**ranges):
    return World(Config(randomization=Randomization(**ranges)))


def test_it_is_off_by_default_and_then_changes_nothing():
    assert not Randomization().is_on
    world = World(Config())
    before = numbers(world.model)
    world.reset(7)
    for name, array in numbers(world.model).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_what_an_episode_changed_is_undone_exactly():
    world = World(Config(randomization=EVERYTHING))
    restore(world)
    before = numbers(world.model)
    for seed in range(5):
        world.reset(seed)
    assert any(not np.array_equal(array, before[name]) for name, array in numbers(world.model).items())
    restore(world)
    for name, array in numbers(world.model).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_the_same_seed_gives_the_same_table_whatever_came_before():
    world = World(Config(randomization=EVERYTHING))
    world.reset(3)
    scene, picture = numbers(world.model), world.render("front", 24, 32)
    world.reset(4)
    assert not np.array_equal(world.render("front", 24, 32), picture)
    world.reset(3)
    np.testing.assert_array_equal(world.render("front", 24, 32), picture)
    for name, array in numbers(world.model).items():
        np.testing.assert_array_equal(array, scene[name], err_msg=name)


@pytest.mark.parametrize(
    ("ranges", "array", "most"),
    [
        ({"camera_m": 0.01}, "cam_pos", 0.01),
        ({"color": 0.2}, "geom_rgba", 0.2),
        ({"object_color": 0.3}, "geom_rgba", 0.3),
        ({"light": 0.5}, "light_diffuse", 0.21),
        ({"friction": 0.3}, "geom_friction", 0.36),
        ({"mass": 0.5}, "body_mass", 0.008),
    ],
)
def test_each_range_is_kept_and_used(ranges, array, most):
    world = world_with(**ranges)
    restore(world)
    nominal = getattr(world.model, array).copy()
    off = []
    for seed in range(40):
        world.reset(seed)
        off.append(np.abs(getattr(world.model, array) - nominal).max())
    assert 0.7 * most < max(off) <= most + 1e-9
    assert min(off) < 0.9 * max(off)


def test_arms_keep_their_colours_and_masses():
    world = world_with(color=0.3, mass=0.5)
    nominal = world.model.body("gripper").mass[0], world.model.geom("fixed_finger").rgba.copy()
    world.reset(1)
    assert world.model.body("gripper").mass[0] == nominal[0]
    np.testing.assert_array_equal(world.model.geom("fixed_finger").rgba, nominal[1])


def test_only_what_the_task_is_about_changes_colour_by_object_color():
    world = world_with(object_color=0.3, distractors=2)
    restore(world)
    nominal = world.model.geom_rgba.copy()
    world.reset(1)
    changed = np.flatnonzero((world.model.geom_rgba != nominal).any(axis=1))
    assert [world.model.geom(int(number)).name for number in changed] == ["block"]


def test_cameras_are_turned_by_no_more_than_asked():
    world = world_with(camera_rad=0.05)
    restore(world)
    nominal = world.model.cam_quat.copy()
    for seed in range(20):
        world.reset(seed)
        turned = 2 * np.arccos(np.clip(np.abs((world.model.cam_quat * nominal).sum(1)), 0, 1))
        assert 0 < turned.max() <= 0.05 * np.sqrt(3) + 1e-9


def test_noise_and_brightness_are_as_strong_as_said():
    plain, noisy = World(Config()), world_with(image_noise=4.0)
    plain.reset(0)
    noisy.reset(0)
    difference = noisy.render("front", 96, 96).astype(int) - plain.render("front", 96, 96)
    assert difference.std() == pytest.approx(4.0, rel=0.1)
    assert not np.array_equal(noisy.render("front", 96, 96), noisy.render("front", 96, 96))
    bright = world_with(brightness=0.15)
    ratios = []
    for seed in range(20):
        bright.reset(seed)
        plain.reset(seed)
        ratios.append(bright.render("front", 24, 24)[-1].mean() / plain.render("front", 24, 24)[-1].mean())
    assert 0.84 < min(ratios) < 0.92
    assert 1.02 < max(ratios) < 1.16


def drive_pan(world, goal_rad, seconds):
    """Send the first joint to a goal and give its path, a value per step."""
    servo = world.arm.servos[0]
    servo.write(21, bytes([16]))
    servo.write(40, b"\1")
    servo.drive.go(round(2048 + goal_rad * 4096 / (2 * np.pi)))
    path = []
    for _ in range(round(seconds / 0.002)):
        world.clock.sleep_until(world.clock.now() + 0.002)
        path.append(world.arm.joints[0])
    return np.array(path)


def test_a_late_goal_is_obeyed_that_much_later():
    def first_motion(world):
        world.reset(0)
        start = world.arm.joints[0]
        return 0.002 * int(np.argmax(np.abs(drive_pan(world, 0.5, 0.2) - start) > 0.002))

    delay = first_motion(world_with(latency_s=(0.05, 0.05))) - first_motion(World(Config()))
    assert delay == pytest.approx(0.05, abs=0.003)


def test_within_the_play_of_its_gears_a_joint_moves_unnoticed():
    world = world_with(backlash_deg=(2.0, 2.0))
    world.reset(0)
    start, drive = world.arm.joints[0], world.arm.servos[0].drive
    seen = drive.position

    def seen_at(degrees):
        world.data.qpos[0] = start + np.radians(degrees)
        world.arm.step(0.002)
        return (drive.position - seen) * 360 / 4096

    assert seen_at(0.9) == 0
    assert seen_at(-0.9) == 0
    assert seen_at(3.0) == pytest.approx(2.0, abs=0.1)  # pushed along by the end of the play
    assert seen_at(1.5) == pytest.approx(2.0, abs=0.1)  # and it stays there when the joint comes back a little


@pytest.mark.parametrize(
    "wrong", [{"distractors": 5}, {"light": 1.0}, {"camera_m": -0.1}, {"backlash_deg": (1.0, 0.5)}, {"mass": -0.1}]
)
def test_ranges_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Randomization(**wrong)


def test_an_arm_that_went_astray_begins_elsewhere_and_touches_nothing():
    world, usual = world_with(astray=0.5), World(Config())
    away = []
    for seed in range(40):
        world.reset(seed)
        usual.reset(seed)
        away.append(np.abs(world.arm.joints - usual.arm.joints).max())
        np.testing.assert_array_equal(world.pose("block").position, usual.pose("block").position)
        tree = world.model.body_rootid[world.model.body(world.arm.seat.hand).id]
        assert tree not in world.model.body_rootid[world.model.geom_bodyid[world.data.contact.geom]]
    assert 10 < np.count_nonzero(away) < 30
    assert 0.3 < np.median([far for far in away if far]) <= 0.8
    first = world.arm.joints
    world.reset(seed)
    np.testing.assert_array_equal(world.arm.joints, first)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigError, match="astray should be from 0 to 1"):
        Randomization(astray=share)
