"""When each task counts as done, and when it does not, by its stated tolerances."""

import math

import numpy as np
import pytest

from etude.hardware.physics import mujoco
from etude.sim.tasks import tasks
from etude.sim.tasks.insert import task as insert
from etude.sim.tasks.push import task as push
from etude.sim.tasks.sort import task as sort
from etude.sim.world import World

BLOCK_M = 0.025


def world_of(name, gripper_degrees=40.0):
    world = World(tasks.config(name)())
    world.reset(0)
    world.data.qpos[5] = math.radians(gripper_degrees)
    return world


class TestStack:
    @pytest.mark.parametrize(
        ("beside", "above", "done"),
        [(0.0, 0.0, True), (0.010, 0.0, True), (0.012, 0.0, False), (0.0, 0.004, False), (0.05, -BLOCK_M, False)],
    )
    def test_the_upper_block_may_be_11_mm_beside_and_3_mm_off_in_height(self, beside, above, done):
        world = world_of("stack")
        world.place("blue", 0.25, 0.0, 0.3)
        world.place("red", 0.25 + beside, 0.0, 0.0, z=1.5 * BLOCK_M + above)
        assert world.success() is done

    def test_blue_on_red_is_not_it(self):
        world = world_of("stack")
        world.place("red", 0.25, 0.0, 0.0)
        world.place("blue", 0.25, 0.0, 0.0, z=1.5 * BLOCK_M)
        assert not world.success()

    def test_a_closed_gripper_or_a_moving_block_is_not_it(self):
        world = world_of("stack", gripper_degrees=8)
        world.place("blue", 0.25, 0.0, 0.0)
        world.place("red", 0.25, 0.0, 0.0, z=1.5 * BLOCK_M)
        assert not world.success()
        world.data.qpos[5] = 0.7
        assert world.success()
        world.data.joint("red").qvel[:3] = [0, 0, -0.05]
        assert not world.success()


class TestPush:
    @pytest.mark.parametrize(("off", "done"), [(0.0, True), (0.024, True), (0.026, False)])
    def test_the_puck_must_lie_wholly_inside(self, off, done):
        world = world_of("push")
        world.place("puck", push.TARGET[0] + off, push.TARGET[1], 0.0, z=push.PUCK_HEIGHT_M / 2)
        assert world.success() is done

    def test_a_puck_on_its_edge_or_on_its_way_is_not_it(self):
        world = world_of("push")
        world.place("puck", *push.TARGET, 0.0, z=push.PUCK_HEIGHT_M / 2)
        world.data.joint("puck").qvel[0] = 0.05
        assert not world.success()
        world.place("puck", *push.TARGET, 0.0, z=push.PUCK_RADIUS_M)
        world.data.joint("puck").qpos[3:] = [math.sqrt(0.5), math.sqrt(0.5), 0, 0]
        mujoco.mj_forward(world.model, world.data)
        assert not world.success()


class TestSort:
    def put(self, world, red, blue):
        world.place("red", *sort.BINS[red].center, 0.0, z=0.015)
        world.place("blue", *sort.BINS[blue].center, 0.0, z=0.015)

    def test_each_in_its_own_bin(self):
        world = world_of("sort")
        self.put(world, "red", "blue")
        assert world.success()

    def test_swapped_is_not_it(self):
        world = world_of("sort")
        self.put(world, "blue", "red")
        assert not world.success()

    def test_one_alone_is_not_it(self):
        world = world_of("sort")
        self.put(world, "red", "blue")
        world.place("blue", 0.25, -0.05, 0.0)
        assert not world.success()


class TestInsert:
    @pytest.mark.parametrize(
        ("off", "height", "done"), [(0.0, 0.0, True), (0.002, 0.003, True), (0.0, 0.01, False), (0.05, 0.0, False)]
    )
    def test_the_peg_must_be_down_in_the_hole(self, off, height, done):
        world = world_of("insert")
        world.place("peg", insert.HOLE[0] + off, insert.HOLE[1], 0.0, z=insert.PEG_HEIGHT_M / 2 + height)
        assert world.success() is done

    def test_on_top_of_the_block_is_not_it(self):
        world = world_of("insert")
        world.place("peg", insert.HOLE[0] + 0.025, insert.HOLE[1], 0.0, z=insert.PEG_HEIGHT_M / 2 + 0.025)
        assert not world.success()

    def test_the_peg_fits_and_stays_in(self):
        world = world_of("insert")
        world.place("peg", *insert.HOLE, 0.0, z=insert.PEG_HEIGHT_M / 2 + 0.02)
        world.clock.sleep_until(world.clock.now() + 0.4)
        assert world.pose("peg").position[2] == pytest.approx(insert.PEG_HEIGHT_M / 2, abs=0.001)
        assert np.linalg.norm(world.pose("peg").position[:2] - insert.HOLE) < 0.003
