import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError, NotFound
from etude.hardware.buses.feetech.registers import MODELS, SCS0009, STS3215, fault_names, register

REGISTERS = st.sampled_from([*STS3215.values(), *SCS0009.values()])


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


@given(REGISTERS, st.data())
def test_what_is_encoded_is_decoded(item, data):
    value = data.draw(st.integers(*item.bounds) | st.sampled_from(item.bounds))
    assert item.decode(item.encode(value)) == value
    assert len(item.encode(value)) == item.size


@given(REGISTERS, st.data())
def test_any_bytes_mean_a_number_that_fits(item, data):
    value = item.decode(data.draw(st.binary(min_size=item.size, max_size=item.size)))
    assert item.sign_bit is not None or item.bounds[0] <= value <= item.bounds[1]


def test_the_scs_series_puts_the_greater_byte_first():
    assert SCS0009["Goal_Position"].encode(1000) == bytes.fromhex("03 E8")
    assert SCS0009["Present_Load"].encode(-1000) == bytes.fromhex("07 E8")
    assert STS3215["Goal_Position"].encode(1000) == bytes.fromhex("E8 03")


def test_every_model_has_a_number_of_its_own():
    numbers = {name: model.number for name, model in MODELS.items()}
    assert numbers == {"sts3215": 777, "sts3250": 2825, "sm8512bl": 11272, "scs0009": 1284}
    assert MODELS["scs0009"].resolution == 1024


@pytest.mark.parametrize(("table", "kept"), [(STS3215, "Homing_Offset"), (SCS0009, "Protection_Time")])
def test_what_outlives_a_power_cycle_is_marked(table, kept):
    assert table[kept].is_kept
    assert not any(table[name].is_kept for name in ("Torque_Enable", "Goal_Position", "Lock", "Present_Position"))
    assert STS3215["Maximum_Acceleration"].is_kept, "the factory's own values are kept, too"


def test_a_motor_homed_at_the_end_of_its_turn_does_not_fit():
    with pytest.raises(ConfigError, match="Homing_Offset takes -2047 to 2047, got 2048"):
        register("Homing_Offset").encode(2048)


def test_unsigned_registers_refuse_negative_numbers():
    with pytest.raises(ConfigError, match="P_Coefficient takes 0 to 255, got -1"):
        register("P_Coefficient").encode(-1)


@pytest.mark.parametrize("table", [STS3215, SCS0009])
def test_registers_do_not_overlap(table):
    places = [item.address + byte for item in table.values() for byte in range(item.size)]
    assert len(places) == len(set(places))


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'Present_Position'"):
        register("Present_Positon")


def test_faults_are_spelt_out():
    assert fault_names(0x24) == ["over-temperature", "overload"]
    assert fault_names(0) == []
