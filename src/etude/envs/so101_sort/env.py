"""The sorting environment."""

from etude.envs.table import build

__all__ = ["build"]
