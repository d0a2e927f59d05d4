"""Environments: a simulator, or a robot with a task around it."""

from etude.core.registry import Registry

envs = Registry("environment", "etude.envs", module="env")
