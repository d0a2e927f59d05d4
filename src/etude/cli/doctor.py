"""`etude doctor`: is this machine ready, and does a checkpoint still do what it did when it was saved?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude import __version__
from etude.cli.doctor_devices import device_findings
from etude.cli.finding import Finding
from etude.core.errors import EtudeError

OPTIONAL = {
    "torch": "training and running policies: pip install 'etude[train]'",
    "mujoco": "the simulated arm: pip install 'etude[sim]'",
    "serial": "real servos: pip install 'etude[feetech]'",
}


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Check this machine and what is plugged in; given a checkpoint, also that it acts as when it was saved."""

    checkpoint: Positional[Path | None] = None
    """A checkpoint to check."""
    ports: str = ""
    """Look at the arms on these ports, with commas between; otherwise on all USB ports."""


COMMAND = Doctor


def run(command: Doctor) -> int:
    """Print each finding; exit code 1 when one is trouble."""
    findings = []
    for finding in _findings(command):
        findings.append(finding)
        print(finding)
    return 0 if all(finding.is_well for finding in findings) else 1


def _findings(command: Doctor) -> Iterator[Finding]:
    yield Finding(True, f"etude {__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield Finding(True, f"{os.cpu_count()} CPU cores")
    for module, purpose in OPTIONAL.items():
        yield _package(module, purpose)
    if importlib.util.find_spec("mujoco"):
        yield _rendering()
    yield from device_findings([port for port in command.ports.split(",") if port] or None)
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Finding(free > 1, f"{free:.0f} GB of disk free here")
    if command.checkpoint is not None:
        yield _golden(command.checkpoint)


def _package(module: str, purpose: str) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(False, f"{module} is not installed. It is for {purpose}")
    version = importlib.metadata.version("pyserial" if module == "serial" else module)
    return Finding(True, f"{module} {version}")


def _rendering() -> Finding:
    from etude.sim.world import World

    try:
        world = World()
        picture = world.render("front", 24, 32)
        world.close()
    except EtudeError as error:
        return Finding(False, f"the simulated cameras cannot render: {error}")
    return Finding(picture.std() > 0, f"simulated cameras render ({os.environ.get('MUJOCO_GL', 'default')})")


def _golden(checkpoint: Path) -> Finding:
    from etude.policies.check import GOLDEN_TOLERANCE
    from etude.policies.checkpoint import verify

    difference = verify(checkpoint)
    is_well = difference <= GOLDEN_TOLERANCE
    return Finding(is_well, f"{checkpoint} gives its golden chunk again, to {difference:.1e}")
