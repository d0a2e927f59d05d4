"""Things that connect: motors on a bus, cameras, robots, and the hands that drive them."""

# Python binds a sub-package to its name here when it is first loaded. They are loaded now, so that the registries below
# keep those names for good.
import etude.hardware.buses
import etude.hardware.cameras
import etude.hardware.lines
import etude.hardware.robots
import etude.hardware.teleoperators  # noqa: F401 - for the reason above
from etude.core.registry import Registry

robots = Registry("robot", "etude.hardware.robots", module="robot")
teleoperators = Registry(
    "teleoperator",
    "etude.hardware.teleoperators",
    "etude.sim.teleoperators",
    "etude.rollout.teleoperators",
    module="teleoperator",
)
cameras = Registry("camera", "etude.hardware.cameras", "etude.sim.cameras", module="camera")
lines = Registry("line", "etude.hardware.lines", "etude.sim.lines", module="line")
buses = Registry("bus", "etude.hardware.buses", module="bus")
