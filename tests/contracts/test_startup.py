"""A command's help is instant because it imports nothing heavy; a robot's computer needs no torch at all."""

import subprocess
import sys

import pytest

from etude.cli.main import COMMANDS

HEAVY = ("torch", "mujoco", "cv2", "av", "pyarrow", "serial")
HELP = [[]] + [name.split() for name in COMMANDS]
PROBE = """
import sys
from etude.cli.main import main
try:
    code = main({words!r} + ["--help"])
except SystemExit as stop:
    code = stop.code or 0
loaded = [name for name in {heavy!r} if name in sys.modules]
sys.exit(f"loaded {{loaded}}" if loaded else code)
"""


@pytest.mark.parametrize("words", HELP, ids=lambda words: " ".join(words) or "etude")
def test_help_imports_nothing_heavy(words):
    code = PROBE.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: etude" in done.stdout


def test_the_rooms_of_a_robots_computer_import_no_torch():
    rooms = "etude.rollout.loop, etude.rollout.evaluate, etude.envs.robot_env, etude.hardware, etude.data, etude.sim"
    code = f"import sys, {rooms}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
