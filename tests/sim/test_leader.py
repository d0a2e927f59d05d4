"""A leader arm: real firmware, moved by a person."""

import numpy as np
import pytest

from etude.hardware import lines
from etude.hardware.buses.feetech.packet import BROADCAST, Instruction, Packet, encode, parse
from etude.hardware.buses.feetech.registers import register
from etude.sim.makes import make_of
from etude.sim.people import Demonstrator, Recorded, Wave, person_at
from etude.sim.servos.feetech.drive import TICKS_PER_RAD

READ_ALL = encode(Packet(BROADCAST, Instruction.SYNC_READ, bytes((56, 2, 1, 2, 3, 4, 5, 6))))
MIDDLE_RAD = np.array([0, 0, 0, 0, 0, np.radians(45)])


@pytest.fixture
def line():
    line = lines.build(lines.config("sim")(is_leader=True)).open()
    line.scene.reset(0)
    yield line
    line.close()


def joints(line):
    """What the servos tell [rad]."""
    line.write(READ_ALL)
    packets, _ = parse(line.read(48, 0.1))
    return [(int.from_bytes(packet.params, "little") - 2048) / TICKS_PER_RAD for packet in packets] + MIDDLE_RAD


def put(line, name, value, motor_id=BROADCAST):
    item = register(name)
    line.write(encode(Packet(motor_id, Instruction.WRITE, bytes((item.address,)) + item.encode(value))))


def wait(line, seconds):
    line.scene.clock.sleep_until(line.scene.clock.now() + seconds)


def test_a_recording_is_played_in_its_time(line):
    start = line.arm.joints
    line.arm.person = Recorded([start, start + 0.5, start + 0.2], hz=2.0)
    np.testing.assert_allclose(joints(line), start, atol=1e-3)
    wait(line, 0.25)
    np.testing.assert_allclose(joints(line), start + 0.25, atol=1e-3)
    for _ in range(10):
        wait(line, 0.1)
        last = joints(line)
    np.testing.assert_allclose(last, start + 0.2, atol=1e-3)


def test_a_hand_is_only_so_fast(line):
    start = line.arm.joints
    line.arm.person = Recorded([start, start, start - 1.0, start - 1.0], hz=1000.0)
    joints(line)
    wait(line, 0.1)
    assert joints(line)[0] == pytest.approx(start[0] - 0.5, abs=2e-3)


def test_nobody_gets_a_joint_beyond_its_stop(line):
    line.arm.person = Recorded([[9.0] * 6], hz=1.0)
    for _ in range(20):
        wait(line, 0.1)
        reached = joints(line)
    highest = [link.range_rad[1] for link in line.arm.make.body.links]
    np.testing.assert_allclose(reached, highest, atol=2e-3)


def test_switched_on_it_resists_the_hand_and_off_again_it_gives_way(line):
    start = joints(line)
    line.arm.person = Recorded([start + 0.3], hz=1.0)
    put(line, "Torque_Enable", 1)
    for _ in range(30):
        wait(line, 1 / 30)
        held = joints(line)
    assert np.abs(held - start).max() < 0.15
    assert np.abs(held - start).max() > 0.01
    put(line, "Torque_Enable", 0)
    wait(line, 0.5)
    np.testing.assert_allclose(joints(line), start + 0.3, atol=2e-3)


def test_gears_of_a_leader_are_weaker(line):
    stalls = [servo.model.stall_nm for servo in line.arm.servos]
    assert stalls == pytest.approx([1.057, 1.91, 1.057, 0.814, 0.814, 0.814], abs=1e-3)
    assert {servo.model.stall_nm for servo in make_of("so100", is_leader=True).wire().servos} == {1.91}


def test_an_episode_begins_where_the_follower_stands(line):
    line.scene.reset(3)
    np.testing.assert_allclose(joints(line), line.scene.arm.joints, atol=0.03)


def test_who_holds_it_depends_on_the_arm(line):
    assert isinstance(person_at(line.arm), Demonstrator)
    assert isinstance(person_at(line.arm, "left"), Wave)


def test_two_lines_of_one_name_lead_to_one_arm(line):
    assert lines.build(lines.config("sim")(is_leader=True)).arm is line.arm
    assert lines.build(lines.config("sim")(is_leader=True, name="left")).arm is not line.arm
    assert lines.build(lines.config("sim")()).arm is line.scene.arm


def test_a_wave_begins_where_the_arm_is_and_stays_near():
    wave, here = Wave(), np.array([0.1, -0.2])
    np.testing.assert_allclose(wave.wish(5.0, here), here)
    path = np.array([wave.wish(5.0 + tick / 30, here) for tick in range(300)])
    assert 0.2 < np.abs(path - here).max() <= 0.25
