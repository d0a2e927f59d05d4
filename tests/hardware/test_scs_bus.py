"""The Feetech bus against simulated servos of the SCS series."""

import pytest

from etude.core.errors import MotorSilent, NotFound
from etude.hardware.bus import Motor
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.packet import Instruction
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.scs import Scs0009

MOTORS = {"thumb": Motor(id=1, model="scs0009"), "index": Motor(id=2, model="scs0009")}


@pytest.fixture
def fingers():
    return [Scs0009(motor.id) for motor in MOTORS.values()]


@pytest.fixture
def bus(fingers, make_line):
    return FeetechBus(make_line(ServoChain(fingers).exchange), MOTORS)


def instructions(bus):
    return [packet[4] for packet in bus.line.sent]


def test_it_is_known_by_its_number(bus):
    assert bus.ping("thumb") == bus.model_number("thumb") == 1284
    assert (bus.resolution("thumb"), bus.max_offset) == (1024, 0)


def test_the_greater_byte_comes_first(bus, fingers):
    bus.write("Goal_Position", "thumb", 700)
    assert bus.line.sent[-1][6:8] == bytes.fromhex("02 BC")
    assert fingers[0].memory.get("Goal_Position") == bus.read("Goal_Position", "thumb") == 700


def test_motors_are_read_one_by_one_and_written_together(bus, fingers):
    fingers[1].torque(0.5, 0.0, 0.002)  # 97.8 ticks
    assert bus.poll("Present_Position") == {"thumb": 512, "index": 610}
    assert instructions(bus) == [Instruction.READ] * 2
    bus.sync_write("Goal_Position", {"thumb": 100, "index": 200})
    assert instructions(bus)[2:] == [Instruction.SYNC_WRITE]
    assert [finger.memory.get("Goal_Position") for finger in fingers] == [100, 200]


def test_what_is_written_under_its_own_lock_outlives_the_power(bus, fingers):
    bus.write("P_Coefficient", "thumb", 10)
    assert [(packet[5], packet[6]) for packet in bus.line.sent] == [(48, 0), (21, 10), (48, 1)]
    fingers[0].power_cycle()
    assert bus.read("P_Coefficient", "thumb") == 10


def test_all_ids_are_called_since_nobody_answers_a_call_to_all(bus):
    assert bus.scan() == {1: 1284, 2: 1284}


def test_it_can_be_given_another_id(bus, fingers):
    bus.write("ID", "index", 7)
    assert (fingers[1].id, bus.motors["index"].id) == (7, 7)
    assert bus.read("Present_Position", "index") == 512


def test_it_feels(bus, fingers):
    fingers[1].drive.temperature_c = 31.0
    vitals = bus.vitals("index")
    assert (vitals.voltage_v, vitals.temperature_c, vitals.load, vitals.faults) == (6.0, 31.0, 0.0, ())
    fingers[1].drive.supply_v, fingers[1].drive.is_tripped = 3.9, True
    assert bus.vitals("index").faults == ("voltage", "overload")


def test_a_silent_one_is_named(bus, fingers):
    fingers[1].is_silent = True
    with pytest.raises(MotorSilent, match=r"'index' \(id 2\).*do answer: 1"):
        bus.sync_read("Present_Position")


def test_what_only_the_other_series_has_is_not_found(bus):
    with pytest.raises(NotFound, match="Homing_Offset"):
        bus.read("Homing_Offset", "thumb")
