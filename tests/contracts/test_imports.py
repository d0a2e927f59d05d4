"""Imports point down, and a folder is a plugin: both are checked by machines, here and in `make check`."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from etude.data.formats import formats
from etude.envs import envs
from etude.hardware import cameras, lines, robots, teleoperators
from etude.policies import policies

ROOT = Path(__file__).parents[2]
REGISTRIES = (policies, robots, teleoperators, cameras, lines, envs, formats)
PLUGINS = [(registry, name) for registry in REGISTRIES for name in registry.names()]


def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("registry", "name"), PLUGINS, ids=lambda value: getattr(value, "kind", value))
def test_every_plugin_has_values_a_tiny_size_and_a_readme(registry, name):

    config = registry.config(name)
    assert config.__dataclass_params__.frozen
    assert isinstance(config.tiny(), config)
    package = importlib.util.find_spec(registry.packages()[name])
    folder = Path(package.origin).parent
    assert (folder / "README.md").read_text().startswith("# ")
    assert (config.__doc__ or "").strip(), "a config says what its plugin is"
