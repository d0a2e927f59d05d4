"""Complete runs by name: demonstrations, training and rollouts, as the ordinary commands that a user would type."""

from etude.recipes.recipe import SIZES, Recipe, World
from etude.recipes.so101 import names, recipe

__all__ = ["SIZES", "Recipe", "World", "names", "recipe"]
