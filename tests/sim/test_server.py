import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from etude.core.errors import DeviceError, UserError
from etude.hardware import lines, robots
from etude.hardware.arm_calibration import read
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.packet import Packet, encode
from etude.hardware.calibration import save_calibration
from etude.hardware.device import connected
from etude.hardware.line import line_at
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.sim.mjpeg import Shape
from etude.sim.port import Port
from etude.sim.server import Socket
from etude.sim.server import serve as serve_here
from etude.sim.world import World

READ_JOINTS = encode(Packet(0xFE, 0x82, bytes([56, 2, 1, 2, 3, 4, 5, 6])))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.fixture(scope="module")
def served(serve):
    ports, urls = serve(port={}, leader={"is_leader": True})
    return Path(ports["port"]), urls["front"], urls["wrist"]


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
    while abs((reached := position(line)) - goal) > 20 and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert abs(reached - goal) <= 20
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
        serve_here([Socket(link=precious)], Shape(width=16, height=12, fps=30))
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


def test_a_leader_is_moved_by_somebody_and_the_port_is_deaf_at_a_wrong_rate(served):
    line = lines.build(lines.config("serial")(port=str(served[0].with_name("leader")))).open()

    def joints():
        line.discard()
        line.write(READ_JOINTS)
        reply = line.read(48, 0.3)
        return [int.from_bytes(reply[at + 5 : at + 7], "little") for at in range(0, len(reply), 8)]

    start, deadline = joints(), time.perf_counter() + 5
    while np.abs(np.subtract(joints(), start)).max() < 50 and time.perf_counter() < deadline:
        time.sleep(0.03)
    assert np.abs(np.subtract(joints(), start)).max() >= 50
    line.set_baud_rate(115_200)
    assert joints() == []
    line.set_baud_rate(1_000_000)
    assert len(joints()) == 6
    line.close()


def test_a_pulled_cable_hangs_up_and_comes_back(tmp_path):
    world = World()
    port = Port(tmp_path / "port", world.arm, world.clock.now)

    def ask(line):
        line.write(READ_JOINTS)
        port.listen()
        port.answer()
        return len(line.read(48, 0.5))

    line = line_at(str(port.link)).open()
    assert ask(line) == 48
    world.arm.wire.faults.unplug(for_s=1.0)
    port.answer()
    assert port.fileno() == -1
    assert not port.link.is_symlink()
    with pytest.raises(DeviceError):
        line.read(1, 0.1)
    line.close()
    world.clock.sleep_until(1.0)
    port.answer()
    line = line_at(str(port.link)).open()
    assert ask(line) == 48
    line.close()
    port.close()
    assert not port.link.is_symlink()


def test_a_name_that_another_simulation_serves_is_refused(tmp_path):
    world = World()
    first = Port(tmp_path / "port", world.arm, world.clock.now)
    target = first.link.readlink()
    with pytest.raises(UserError, match=r"Another etude sim serves .*port. Stop that one, or give"):
        Port(tmp_path / "port", world.arm, world.clock.now)
    assert first.link.readlink() == target
    world.arm.wire.faults.unplug(for_s=1.0)
    first.answer()
    with pytest.raises(UserError, match="Another etude sim"):  # its cable is pulled, it is still there
        Port(tmp_path / "port", world.arm, world.clock.now)
    first.close()
    world.arm.wire.faults.clear()
    Port(tmp_path / "port", world.arm, world.clock.now).close()
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_a_killed_simulation_left_is_replaced(tmp_path):
    world = World()
    (tmp_path / "port").symlink_to("/dev/pts/99999")
    (tmp_path / ".port.lock").touch()
    port = Port(tmp_path / "port", world.arm, world.clock.now)
    assert str(port.link.readlink()) != "/dev/pts/99999"
    port.close()


def test_an_answer_waits_until_it_is_due(tmp_path):
    world = World()
    port = Port(tmp_path / "port", world.arm, world.clock.now)
    world.arm.wire.faults.slow(0.02)
    line = line_at(str(port.link)).open()
    line.write(READ_JOINTS)
    port.listen()
    port.answer()
    assert line.read(48, 0.01) == b""
    world.clock.sleep_until(0.02)
    port.answer()
    assert len(line.read(48, 0.5)) == 48
    line.close()
    port.close()
