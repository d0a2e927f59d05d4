import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError, NotFound
from etude.hardware.buses.feetech.registers import STS3215, fault_names, register


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Present_Position", 1304, "18 05"),
        ("Present_Position", -1, "01 80"),
        ("Homing_Offset", -2047, "FF 0F"),
        ("Homing_Offset", 2047, "FF 07"),
        ("Present_Load", -1000, "E8 07"),
        ("Model_Number", 777, "09 03"),
        ("P_Coefficient", 255, "FF"),
    ],
)
def test_numbers_on_the_wire(name, value, stored):
    assert register(name).encode(value) == bytes.fromhex(stored)
    assert register(name).decode(bytes.fromhex(stored)) == value


@given(st.sampled_from(list(STS3215.values())), st.data())
def test_what_is_encoded_is_decoded(item, data):
    bits = 8 * item.size if item.sign_bit is None else item.sign_bit
    value = data.draw(st.integers(0 if item.sign_bit is None else 1 - (1 << bits), (1 << bits) - 1))
    assert item.decode(item.encode(value)) == value


def test_a_motor_homed_at_the_end_of_its_turn_does_not_fit():
    with pytest.raises(ConfigError, match="Homing_Offset takes -2047 to 2047, got 2048"):
        register("Homing_Offset").encode(2048)


def test_unsigned_registers_refuse_negative_numbers():
    with pytest.raises(ConfigError, match="P_Coefficient takes 0 to 255, got -1"):
        register("P_Coefficient").encode(-1)


def test_registers_do_not_overlap():
    places = [item.address + byte for item in STS3215.values() for byte in range(item.size)]
    assert len(places) == len(set(places))


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'Present_Position'"):
        register("Present_Positon")


def test_faults_are_spelt_out():
    assert fault_names(0x24) == ["over-temperature", "overload"]
    assert fault_names(0) == []
