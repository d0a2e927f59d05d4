"""The recipes for the simulated SO-101. What measurements chose stands here, and only here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from etude.core.errors import NotFound
from etude.recipes.recipe import Recipe, World

_POLICY = ("--policy.type=bc", "--policy.optimizer_lr=0.002")
_TOLD_POSES = (*_POLICY, "--policy.preset=states")
_RECORD: tuple[str, ...] = ("--num_processes=2",)
"""Options of every recording."""
# With the same samples, 32 at once learned more than 64. Of so few, a second process is lost to averaging gradients at
# every update, and a second thread to waiting; processes that meet at every eighth update make twice as many.
_TRAIN: tuple[str, ...] = (
    "--batch_size=32", "--num_threads=1", "--num_processes=2", "--local_steps=8", "--optimizer.type=muon",
)  # fmt: skip
"""Options of every training."""
_GRASPS = ("--emphasis.grasp=3",)
"""Further ones where something is grasped, which is where policies fail."""
_HARD_TRAIN = ("--drop_pauses=true",)
"""Further ones where people hesitate: a policy copies that."""
_WAYS_BACK = ("--task.randomization.astray=0.3",)
"""Further ones of recordings: without them nobody knows what to do high over the bin with nothing in the fingers."""
_COACHING = ("--rounds=2", "--episodes=60", "--minutes_per_round=1", "--correction_share=0.3")


def pick_place(world: World = "plain") -> Recipe:
    """Put a block into a bin."""
    recipe = _recipe("pick_place", world)
    if world == "hard":
        return replace(recipe, episodes=180, noise=0.5, record=(*_RECORD, *_WAYS_BACK), minutes=4.0)
    return replace(recipe, episodes=150, noise=1.0, minutes=3.2)


def push(world: World = "plain") -> Recipe:
    """Push a puck into a circle."""
    return _recipe("push", world, grasps=False)


def stack(world: World = "plain") -> Recipe:
    """Put one block on another."""
    return _recipe("stack", world)


def sort(world: World = "plain") -> Recipe:
    """Put two blocks into two bins, by colour."""
    return _recipe("sort", world)


def insert(world: World = "plain") -> Recipe:
    """Put a peg into a hole."""
    return _recipe("insert", world)


_RECIPES: dict[str, Callable[[World], Recipe]] = {
    function.__name__: function for function in (pick_place, push, stack, sort, insert)
}


def names() -> list[str]:
    """List the recipes by name."""
    return list(_RECIPES)


def recipe(name: str, world: World = "plain") -> Recipe:
    """Give a recipe by its name; raise `NotFound` with the nearest names."""
    if name not in _RECIPES:
        raise NotFound("recipe", name, _RECIPES)
    return _RECIPES[name](world)


def _recipe(task: str, world: World, *, grasps: bool = True) -> Recipe:
    """Give what all recipes have in common."""
    train = (*_TRAIN, *(_GRASPS if grasps else ()), *(_HARD_TRAIN if world == "hard" else ()))
    return Recipe(
        task=task,
        world=world,
        policy=_POLICY,
        policy_told_poses=_TOLD_POSES,
        record=_RECORD,
        train=train,
        minutes=8.0,
        coaching=_COACHING,
    )
