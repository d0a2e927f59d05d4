"""What every task on the simulated table promises; a new folder under sim/tasks/ gets these tests by being found."""

import dataclasses

import numpy as np
import pytest

from etude.core.codec import decode, encode
from etude.envs import envs
from etude.envs.robot_env import RobotEnv
from etude.hardware import robots, teleoperators
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.loop import rollout
from etude.sim.randomization import Randomization
from etude.sim.task import Task
from etude.sim.tasks import tasks
from etude.sim.world import World, begin_world

SEEDS = 8


@pytest.fixture
def world(name):
    return World(tasks.config(name)())


@pytest.mark.parametrize("name", tasks.names())
class TestEveryTask:
    def test_it_is_a_task_with_one_sentence(self, name):
        task = tasks.build(tasks.config(name)())
        assert isinstance(task, Task)
        assert task.text == tasks.config(name).text
        assert task.text.endswith(".")
        assert task.text.count(".") == 1

    def test_its_config_survives_storing(self, name):
        config = tasks.config(name).hard()
        assert decode(type(config), encode(config)) == config

    def test_it_is_not_done_at_the_beginning(self, world):
        for seed in range(SEEDS):
            world.reset(seed)
            assert not world.success()

    def test_everything_lies_still_where_it_was_put(self, world):
        for seed in range(SEEDS):
            world.reset(seed)
            before = {thing: world.pose(thing).position for thing in world.task.objects}
            world.clock.sleep_until(world.clock.now() + 0.1)  # before the limp arm has fallen on it
            for thing, position in before.items():
                assert np.linalg.norm(world.pose(thing).position - position) < 0.002, f"{thing} moved, seed {seed}"

    def test_things_lie_in_their_area_and_not_in_each_other(self, world):
        for seed in range(SEEDS):
            world.reset(seed)
            places = [world.pose(thing).position[:2] for thing in world.task.objects]
            for place in places:
                assert np.abs(place - np.array(world.task.area.center)).max() <= world.task.area.half_m
            gaps = [np.linalg.norm(one - other) for one in places for other in places if one is not other]
            assert min(gaps, default=1.0) > 0.05

    def test_a_seed_decides_the_scene_with_distractors_too(self, name):
        world = World(tasks.config(name)(randomization=Randomization(distractors=2)))
        world.reset(3)
        first = world.data.qpos.copy()
        world.reset(4)
        assert not np.array_equal(world.data.qpos, first)
        world.reset(3)
        np.testing.assert_array_equal(world.data.qpos, first)

    def test_distractors_do_not_change_where_things_lie(self, name, world):
        strewn = World(tasks.config(name)(randomization=Randomization(distractors=2)))
        world.reset(5)
        strewn.reset(5)
        for thing in world.task.objects:
            np.testing.assert_array_equal(world.pose(thing).position, strewn.pose(thing).position)

    def test_the_demonstrator_can_do_it_through_the_driver(self, name):
        limit_s = envs.config(f"so101_{name}")().max_seconds
        begin_world(tasks.config(name)())
        robot = robots.build(robots.config("so101_follower")(port="sim", cameras={}))
        demonstrator = teleoperators.build(teleoperators.config("scripted")())
        robot.connect()
        demonstrator.connect()
        outcome = rollout(RobotEnv(robot), TeleoperatorAgent(demonstrator), seed=1, max_ticks=round(30 * limit_s))
        demonstrator.disconnect()
        robot.disconnect()
        assert outcome.success

    def test_every_environment_of_it_has_a_hard_preset(self, name):
        plain, hard = envs.config(f"so101_{name}")(), envs.config(f"so101_{name}").hard()
        assert not plain.task.randomization.is_on
        assert hard.task.randomization == Randomization.hard()
        assert hard.max_seconds == 1.5 * plain.max_seconds
        assert dataclasses.replace(hard, task=plain.task, max_seconds=plain.max_seconds) == plain
