"""Things that connect: motors on a bus, cameras, robots, and the hands that drive them."""

from etude.core.registry import Registry

robots = Registry("robot", "etude.hardware.robots", module="robot")
teleoperators = Registry(
    "teleoperator", "etude.hardware.teleoperators", "etude.sim.teleoperators", module="teleoperator"
)
cameras = Registry("camera", "etude.hardware.cameras", "etude.sim.cameras", module="camera")
lines = Registry("line", "etude.hardware.lines", "etude.sim.lines", module="line")
