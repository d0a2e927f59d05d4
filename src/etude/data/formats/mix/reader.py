"""Opens a mix: the datasets that `mix.json` names, as one."""

from __future__ import annotations

from pathlib import Path

from etude.core.errors import ConfigError
from etude.data.formats.mix.config import FILE, Config
from etude.data.formats.mix.recipe import Ingredient, read_recipe
from etude.data.mix import Mix
from etude.data.mix_parts import Part
from etude.data.opening import open_dataset


def build(config: Config, root: Path) -> Mix:
    """Open every dataset of the mix; raise `ConfigError` when they do not go together."""
    del config
    path = root if root.name == FILE else root / FILE
    recipe = read_recipe(path)
    parts = [_opened(path, each) for each in recipe.datasets]
    return Mix(root, parts, fill=recipe.fill, leave_out=recipe.leave_out, fps=recipe.fps)


def _opened(path: Path, ingredient: Ingredient) -> Part:
    near = (path.parent / ingredient.root).resolve()
    if near in (path.resolve(), path.parent.resolve()):
        raise ConfigError(f"{path} mixes itself: {ingredient.root}.")
    dataset = open_dataset(near if "://" not in ingredient.root and near.exists() else ingredient.root)
    unknown = next((key for key in ingredient.rename if key not in {*dataset.specs, *dataset.text_keys}), None)
    if unknown is not None:
        has = ", ".join(dataset.specs)
        raise ConfigError(f"{path} renames '{unknown}', which {dataset.root} does not have: {has}.")
    episodes = dataset.episodes
    chosen = episodes if ingredient.episodes is None else episodes.chosen(ingredient.episodes)
    weight = ingredient.weight if ingredient.weight is not None else float(max(chosen.num_frames, 1))
    return Part(dataset=dataset, episodes=chosen, weight=weight, rename=ingredient.rename)
