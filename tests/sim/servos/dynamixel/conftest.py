"""Two Dynamixels on a wire, and a host that talks to them."""

import math

import pytest

from etude.hardware.buses.dynamixel.packet import Instruction, Packet, encode, parse
from etude.hardware.buses.dynamixel.registers import register
from etude.sim.servos.dynamixel.chain import DynamixelChain
from etude.sim.servos.dynamixel.models import XL430_W250
from etude.sim.servos.dynamixel.servo import XSeries

TICK_RAD = 2 * math.pi / 4096
DT = 0.002


@pytest.fixture
def servo():
    return XSeries(1)


@pytest.fixture
def chain(servo):
    return DynamixelChain([servo, XSeries(2, model=XL430_W250)])


def words(*values):
    return b"".join(value.to_bytes(2, "little") for value in values)


def send(chain, code, params=b"", to=1):
    packets, rest = parse(chain.exchange(encode(Packet(to, code, params))))
    assert not rest
    return packets


def put(chain, name, value, to=1):
    """The error byte of the answer."""
    item = register(name)
    (reply,) = send(chain, Instruction.WRITE, words(item.address) + item.encode(value), to)
    return reply.params[0]


def get(chain, name, to=1):
    item = register(name)
    (reply,) = send(chain, Instruction.READ, words(item.address, item.size), to)
    return item.decode(reply.params[1:])


def move(servo, joint_rad, seconds=DT):
    for _ in range(round(seconds / DT)):
        nm = servo.torque(joint_rad, 0.0, DT)
    return nm
