"""What a process that died has left in the motors is put right by the next one."""

import pytest

from etude.core.errors import DeviceError
from etude.hardware import unfinished
from etude.hardware.arm_kind import ArmKind
from etude.hardware.names import devices_path
from etude.hardware.unfinished import forget, give_back, mend, note

from .conftest import MOTORS, Clock

KIND = ArmKind(name="three_joints", bus="feetech", motors=MOTORS)
HELD = {"Homing_Offset": -70, "Min_Position_Limit": 900, "Max_Position_Limit": 3100, "Torque_Limit": 1000}
CHANGED = {"Homing_Offset": 400, "Min_Position_Limit": 0, "Max_Position_Limit": 4095, "Torque_Limit": 300}


@pytest.fixture(autouse=True)
def config_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def files():
    return lambda: list(devices_path().parent.rglob("*.json"))


def write(servo, values):
    for name, value in values.items():
        servo.memory.set(name, value)


def holds(servo, values):
    return {name: servo.memory.get(name) for name in values} == values


@pytest.fixture
def broken_off(bus, servos):
    """An arm whose owner died when it had changed two of three motors."""
    for servo in servos:
        write(servo, HELD)
    note(KIND, bus)
    for servo in servos[:2]:
        write(servo, CHANGED)


def test_the_motors_get_back_what_they_held(bus, servos, clock, broken_off, files):
    assert len(files()) == 1
    assert mend(KIND, bus, clock)
    assert all(holds(servo, HELD) for servo in servos)
    assert files() == []
    assert not mend(KIND, bus, clock)


def test_it_outlives_the_power(bus, servos, clock, broken_off):
    mend(KIND, bus, clock)
    for servo in servos:
        servo.power_cycle()
    assert [servo.memory.get("Homing_Offset") for servo in servos[:2]] == [-70, -70]


def test_a_motor_that_is_on_holds_where_it_is(bus, servos, clock, broken_off):
    for servo in servos:
        servo.write(40, b"\1")
    servos[0].torque(0.3, 0.0, 0.002)
    mend(KIND, bus, clock)
    assert [servo.memory.get("Torque_Enable") for servo in servos] == [1, 1, 1]
    present = bus.sync_read("Present_Position")
    assert [servo.memory.get("Goal_Position") for servo in servos] == list(present.values())


def test_motors_that_were_calibrated_since_are_left_alone(bus, servos, clock, broken_off, files):
    other = HELD | {"Min_Position_Limit": 1000, "Homing_Offset": 5}
    for servo in servos:
        write(servo, other)
    assert not mend(KIND, bus, clock)
    assert all(holds(servo, other) for servo in servos)
    assert files() == []


def test_another_make_is_left_alone(bus, servos, clock, broken_off):
    assert not mend(ArmKind(name="other", bus="feetech", motors=MOTORS), bus, clock)
    assert holds(servos[0], CHANGED)


def test_what_cannot_be_reached_is_told_and_tried_again(bus, servos, clock, broken_off, monkeypatch, files):
    write = bus.write

    def lossy(name, motor, value, **options):
        if motor == "elbow":
            raise DeviceError("no")
        write(name, motor, value, **options)

    monkeypatch.setattr(bus, "write", lossy)
    with pytest.raises(DeviceError, match="cut short, and its motors could not be given back"):
        mend(KIND, bus, clock)
    assert holds(servos[0], HELD)
    assert len(files()) == 1
    monkeypatch.setattr(bus, "write", write)
    assert mend(KIND, bus, clock)
    assert holds(servos[1], HELD)


def test_a_damaged_file_is_no_reason_to_write_anything(bus, servos, clock, broken_off, files):
    files()[0].write_text('{"kind": 3}')
    assert not mend(KIND, bus, clock)
    assert holds(servos[0], CHANGED)


def test_what_was_given_back_in_good_order_leaves_no_file(bus, servos, clock, files):
    held = note(KIND, bus)
    assert give_back(bus, clock, held)
    forget(bus)
    assert files() == []


def test_adapters_are_told_apart_by_their_numbers(bus, monkeypatch, files):
    arm = unfinished.known_arm_at("memory")
    for serial in ("A-1", "B/2"):
        monkeypatch.setattr(unfinished, "known_arm_at", lambda port, serial=serial: type(arm)(port=port, serial=serial))
        note(KIND, bus)
    assert {path.name for path in files()} == {"A_1.json", "B_2.json"}
