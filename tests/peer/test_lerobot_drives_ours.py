"""LeRobot's own drivers take the arms of `etude sim` for real ones. Slow; skipped where there is no LeRobot."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from etude.hardware import buses, robots
from etude.hardware.bodies import body
from etude.hardware.calibration import Norm, Scale, load_calibration
from etude.hardware.device import connected

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pseudo-terminal takes no megabaud"),
    pytest.mark.skipif(
        not os.environ.get("ETUDE_PEER"),
        reason="ETUDE_PEER names no environment with LeRobot; make one with scripts/peer_venv.sh",
    ),
]


@pytest.fixture
def simulated(tmp_path):
    """A follower and a leader served by `etude sim`, with somebody who moves them while they are limp."""
    running = []

    def start(robot):
        command = [sys.executable, "-m", "etude.cli.main", "sim", f"--link={tmp_path / 'arm'}"]
        command += [f"--robot.type={robot}", "--leader", "--hands"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        lines = iter(process.stdout.readline, "Ctrl-C stops.\n")
        told = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
        return told["port"], told["leader"]

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()


def driven(*words):
    python = Path(os.environ["ETUDE_PEER"]) / "bin/python"
    script = Path(__file__).with_name("driven_by_lerobot.py")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [python, script, *words], check=False, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("make", "share_of_range"), [("so101", 0.6), ("koch", 0.5)])
def test_it_calibrates_teleoperates_and_agrees_with_our_driver(simulated, tmp_path, make, share_of_range):
    follower, leader = simulated(f"{make}_follower")
    seen = driven(make, follower, leader, str(tmp_path))

    assert seen["is_calibrated"]
    assert np.ptp(seen["led"]) > 60
    assert np.corrcoef(seen["led"], seen["followed"])[0, 1] > 0.85
    ranges = np.array([np.diff(link.range_rad)[0] for link in body(make).links]) * 4096 / (2 * np.pi)
    for who, least in (("follower", share_of_range), ("leader", 0.9)):
        swept = np.array([motor["range_max"] - motor["range_min"] for motor in seen[who].values()])
        assert (swept[1:4] > least * ranges[1:4]).all(), (who, swept / ranges)

    calibration = load_calibration(tmp_path / "peer.json")
    assert {name: vars(values) for name, values in calibration.items()} == seen["follower"]
    robot = robots.build(robots.config(f"{make}_follower")(port=follower, id="peer", calibration_dir=tmp_path))
    ours = held(robot, calibration, follower)
    np.testing.assert_allclose(ours, [seen["state"][name] for name in robot.action.names], atol=1.0)
    with connected(robot):
        assert robot.observe()["observation.state"].shape == (6,)


def held(robot, calibration, port):
    """What our bus and our arithmetic make of the arm that LeRobot left holding still; connecting would release it."""
    kind, arm = robot.kind, Norm.DEGREES if robot.uses_degrees else Norm.RANGE_M100_100
    scale = Scale(calibration, [Norm.RANGE_0_100 if motor == kind.gripper else arm for motor in kind.motors])
    bus = buses.build(buses.config(kind.bus)(port=port), kind.motors)
    bus.open()
    ticks = np.array(list(bus.sync_read("Present_Position").values()))
    bus.close()
    return scale.to_units(ticks)
