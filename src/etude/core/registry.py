"""A folder is a plugin: names come from sub-folders and entry points, and nothing is imported until it is asked for."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from etude.core.errors import NotFound


class Registry:
    """The plugins of one kind, such as every policy.

    A plugin is a package with `config.py`, which holds a frozen dataclass `Config`, and a module called `module`,
    which holds `build(config, ...)`. It lies in one of `homes` or is announced by an entry point in the group of the
    first home (`etude.policies`), whose value is the package's import name.
    """

    def __init__(self, kind: str, *homes: str, module: str) -> None:
        self.kind, self.homes, self.module = kind, homes, module

    def packages(self) -> dict[str, str]:
        """Map each plugin's name to its package, importing none of them."""
        found = dict(_announced(self.homes[0]))
        for home in reversed(self.homes):
            found |= {folder.name: f"{home}.{folder.name}" for folder in _folders(home)}
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """List the plugins by name."""
        return list(self.packages())

    def config(self, name: str) -> type[Any]:
        """Import and return the config class of plugin `name`; raise `NotFound` with the nearest names."""
        packages = self.packages()
        if name not in packages:
            raise NotFound(self.kind, name, packages)
        return importlib.import_module(f"{packages[name]}.config").Config

    def name_of(self, config: object) -> str:
        """Tell which plugin a config belongs to; it is stored and typed as `type`."""
        package = type(config).__module__.rpartition(".")[0]
        for name, candidate in self.packages().items():
            if candidate == package:
                return name
        raise NotFound(self.kind, package, self.packages())

    def build(self, config: object, *args: Any, **kwargs: Any) -> Any:
        """Import the plugin that `config` belongs to and let it build itself."""
        package = type(config).__module__.rpartition(".")[0]
        return importlib.import_module(f"{package}.{self.module}").build(config, *args, **kwargs)


@functools.cache
def _announced(group: str) -> dict[str, str]:
    """Map names to packages for the entry points of `group`."""
    if not any(f"[{group}]" in text for text in _entry_point_files()):
        return {}
    from importlib import metadata  # noqa: PLC0415  a sixth of the time that `etude record --help` takes

    return {point.name: point.value for point in metadata.entry_points(group=group)}


@functools.cache
def _entry_point_files() -> list[str]:
    """Read what the installed packages announce."""
    files = (file for folder in sys.path for file in Path(folder).glob("*-info/entry_points.txt"))
    return [file.read_text(encoding="utf-8") for file in files]


def _folders(home: str) -> list[Path]:
    spec = importlib.util.find_spec(home)
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    return [path.parent for root in roots for path in root.glob("*/config.py")]
