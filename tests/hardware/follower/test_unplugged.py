"""The adapter of a follower goes away in the moment in which its motors are being switched on."""

import pytest

from etude.core.errors import DeviceError
from etude.hardware import robots
from etude.hardware.device import connected

GOAL, TORQUE = 42, 40
WRITE = 3


@pytest.fixture
def pull(arm, monkeypatch):
    """Let the cable fall out when the elbow is written to at some address; it is back at once, the elbow has fallen."""
    send = arm.line.write

    def pull(address):
        def write(data):
            switches_off = address == TORQUE and data[6:7] == b"\0"
            if data[2] == 3 and data[4] == WRITE and data[5] == address and not switches_off:
                monkeypatch.setattr(arm.line, "write", send)
                arm.position[2] += 0.8
                arm.rest()
                raise DeviceError("the port failed")
            send(data)

        monkeypatch.setattr(arm.line, "write", write)

    return pull


@pytest.mark.parametrize("address", [GOAL, TORQUE])
def test_a_motor_that_may_have_fallen_is_not_switched_on(arm, config, pull, address):
    robot = robots.build(config)
    arm.servos[2].memory.set("Goal_Position", 3000)
    pull(address)
    with pytest.raises(DeviceError, match="was unplugged while 'elbow_flex' was being switched on, and is back"):
        robot.connect()
    assert arm.registers("Torque_Enable") == [0] * 6
    assert arm.position[2] == pytest.approx(0.8, abs=0.01), "nothing moved it"


def test_it_can_be_tried_again(arm, config, pull):
    pull(TORQUE)
    with pytest.raises(DeviceError, match="try again"):
        robots.build(config).connect()
    with connected(robots.build(config)):
        arm.rest(0.5)
    assert arm.position[2] == pytest.approx(0.8, abs=0.01)


def test_after_limp_it_stays_limp(arm, robot, pull):
    robot.observe()
    robot.limp()
    pull(GOAL)
    with pytest.raises(DeviceError, match="is back"):
        robot.resume()
    assert arm.registers("Torque_Enable")[2] == 0
