"""The recipes for the simulated SO-101. Every number that a measurement chose stands here, and only here."""

from __future__ import annotations

from collections.abc import Callable

from etude.core.errors import NotFound
from etude.recipes.recipe import Recipe, World


def pick_place(world: World = "plain") -> Recipe:
    """Put a block into a bin."""
    if world == "hard":
        return Recipe(task="pick_place", world=world, episodes=150, noise=1.0, train=("--drop_pauses=true",))
    return Recipe(task="pick_place")


def push(world: World = "plain") -> Recipe:
    """Push a puck into a circle."""
    return Recipe(task="push", world=world)


def stack(world: World = "plain") -> Recipe:
    """Put one block on another."""
    return Recipe(task="stack", world=world)


def sort(world: World = "plain") -> Recipe:
    """Put two blocks into two bins, by colour."""
    return Recipe(task="sort", world=world)


def insert(world: World = "plain") -> Recipe:
    """Put a peg into a hole."""
    return Recipe(task="insert", world=world)


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
