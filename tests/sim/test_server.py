import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from etude.core.errors import UserError
from etude.hardware import lines, robots
from etude.hardware.arm_calibration import read
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.packet import Packet, encode
from etude.hardware.calibration import save_calibration
from etude.hardware.device import connected
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.sim.server import serve_arm

SERVE = """
import sys
from pathlib import Path
from etude.sim.server import serve_arm
if __name__ == "__main__":
    ready = lambda port, urls: print(port, *urls.values(), flush=True)
    serve_arm(Path(sys.argv[1]), width=64, height=48, on_ready=ready)
"""
READ_JOINTS = encode(Packet(0xFE, 0x82, bytes([56, 2, 1, 2, 3, 4, 5, 6])))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arm")
    script, link = folder / "serve.py", folder / "port"
    script.write_text(SERVE)
    process = subprocess.Popen([sys.executable, script, link], stdout=subprocess.PIPE, text=True)
    port, front, wrist = process.stdout.readline().split()
    yield Path(port), front, wrist
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    process.stdout.close()
    assert not link.is_symlink(), "the port is still there after the end"


def test_the_port_answers_like_six_servos_within_milliseconds(served):
    line = lines.build(lines.config("serial")(port=str(served[0]))).open()
    delays = []
    for _ in range(40):
        line.discard()
        began = time.perf_counter()
        line.write(READ_JOINTS)
        reply = line.read(48, 0.5)
        delays.append(time.perf_counter() - began)
        assert len(reply) == 48
        time.sleep(0.005)
    line.close()
    assert np.median(delays) < 0.02


def test_time_passes_by_itself_and_servos_move(served):
    def position(line):
        line.discard()
        line.write(encode(Packet(1, 0x02, bytes([56, 2]))))
        return int.from_bytes(line.read(8, 0.5)[5:7], "little")

    line = lines.build(lines.config("serial")(port=str(served[0]))).open()
    goal = 2048 + 300
    line.write(encode(Packet(1, 0x03, bytes([42, *goal.to_bytes(2, "little")]))))
    deadline = time.perf_counter() + 5
    while abs(position(line) - goal) > 20 and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert abs(position(line) - goal) <= 20
    line.close()


def pictures(url, count):
    with urllib.request.urlopen(url, timeout=5) as stream:
        assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        for _ in range(count):
            assert stream.readline() == b"--picture\r\n"
            headers = dict(line.split(b": ") for line in iter(lambda: stream.readline().strip(), b""))
            yield simplejpeg.decode_jpeg(stream.read(int(headers[b"Content-Length"])))
            assert stream.readline() == b"\r\n"


@pytest.mark.parametrize("camera", [1, 2])
def test_each_camera_streams_pictures(served, camera):
    for picture in pictures(served[camera], 3):
        assert picture.shape == (48, 64, 3)
        assert picture.std() > 5


@pytest.mark.parametrize(("host", "path", "status"), [("evil.example", "/front.mjpg", 403), ("127.0.0.1", "/etc", 404)])
def test_other_hosts_and_paths_are_refused(served, host, path, status):
    address = served[1].removesuffix("/front.mjpg") + path
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host}), timeout=5)
    assert refused.value.code == status
    refused.value.close()


def test_a_file_is_not_replaced_by_the_port(tmp_path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("five years")
    with pytest.raises(UserError, match="is not a link"):
        serve_arm(precious, width=16, height=12)
    assert precious.read_text() == "five years"


def test_the_driver_of_a_real_arm_cannot_tell(served, tmp_path):
    line = lines.build(lines.config("serial")(port=str(served[0]))).open()
    save_calibration(tmp_path / "sim.json", read(SO101_FOLLOWER, FeetechBus(line, SO101_FOLLOWER.motors)))
    line.close()
    robot = robots.build(robots.config("so101_follower")(port=str(served[0]), id="sim", calibration_dir=tmp_path))
    with connected(robot):
        goal = robot.observe()["observation.state"] + np.array([8, 0, 0, 0, 10, 10], np.float32)
        for _ in range(45):
            robot.apply(goal)
            time.sleep(1 / 60)
        state = robot.observe()["observation.state"]
    np.testing.assert_allclose(state[[0, 4, 5]], goal[[0, 4, 5]], atol=3)
