import gc
import math
import threading

import numpy as np
import pytest

from etude.core.clock import Clock
from etude.core.errors import DeviceError, NotFound
from etude.hardware.bodies.so101 import SO101
from etude.hardware.device import Scene
from etude.sim.makes import make_of
from etude.sim.objects import BLOCK_HALF_M
from etude.sim.scene import TIMESTEP_S
from etude.sim.servos.feetech.drive import TICKS_PER_RAD
from etude.sim.sim_arm import START_JITTER_RAD
from etude.sim.tasks.pick_place.config import Config
from etude.sim.tasks.pick_place.task import BIN, BLOCKS
from etude.sim.world import World, shared_world

START_RAD = np.array(make_of("so101").start_rad)


@pytest.fixture
def world():
    return World()


def test_it_tells_where_things_are_only_when_asked(world):
    assert world.observation == world.observe() == {}
    told = World(Config(poses=True))
    told.reset(3)
    told.place("block", 0.2, -0.1, math.pi / 2, z=0.05)
    (numbers,) = told.observe().values()
    np.testing.assert_allclose(numbers, [0.2, -0.1, 0.05, 0, 1, 0, -1, 0, 0], atol=1e-6)
    assert told.observation["observation.environment_state"].names[:3] == ("block.x", "block.y", "block.z")


def switch_on(world, gain=16):
    for servo in world.arm.servos:
        servo.write(21, bytes([gain]))
        servo.write(40, b"\1")


def wait(world, seconds):
    world.clock.sleep_until(world.clock.now() + seconds)


def put_in_bin(world, gripper_degrees=40.0):
    world.place("block", *BIN.center, 0.3, z=0.03)
    world.data.qpos[len(SO101.joints) - 1] = math.radians(gripper_degrees)
    for servo, position in zip(world.arm.servos, world.arm.joints, strict=True):
        servo.torque(position, 0.0, 0.0)
        servo.drive.hold()
    switch_on(world)
    wait(world, 0.5)


def test_it_is_a_scene_with_a_clock(world):
    assert isinstance(world, Scene)
    assert isinstance(world.clock, Clock)


def test_a_seed_decides_where_everything_is(world):
    world.reset(5)
    joints, block = world.arm.joints, world.pose("block")
    wait(world, 0.2)
    world.reset(6)
    assert not np.array_equal(world.pose("block").position, block.position)
    world.reset(5)
    np.testing.assert_array_equal(world.arm.joints, joints)
    np.testing.assert_array_equal(world.pose("block").position, block.position)
    np.testing.assert_array_equal(world.pose("block").axes, block.axes)


def test_scenes_fill_their_area_and_start_near_the_start_pose(world):
    places, starts = [], []
    for seed in range(60):
        world.reset(seed)
        places.append(world.pose("block").position)
        starts.append(world.arm.joints)
    offsets = np.array(places)[:, :2] - BLOCKS.center
    assert np.abs(offsets).max() <= BLOCKS.half_m
    assert (offsets.max(0) > 0.06).all()
    assert (offsets.min(0) < -0.06).all()
    np.testing.assert_allclose(np.array(places)[:, 2], BLOCK_HALF_M)
    assert np.abs(np.array(starts) - START_RAD).max() <= START_JITTER_RAD


def test_the_same_waits_lead_to_the_same_world_bit_by_bit(world):
    def run():
        world.reset(1)
        switch_on(world)
        world.arm.servos[1].drive.go(1500)
        for _ in range(30):
            wait(world, 1 / 30)
        return world.data.qpos.copy()

    np.testing.assert_array_equal(run(), run())


def test_time_passes_in_whole_steps_and_none_is_lost(world):
    for _ in range(30):
        wait(world, 1 / 30)
    assert world.data.time == pytest.approx(1.0, abs=TIMESTEP_S)
    wait(world, TIMESTEP_S / 2)
    before = world.data.time
    wait(world, TIMESTEP_S / 2)
    assert world.data.time == pytest.approx(before + TIMESTEP_S)


def test_an_arm_without_torque_falls_and_one_with_torque_sags_a_little(world):
    world.reset(0)
    wait(world, 0.5)
    fallen = np.abs(world.arm.joints - START_RAD).max()
    world.reset(0)
    switch_on(world)
    start = world.arm.joints
    wait(world, 0.5)
    sag = np.abs(world.arm.joints - start).max()
    assert fallen > 0.3
    assert 0.005 < sag < 0.08


def test_servos_go_where_they_are_sent(world):
    world.reset(0)
    switch_on(world, gain=32)
    goal = math.radians(40)
    world.arm.servos[0].drive.go(round(2048 + goal * TICKS_PER_RAD))
    wait(world, 1.0)
    assert world.arm.joints[0] == pytest.approx(goal, abs=0.02)


def test_a_push_moves_the_arm_until_it_ends(world):
    world.reset(0)
    switch_on(world)
    pan = world.arm.joints[0]
    world.arm.push(np.array([0.5, 0, 0, 0, 0, 0]))
    wait(world, 0.5)
    # The servo is a spring of 8.9 Nm/rad, and friction takes a tenth of the push.
    assert world.arm.joints[0] - pan == pytest.approx(0.5 / 8.9, rel=0.2)
    world.arm.push(np.zeros(6))
    wait(world, 0.5)
    assert world.arm.joints[0] == pytest.approx(pan, abs=0.01)


def test_a_block_at_rest_in_the_bin_is_success(world):
    world.reset(0)
    assert not world.success()
    put_in_bin(world)
    assert world.success()


def test_a_closed_gripper_a_moving_block_or_one_beside_the_bin_is_not(world):
    put_in_bin(world, gripper_degrees=5)
    assert not world.success()
    put_in_bin(world)
    world.data.joint("block").qvel[:3] = [0.1, 0, 0]
    assert not world.success()
    put_in_bin(world)
    world.place("block", BIN.center[0] + 0.08, BIN.center[1], 0.0)
    assert not world.success()
    world.place("block", *BIN.center, 0.0, z=0.10)
    assert not world.success()


@pytest.mark.parametrize(("dx", "inside"), [(0.0, True), (0.045, True), (0.055, False)])
def test_over_the_bin_means_within_its_walls(dx, inside):
    assert BIN.is_over(np.array([BIN.center[0] + dx, BIN.center[1], 0.1])) is inside


def red_columns(world):
    red, green, _ = np.moveaxis(world.render("front", 96, 96).astype(int), -1, 0)
    return np.nonzero((red > 120) & (green < 80))[1]


def test_pictures_show_the_block_where_it_is(world):
    world.place("block", 0.30, -0.10, 0.0)
    right = red_columns(world).mean()
    world.place("block", 0.30, 0.04, 0.0)
    # The front camera faces the arm, so the robot's left is the picture's right.
    assert red_columns(world).mean() > right + 15


@pytest.mark.parametrize("corner", [(-1, -1), (-1, 1), (1, -1), (1, 1)])
def test_the_front_camera_sees_the_whole_area(world, corner):
    world.place("block", *(np.array(BLOCKS.center) + BLOCKS.half_m * np.array(corner)), 0.0)
    columns = red_columns(world)
    assert len(columns) > 15
    assert columns.min() > 0, "it is cut off at the edge"


def test_both_views_draw_in_the_size_asked_for_and_alike_each_time(world):
    for view in ("front", "wrist"):
        picture = world.render(view, 24, 32)
        assert (picture.shape, picture.dtype) == ((24, 32, 3), np.uint8)
        assert picture.std() > 5
        np.testing.assert_array_equal(world.render(view, 24, 32), picture)


def test_an_unknown_view_names_those_there_are(world):
    with pytest.raises(NotFound, match=r"'fornt'.*Did you mean 'front'"):
        world.render("fornt", 24, 32)


def test_drawing_from_a_second_thread_is_refused_with_a_reason(world):
    world.render("front", 24, 32)
    problems = []

    def draw():
        try:
            world.render("front", 24, 32)
        except DeviceError as problem:
            problems.append(str(problem))

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    assert "two threads" in problems[0]


def test_one_world_is_shared_as_long_as_somebody_holds_it():
    one = shared_world()
    assert shared_world() is one
    one.clock.sleep_until(1.0)
    del one
    gc.collect()
    assert shared_world().clock.now() == 0.0
