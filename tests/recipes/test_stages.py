"""Recipes as data: every stage is a command that exists and understands its options."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from etude.cli.parse import parse
from etude.core.errors import NotFound
from etude.envs import envs
from etude.recipes import names, recipe
from etude.recipes.stages import stages
from etude.sim.tasks import tasks

EVERY = [(name, world) for name in names() for world in ("plain", "hard")]


def parsed(recipe, seed=0):
    """Read each stage as the command line does."""
    found = {}
    for stage in stages(recipe, Path("out"), seed):
        name = " ".join(stage.words[:2]) if stage.words[0] == "dataset" else stage.words[0]
        module = importlib.import_module(f"etude.cli.{name.replace(' ', '_')}")
        words = list(stage.words[len(name.split()) :])
        found[stage.name] = parse(module.COMMAND, getattr(module, "expand", list)(words), prog=name)
    return found


def test_there_is_a_recipe_for_every_simulated_task():
    assert sorted(names()) == tasks.names()


def test_an_unknown_recipe_is_told_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'stack'"):
        recipe("stak")


@pytest.mark.parametrize(("name", "world"), EVERY)
def test_every_stage_is_a_command_with_options_that_exist(name, world):
    commands = parsed(recipe(name, world))
    assert list(commands) == ["record", "check", "train", "eval"]
    assert tasks.name_of(commands["record"].task) == name
    assert envs.name_of(commands["eval"].env) == f"so101_{name}"


@pytest.mark.parametrize("name", names())
def test_it_is_recorded_in_the_world_that_it_is_scored_in(name):
    for world in ("plain", "hard"):
        commands = parsed(recipe(name, world))
        randomization = commands["record"].task.randomization
        # Where the arm begins is not the world: demonstrations may show ways back from anywhere.
        assert commands["eval"].env.task.randomization == replace(randomization, astray=0.0)
        assert randomization.is_on == (world == "hard")
        assert bool(commands["record"].teleop.pause_s) == (world == "hard")


def test_what_one_stage_leaves_is_what_the_next_one_takes():
    commands = parsed(recipe("push"))
    assert commands["check"].root == commands["record"].dataset.root == commands["train"].dataset.roots[0]
    assert commands["eval"].policy.path == commands["train"].output_dir / "checkpoints" / "last"


def test_seeds_share_no_scenes():
    first, second = (parsed(recipe("pick_place"), seed) for seed in (1, 2))
    apart = second["record"].seed - first["record"].seed
    assert apart > 10 * first["record"].dataset.num_episodes
    assert first["eval"].seed != second["eval"].seed


def test_a_policy_told_where_things_are_sees_nothing():
    commands = parsed(recipe("pick_place", "hard").told_poses())
    assert commands["record"].robot.cameras == {}
    assert commands["eval"].env.cameras == ()
    assert commands["record"].task.poses
    assert commands["eval"].env.task.poses


def test_a_coached_skill_is_scored_by_what_coaching_left():
    commands = parsed(replace(recipe("pick_place", "hard"), is_coached=True))
    assert list(commands) == ["record", "check", "train", "coach", "eval"]
    coach = commands["coach"]
    assert coach.policy.path == commands["train"].output_dir / "checkpoints" / "last"
    assert commands["eval"].policy.path == coach.output_dir / "checkpoints" / "last"
    assert (coach.env, coach.teleop) == (commands["eval"].env, type(coach.teleop).hard())


def test_an_untrained_policy_is_scored_in_the_same_scenes():
    commands = parsed(replace(recipe("stack"), untrained=20))
    assert commands["untrained"].steps == 0
    assert commands["eval_untrained"].eval.n_episodes == 20
    assert commands["eval_untrained"].seed == commands["eval"].seed
