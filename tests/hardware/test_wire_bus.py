"""How long a control loop is held up by motors that do not answer, on a line where waiting takes time."""

import pytest

from etude.core.errors import MotorSilent
from etude.hardware.bus import Motor
from etude.hardware.buses.dynamixel.bus import DynamixelBus
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.servo import XSeries
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215

IDS = range(1, 7)
FAMILIES = {
    "feetech": (FeetechBus, ServoChain, Sts3215, "sts3215"),
    "dynamixel": (DynamixelBus, DynamixelChain, XSeries, "xl330-m288"),
}
TICK_S = 1 / 30


@pytest.fixture(params=FAMILIES)
def bus(request, slow_line):
    """A bus that has learnt that answers come within a millisecond."""
    family, chain, servo, model = FAMILIES[request.param]
    servos = [servo(number) for number in IDS]
    bus = family(slow_line(chain(servos).exchange, 0.001), {f"m{key}": Motor(id=key, model=model) for key in IDS})
    bus.servos = servos
    bus.open()
    for _ in range(60):
        bus.poll("Present_Position")
    return bus


def took(bus, do):
    clock = bus.line.clock
    before = clock.time
    do()
    return clock.time - before


def test_a_tick_takes_as_long_as_the_answers(bus):
    assert took(bus, lambda: bus.poll("Present_Position")) == pytest.approx(0.001)


def test_a_silent_motor_costs_less_than_a_tick(bus):
    bus.servos[2].is_silent = True
    for _ in range(bus.config.patience - 1):
        assert took(bus, lambda: bus.poll("Present_Position")) < 0.75 * TICK_S
    assert [tally.in_a_row for tally in bus.tallies.values()] == [0, 0, 4, 0, 0, 0]


def test_an_arm_without_power_costs_little_more_than_a_tick(bus):
    for servo in bus.servos:
        servo.is_silent = True
    for _ in range(bus.config.patience - 1):
        assert took(bus, lambda: bus.poll("Present_Position")) < 2 * TICK_S
    with pytest.raises(MotorSilent, match=r"No motor answers\. Check the power supply"):
        bus.poll("Present_Position")


def test_so_do_its_vitals(bus):
    bus.vitals("m3")
    bus.servos[2].is_silent = True

    def ask():
        with pytest.raises(MotorSilent, match=r"'m3'.*do answer: 1, 2, 4, 5, 6"):
            bus.vitals("m3")

    assert took(bus, ask) < TICK_S


def test_what_is_told_of_a_lost_motor_includes_how_it_felt(bus):
    bus.vitals("m3")
    bus.servos[2].is_silent = True
    with pytest.raises(MotorSilent, match=r"Present_Position 2048, \d+\.\d V, 25 °C, load 0%"):
        for _ in range(bus.config.patience):
            bus.poll("Present_Position")


def test_what_was_heard_before_it_was_opened_anew_counts_for_nothing(bus):
    bus.close()
    bus.servos[1].is_silent = True
    bus.open()
    with pytest.raises(MotorSilent, match="'m2'"):
        bus.poll("Present_Position")
