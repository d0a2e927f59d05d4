"""What there is to do on the simulated table, a folder each."""

from etude.core.registry import Registry

tasks = Registry("task", "etude.sim.tasks", module="task")
