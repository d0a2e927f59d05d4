import pytest

from etude.core.errors import ConfigError, DeviceError, MotorSilent
from etude.hardware.bus import Motor
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


def test_a_kept_register_is_unlocked_for_the_write_and_locked_again(bus, line, servos):
    bus.write("P_Coefficient", "elbow", 16)
    assert [(packet[4], *packet[5:-1]) for packet in line.sent] == [(3, 55, 0), (3, 21, 16), (3, 55, 1)]
    servos[1].power_cycle()
    assert bus.read("P_Coefficient", "elbow") == 16


def test_one_that_is_not_kept_needs_no_unlocking(bus, line):
    bus.write("Torque_Limit", "elbow", 500)
    assert len(line.sent) == 1


def test_many_kept_registers_need_one_unlocking(bus, line, servos):
    with bus.unlocked("elbow"):
        bus.write("P_Coefficient", "elbow", 16)
        bus.write("D_Coefficient", "elbow", 33)
    assert len(line.sent) == 4
    assert servos[1].memory.get("Lock") == 1


def test_a_write_that_fails_leaves_no_lock_open(bus, servos):
    with pytest.raises(ConfigError, match="P_Coefficient takes 0 to 255"):
        bus.write("P_Coefficient", "elbow", 256)
    assert servos[1].memory.get("Lock") == 1


def test_a_baud_rate_that_there_is_not_is_refused(bus, servos):
    with pytest.raises(ConfigError, match="Baud_Rate takes 0, 1, 2, 3, 4, 5, 6, 7, got 9"):
        bus.write("Baud_Rate", "elbow", 9)
    assert servos[1].memory.get("Baud_Rate") == 0


@pytest.mark.parametrize("lost", ["question", "answer"])
def test_a_new_id_is_given_whatever_is_lost(bus, line, servos, lost):
    answer, num_writes = line.answer, iter(range(100))

    def lossy(data):
        if data[4:6] != bytes((Instruction.WRITE, 5)) or next(num_writes):
            return answer(data)
        if lost == "answer":
            answer(data)
        return b""

    line.answer = lossy
    bus.write("ID", "elbow", 9)
    assert bus.motors["elbow"].id == servos[1].memory.get("ID") == bus.read("ID", "elbow") == 9


def test_a_motor_that_keeps_its_id_is_still_known_by_it(bus, servos):
    servos[1].is_silent = True
    with pytest.raises(MotorSilent, match=r"'elbow' \(id 2\)"):
        bus.write("ID", "elbow", 9)
    assert bus.motors["elbow"].id == 2


def test_motors_of_two_protocols_cannot_share_a_wire(line):
    motors = {"arm": Motor(id=1, model="sts3215"), "finger": Motor(id=2, model="scs0009")}
    with pytest.raises(ConfigError, match="different protocols cannot share a wire"):
        FeetechBus(line, motors)
