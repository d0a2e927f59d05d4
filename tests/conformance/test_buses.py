"""What every bus promises; a new folder under buses/ gets these tests without naming itself.

They are run over the simulated motors that the smallest config of a bus leads to.
"""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from etude.core import codec
from etude.core.errors import ConfigError, DeviceError, MotorSilent, NotFound
from etude.hardware import buses
from etude.hardware.bus import Motor, MotorBus, Vitals
from etude.hardware.buses.search import find_motors
from etude.sim.world import begin_world

NAMES = buses.names()


@pytest.fixture
def config(name):
    begin_world()
    return replace(buses.config(name).tiny(), reconnect_s=1.0)


@pytest.fixture
def motors(config):
    """The motors at the other end, as a search finds them."""
    bus = buses.build(config, {})
    bus.open()
    found = {f"motor_{key}": Motor(id=key, model=bus.model_names[number]) for key, number in bus.scan().items()}
    bus.close()
    return found


@pytest.fixture
def bus(config, motors):
    bus = buses.build(config, motors)
    bus.open()
    yield bus
    bus.close()


@pytest.fixture
def faults(bus):
    return bus.line.arm.wire.faults


@pytest.fixture
def first(bus):
    return next(iter(bus.motors))


def let_pass(bus, seconds):
    clock = bus.line.scene.clock
    clock.sleep_until(clock.now() + seconds)


@pytest.mark.parametrize("name", NAMES)
class TestEveryBus:
    def test_it_is_a_bus_and_says_what_it_is_for(self, name, bus):
        assert isinstance(bus, MotorBus)
        package = Path(import_module(buses.packages()[name]).__file__).parent
        assert (package / "README.md").read_text(encoding="utf-8").strip()

    def test_its_config_survives_json(self, name, config):
        stored = json.loads(json.dumps(codec.encode(config)))
        assert codec.decode(type(config), stored) == config

    @pytest.mark.parametrize("wrong", [{"retries": -1}, {"patience": 0}, {"baud_rate": 0}, {"reconnect_s": -1.0}])
    def test_its_config_refuses_nonsense(self, name, wrong):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            buses.config(name)(**wrong)

    def test_all_motors_answer_who_they_are(self, name, bus):
        assert bus.scan() == {bus.motors[motor].id: bus.ping(motor) for motor in bus.motors}
        assert all(bus.ping(motor) == bus.model_number(motor) for motor in bus.motors)
        assert all(bus.resolution(motor) > 0 for motor in bus.motors)

    def test_what_is_written_can_be_read(self, name, bus, first):
        bus.write("Torque_Enable", first, 0)
        bus.write("Homing_Offset", first, -bus.homing_sign * 100)
        assert bus.read("Homing_Offset", first) == -bus.homing_sign * 100
        assert set(bus.sync_read("Homing_Offset")) == set(bus.motors)

    def test_the_homing_offset_acts_the_way_it_says(self, name, bus, first):
        bus.write("Torque_Enable", first, 0)
        bus.write("Homing_Offset", first, 0)
        before = bus.read("Present_Position", first)
        bus.write("Homing_Offset", first, 50)
        let_pass(bus, 0.01)
        assert bus.read("Present_Position", first) == pytest.approx(before + bus.homing_sign * 50, abs=3)
        with pytest.raises(ConfigError, match="Homing_Offset takes"):
            bus.write("Homing_Offset", first, bus.max_offset * 10_000)

    def test_a_wrong_register_is_answered_with_the_nearest(self, name, bus, first):
        with pytest.raises(NotFound, match="Did you mean 'Present_Position'"):
            bus.read("Present_Positon", first)

    def test_a_motor_goes_where_it_is_sent(self, name, bus, first):
        before = bus.read("Present_Position", first)
        bus.write("Torque_Enable", first, 1)
        bus.sync_write("Goal_Position", {first: before + 200})
        let_pass(bus, 1.0)
        assert bus.poll("Present_Position")[first] == pytest.approx(before + 200, abs=40)

    def test_a_tick_costs_no_more_than_the_wire_demands(self, name, bus):
        goals = bus.poll("Present_Position")
        before = sum(bus.traffic)
        bus.poll("Present_Position")
        bus.sync_write("Goal_Position", goals)
        assert sum(bus.traffic) - before <= 1.1 * bus.least_tick_bytes

    def test_it_feels_how_motors_feel(self, name, bus, faults, first):
        felt = bus.vitals(first)
        assert isinstance(felt, Vitals)
        assert 3 < felt.voltage_v < 15
        assert 10 < felt.temperature_c < 60
        assert abs(felt.load) <= 1
        assert not felt.faults
        faults.overload(bus.motors[first].id)
        assert bus.vitals(first).faults == ("overload",)

    def test_a_fault_is_told_by_name_and_does_not_hinder_a_release(self, name, bus, faults, first):
        faults.overload(bus.motors[first].id)
        with pytest.raises(DeviceError, match=f"'{first}'.*overload.*switch its power off and on"):
            bus.read("Present_Position", first)
        bus.write("Torque_Enable", first, 0, despite_faults=True)
        assert set(bus.poll("Present_Position")) == set(bus.motors)
        assert bus.complaints == {first}

    def test_a_silent_motor_is_named_with_those_that_answer(self, name, bus, faults, first):
        silent, *others = (motor.id for motor in bus.motors.values())
        faults.silence(silent)
        for ask in (bus.ping, bus.vitals, lambda motor: bus.read("ID", motor), lambda _: bus.sync_read("ID")):
            with pytest.raises(MotorSilent, match=rf"Motor '{first}' \(id {silent}\).*Check") as caught:
                ask(first)
            assert caught.value.heard == tuple(others)

    def test_a_control_loop_keeps_the_last_value_of_a_silent_motor_for_a_while(self, name, bus, faults, first):
        before = bus.poll("Present_Position")
        faults.silence(bus.motors[first].id)
        for tick in range(1, bus.config.patience):
            assert bus.poll("Present_Position")[first] == before[first]
            assert bus.tallies[first].in_a_row == tick
        with pytest.raises(MotorSilent, match=f"Last heard .* ago: Present_Position {before[first]}") as caught:
            bus.poll("Present_Position")
        assert caught.value.motor == first
        assert len(caught.value.heard) == len(bus.motors) - 1
        faults.clear()
        bus.poll("Present_Position")
        assert bus.tallies[first].in_a_row == 0
        assert bus.tallies[first].missed > 0

    def test_a_control_loop_does_not_begin_without_a_motor(self, name, bus, faults, first):
        faults.silence(bus.motors[first].id)
        with pytest.raises(MotorSilent, match=first):
            bus.poll("Present_Position")

    def test_damaged_answers_are_counted_as_such(self, name, bus, faults, first):
        bus.poll("Present_Position")
        faults.wrong_checksum()
        bus.poll("Present_Position")
        tally = bus.tallies[first]
        assert tally.in_a_row == 1
        assert tally.damaged > 0
        assert tally.missed == 0

    def test_noise_is_got_over_within_the_tick(self, name, bus, faults):
        bus.poll("Present_Position")
        faults.seed(1)
        faults.noise(0.1)
        for _ in range(100):
            positions = bus.poll("Present_Position")
            assert set(positions) == set(bus.motors)
        lost = sum(tally.missed + tally.damaged for tally in bus.tallies.values())
        assert lost > 0
        assert max(tally.in_a_row for tally in bus.tallies.values()) <= 1

    def test_slow_answers_are_waited_for_once_that_is_known(self, name, bus, faults):
        faults.slow(0.02)
        seen = []
        for _ in range(4):
            bus.sync_read("Present_Position")
            before = [tally.missed for tally in bus.tallies.values()]
            bus.poll("Present_Position")
            seen.append(sum(tally.missed for tally in bus.tallies.values()) - sum(before))
        assert seen[-1] == 0

    def test_a_late_answer_is_not_taken_for_the_answer_to_something_else(self, name, bus, faults, first):
        bus.sync_read("Present_Position")
        for _ in range(60):  # it has learnt that answers come at once
            bus.poll("Present_Position")
        faults.slow(0.03, for_s=0.001)
        bus.poll("Present_Position")
        assert bus.read("Model_Number", first) == bus.model_number(first)

    def test_an_unplugged_adapter_comes_back(self, name, bus, faults):
        faults.unplug(for_s=0.5)
        assert set(bus.poll("Present_Position")) == set(bus.motors)
        assert bus.reconnects == 1

    def test_goals_that_met_an_unplug_are_not_sent(self, name, bus, faults, first):
        before = bus.read("Present_Position", first)
        faults.unplug(for_s=0.5)
        bus.sync_write("Goal_Position", {first: before + 300})
        assert bus.reconnects == 1
        assert bus.read("Goal_Position", first) != before + 300

    def test_an_adapter_that_stays_away_is_told_in_a_sentence(self, name, bus, faults):
        faults.unplug()
        with pytest.raises(DeviceError, match=r"unplugged and has not come back within 1 s"):
            bus.poll("Present_Position")
        assert bus.reconnects == 0

    def test_a_port_that_is_gone_with_its_adapter_is_told_in_one_sentence(self, name, bus, faults, monkeypatch):
        def gone():
            raise NotFound("serial port", "/dev/ttyACM0", [])

        faults.unplug()
        monkeypatch.setattr(bus.line, "open", gone)
        with pytest.raises(DeviceError, match=r"has not come back within 1 s\. Plug it in, and start again\.$"):
            bus.poll("Present_Position")

    def test_an_adapter_that_stayed_away_is_not_waited_for_again(self, name, bus, faults):
        faults.unplug()
        with pytest.raises(DeviceError, match="unplugged"):
            bus.poll("Present_Position")
        before = bus.line.scene.clock.now()
        for motor in bus.motors:
            with pytest.raises(DeviceError, match="unplugged"):
                bus.write("Torque_Enable", motor, 0, despite_faults=True)
        assert bus.line.scene.clock.now() == before
        faults.clear()
        bus.write("Torque_Enable", motor, 0)
        assert bus.reconnects == 1

    def test_a_bus_that_was_closed_is_not_opened_behind_ones_back(self, name, bus):
        bus.close()
        bus.close()
        with pytest.raises(DeviceError, match="not open"):
            bus.poll("Present_Position")

    def test_a_new_id_and_rate_are_followed(self, name, bus, first):
        bus.write("Torque_Enable", first, 0)
        bus.write("ID", first, 42)
        assert bus.motors[first].id == 42
        rate = next(rate for rate in bus.baud_rates if rate != bus.config.baud_rate)
        bus.write("Baud_Rate", first, bus.baud_rates[rate])
        assert bus.read("ID", first) == 42
        assert bus.scan() == {42: bus.model_number(first)}

    def test_an_id_belongs_to_one_motor(self, name, bus):
        one, two, *_ = bus.motors
        bus.write("Torque_Enable", one, 0)
        with pytest.raises(DeviceError, match=r"another motor has it already\. Connect one motor at a time"):
            bus.write("ID", one, bus.motors[two].id)
        with pytest.raises(ConfigError, match="ID takes 0 to 252, got 254"):
            bus.write("ID", one, 254)
        bus.write("ID", one, bus.motors[one].id)
        assert len(bus.scan()) == len(bus.motors)

    def test_motors_are_found_at_every_rate(self, name, bus, first):
        rate = list(bus.baud_rates)[2]
        bus.write("Torque_Enable", first, 0)
        bus.write("Baud_Rate", first, bus.baud_rates[rate])
        found = {motor.id: motor for motor in find_motors(bus)}
        assert found[bus.motors[first].id].baud_rate == rate
        assert {motor.id for motor in bus.motors.values()} == set(found)
        assert all(found[motor.id].model == motor.model for motor in bus.motors.values())

    def test_a_model_that_is_not_known_is_refused(self, name, config):
        with pytest.raises(NotFound, match="motor model"):
            buses.build(config, {"one": Motor(id=1, model="mx-28")})

    def test_what_outlives_a_power_cycle_does(self, name, bus, first):
        bus.write("Torque_Enable", first, 0)
        bus.write("Homing_Offset", first, 77)
        next(servo for servo in bus.line.arm.servos if servo.id == bus.motors[first].id).power_cycle()
        assert bus.read("Homing_Offset", first) == 77
