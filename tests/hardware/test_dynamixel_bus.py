import pytest

from etude.core.errors import DeviceError, MotorSilent
from etude.hardware.bus import Motor
from etude.hardware.buses.dynamixel.bus import DynamixelBus
from etude.hardware.buses.dynamixel.config import Config
from etude.hardware.buses.dynamixel.packet import HEADER, Instruction
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.servo import XSeries

IDS = {"shoulder": 1, "elbow": 2, "gripper": 3}
CODE = 7
"""Where the instruction lies in a packet."""


@pytest.fixture
def servos():
    return [XSeries(motor_id) for motor_id in IDS.values()]


@pytest.fixture
def line(servos, make_line):
    return make_line(DynamixelChain(servos).exchange)


@pytest.fixture
def motors():
    return {name: Motor(id=motor_id, model="xl330-m288") for name, motor_id in IDS.items()}


@pytest.fixture
def bus(line, motors):
    return DynamixelBus(line, motors)


def codes(line):
    return [packet[CODE] for packet in line.sent]


def deaf_to_fast_reads(line):
    """Let the motors be older than the fast sync read."""
    answer = line.answer
    line.answer = lambda data: b"" if data[CODE] == Instruction.FAST_SYNC_READ else answer(data)


def test_all_positions_come_in_one_frame(bus, line):
    assert bus.sync_read("Present_Position") == dict.fromkeys(IDS, 2048)
    assert codes(line) == [Instruction.FAST_SYNC_READ]
    # 14 bytes and an id each; answered by 8 bytes, and 8 for each.
    assert bus.traffic == (14 + 3, 8 + 3 * 8)


def test_goals_go_out_in_one_packet(bus, line, servos):
    bus.sync_write("Goal_Position", {"shoulder": 2000, "gripper": 2100})
    assert codes(line) == [Instruction.SYNC_WRITE]
    assert [servo.memory.get("Goal_Position") for servo in servos][::2] == [2000, 2100]


def test_motors_that_do_not_know_the_fast_read_are_soon_asked_otherwise(bus, line):
    deaf_to_fast_reads(line)
    for _ in range(6):
        assert bus.poll("Present_Position") == dict.fromkeys(IDS, 2048)
    assert codes(line)[-2:] == [Instruction.SYNC_READ] * 2
    assert codes(line).count(Instruction.FAST_SYNC_READ) == 3


def test_without_retries_the_fast_read_is_not_risked(line, motors):
    bus = DynamixelBus(line, motors, Config(retries=0))
    deaf_to_fast_reads(line)
    assert bus.poll("Present_Position") == dict.fromkeys(IDS, 2048)


def test_one_silent_motor_does_not_silence_the_others(bus, servos):
    bus.poll("Present_Position")
    servos[1].is_silent = True
    bus.poll("Present_Position")
    assert [tally.in_a_row for tally in bus.tallies.values()] == [0, 1, 0]


def test_a_write_that_the_torque_forbids_says_what_to_do(bus):
    bus.write("Torque_Enable", "elbow", 1)
    with pytest.raises(
        DeviceError, match=r"'elbow' \(id 2\) on memory refused Operating_Mode: .*Release the arm first"
    ):
        bus.write("Operating_Mode", "elbow", 4)
    bus.write("Torque_Enable", "elbow", 0)
    bus.write("Operating_Mode", "elbow", 4)
    assert bus.read("Operating_Mode", "elbow") == 4


def test_an_id_that_the_torque_forbids_is_not_believed(bus):
    bus.write("Torque_Enable", "elbow", 1)
    with pytest.raises(DeviceError, match=r"refused ID: .*Release the arm first"):
        bus.write("ID", "elbow", 9)
    assert bus.motors["elbow"].id == 2
    assert bus.read("ID", "elbow") == 2


def test_a_refusal_is_raised_whatever_faults_there_are(bus):
    with pytest.raises(DeviceError, match="refused Present_Position: the register is read-only"):
        bus.write("Present_Position", "elbow", 1, despite_faults=True)


def test_a_motor_that_shut_down_says_why(bus, servos):
    bus.write("Torque_Enable", "elbow", 1)
    servos[1].drive.is_tripped = True
    servos[1].torque(0.0, 0.0, 0.002)
    with pytest.raises(DeviceError, match=r"'elbow' \(id 2\) on memory has shut down: overload"):
        bus.write("LED", "elbow", 1)
    assert bus.vitals("elbow").faults == ("overload",)
    assert bus.sync_read("ID") == IDS
    bus.poll("ID")
    assert bus.complaints == {"elbow"}


def test_negative_numbers(bus):
    bus.write("Homing_Offset", "gripper", -1_044_479)
    assert bus.read("Homing_Offset", "gripper") == -1_044_479


def test_a_garbled_frame_is_asked_for_again(bus, line):
    answer, count = line.answer, iter(range(100))

    def garbled(data):
        reply = bytearray(answer(data))
        reply[-1] ^= next(count) == 0
        return bytes(reply)

    line.answer = garbled
    assert bus.poll("Present_Position") == dict.fromkeys(IDS, 2048)
    assert all(tally.damaged == 1 for tally in bus.tallies.values())


def test_a_motor_that_never_answers_is_named(bus, servos):
    servos[2].is_silent = True
    with pytest.raises(MotorSilent, match=r"'gripper' \(id 3\) on memory .* do answer: 1, 2"):
        bus.sync_read("Present_Position")


def test_a_foreign_answer_is_not_believed(bus, line):
    answer = line.answer
    line.answer = lambda data: HEADER + b"\x02\x03\x00\x01\x19\x4e" + answer(data)
    assert bus.read("ID", "elbow") == 2
