"""Policies: networks with specs, a loss and an action. Importing this imports no torch."""

from etude.core.registry import Registry

policies = Registry("policy", "etude.policies", module="model")
