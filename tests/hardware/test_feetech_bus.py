import pytest

from etude.core.errors import DeviceError, MotorSilent
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.config import Config
from etude.hardware.buses.feetech.packet import Instruction

IDS = {"shoulder": 1, "elbow": 2, "gripper": 3}


def garble_first(line):
    """Flip a bit of the first answer."""
    answer, count = line.answer, iter(range(100))

    def garbled(data):
        reply = bytearray(answer(data))
        if next(count) == 0 and reply:
            reply[-2] ^= 1
        return bytes(reply)

    line.answer = garbled


def test_reading_and_writing(bus, servos):
    bus.write("P_Coefficient", "elbow", 16)
    assert bus.read("P_Coefficient", "elbow") == 16
    assert servos[1].memory.get("P_Coefficient") == 16
    assert servos[0].memory.get("P_Coefficient") == 32


def test_signed_registers(bus):
    bus.write("Homing_Offset", "gripper", -2047)
    assert bus.read("Homing_Offset", "gripper") == -2047


def test_reading_many_takes_one_packet(bus, line):
    assert bus.sync_read("Present_Position") == dict.fromkeys(IDS, 2048)
    assert len(line.sent) == 1


def test_writing_many_takes_one_packet(bus, line, servos):
    bus.sync_write("Goal_Position", {"shoulder": 2000, "gripper": 2100})
    assert len(line.sent) == 1
    assert [servo.memory.get("Goal_Position") for servo in servos] == [2000, 0, 2100]


def test_some_motors_can_be_read_in_any_order(bus):
    assert list(bus.sync_read("ID", ["gripper", "shoulder"]).items()) == [("gripper", 3), ("shoulder", 1)]


def test_scanning_finds_who_answers(bus, servos):
    servos[1].is_silent = True
    assert bus.scan() == {1: 777, 3: 777}


@pytest.mark.parametrize(
    "ask",
    [
        lambda bus: bus.ping("elbow"),
        lambda bus: bus.read("ID", "elbow"),
        lambda bus: bus.write("P_Coefficient", "elbow", 1),
        lambda bus: bus.sync_read("Present_Position"),
    ],
)
def test_a_silent_motor_is_named_with_those_that_answer(bus, servos, ask):
    servos[1].is_silent = True
    with pytest.raises(MotorSilent, match=r"Motor 'elbow' \(id 2\) on memory .* do answer: 1, 3") as caught:
        ask(bus)
    assert caught.value.motor == "elbow"


def test_silence_is_asked_again_as_often_as_said(bus, line, servos):
    servos[0].is_silent = True
    with pytest.raises(MotorSilent):
        FeetechBus(line, bus.motors, Config(retries=3)).ping("shoulder")
    assert [packet[4] for packet in line.sent] == [Instruction.PING] * 5  # four for the motor, one to hear who is there


@pytest.mark.parametrize("name", ["read", "sync_read"])
def test_a_garbled_answer_is_asked_for_again(bus, line, name):
    garble_first(line)
    assert {"read": lambda: bus.read("ID", "elbow"), "sync_read": lambda: bus.sync_read("ID")["elbow"]}[name]() == 2
    assert len(line.sent) == 2


def test_a_lost_acknowledgement_is_asked_for_again(bus, line, servos):
    garble_first(line)
    bus.write("P_Coefficient", "gripper", 7)
    assert servos[2].memory.get("P_Coefficient") == 7


def test_noise_between_answers_is_skipped(bus, line):
    answer = line.answer
    line.answer = lambda data: b"\x00\xff\x17" + answer(data)
    assert bus.sync_read("ID") == IDS


def test_answers_left_over_from_before_are_not_believed(bus, line):
    line.pending = bytes.fromhex("FF FF 01 03 00 63 98")
    assert bus.read("ID", "shoulder") == 1


def test_a_line_that_babbles_for_ever_is_given_up(bus, line):
    line.read = lambda size, timeout_s: b"\x55" * size
    with pytest.raises(MotorSilent, match="No motor answers"):
        bus.ping("elbow")


def test_a_fault_is_spelt_out(bus, servos):
    servos[1].drive.supply_v = 3.0
    with pytest.raises(DeviceError, match=r"Motor 'elbow' \(id 2\) on memory reports: voltage"):
        bus.read("ID", "elbow")
    assert bus.sync_read("ID") == IDS
