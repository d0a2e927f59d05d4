import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError, NotFound
from etude.hardware.buses.dynamixel.registers import MODELS, X_SERIES, fault_names, register


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Present_Position", 2048, "00 08 00 00"),
        ("Present_Position", -1, "FF FF FF FF"),
        ("Goal_Current", -100, "9C FF"),
        ("Homing_Offset", -1_044_479, "01 10 F0 FF"),
        ("Model_Number", 1200, "B0 04"),
        ("Present_Input_Voltage", 50, "32 00"),
    ],
)
def test_numbers_on_the_wire(name, value, stored):
    assert register(name).encode(value) == bytes.fromhex(stored)
    assert register(name).decode(bytes.fromhex(stored)) == value


@given(st.sampled_from(list(X_SERIES.values())), st.data())
def test_what_is_encoded_is_decoded(item, data):
    value = data.draw(st.integers(*item.bounds) | st.sampled_from(item.bounds))
    assert item.decode(item.encode(value)) == value
    assert len(item.encode(value)) == item.size


@given(st.sampled_from(list(X_SERIES.values())), st.data())
def test_what_is_decoded_is_encoded(item, data):
    stored = data.draw(st.binary(min_size=item.size, max_size=item.size))
    assert item.encode(item.decode(stored)) == stored


@pytest.mark.parametrize("item", X_SERIES.values(), ids=lambda item: item.name)
def test_what_does_not_fit_is_refused(item):
    low, high = item.bounds
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=f"{item.name} takes {low} to {high}, got {value}"):
            item.encode(value)


def test_registers_do_not_overlap():
    places = [item.address + byte for item in X_SERIES.values() for byte in range(item.size)]
    assert len(places) == len(set(places))


def test_the_eeprom_ends_where_the_torque_begins():
    assert X_SERIES["Shutdown"].is_kept
    assert not X_SERIES["Torque_Enable"].is_kept


def test_every_model_has_a_number_of_its_own():
    numbers = [model.number for model in MODELS.values()]
    assert len(numbers) == len(set(numbers))
    assert MODELS["xl330-m288"].number == 1200
    assert {model.resolution for model in MODELS.values()} == {4096}


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'Position_P_Gain'"):
        register("Position_P_Gian")


def test_faults_are_spelt_out():
    assert fault_names(0x24) == ["over-temperature", "overload"]
