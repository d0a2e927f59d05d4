import math
from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import DeviceError, UserError
from etude.hardware import buses
from etude.hardware.arm_calibration import read
from etude.hardware.calibrating import Answer, Done, Hold, Moving, by_itself, keep
from etude.hardware.calibration import Norm, Scale
from etude.hardware.robots.koch_follower.kind import KOCH_FOLLOWER
from etude.hardware.robots.so101_follower.kind import SO101_FOLLOWER
from etude.sim import makes
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215
from etude.sim.world import begin_world

from .conftest import RANGES

POLL_S = 0.02


@pytest.fixture
def arm(monkeypatch):
    """An SO-101 in a world of its own, new from the box: horns anywhere, nothing calibrated; and a bus to it."""

    def make(seed):
        offsets = np.random.default_rng(seed).integers(-2048, 2048, 6)

        def wire():
            return ServoChain([Sts3215(number, mounting_offset=int(at)) for number, at in enumerate(offsets, 1)])

        monkeypatch.setitem(makes._FOLLOWERS, "so101", replace(makes._FOLLOWERS["so101"], wire=wire))
        world = begin_world()
        bus = buses.build(buses.config("feetech")(port="sim"), SO101_FOLLOWER.motors)
        bus.open()
        return world, bus

    return make


def play(world, bus, *, each=lambda _: None):
    steps = by_itself(SO101_FOLLOWER, bus, world.clock)
    step, seen = next(steps), []
    while not isinstance(step, Done):
        seen.append(step)
        world.clock.sleep_until(world.clock.now() + POLL_S)
        each(step)
        step = steps.send(Answer.NEXT if isinstance(step, Hold) else None)
    return step, seen


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_an_arm_new_from_the_box_finds_its_stops_and_tells_the_angles_of_its_joints(arm, seed, tmp_path):
    world, bus = arm(seed)
    before = bus.sync_read("Torque_Limit")
    done, seen = play(world, bus)
    assert {type(step) for step in seen} == {Hold, Moving}
    assert done.findings == ()
    assert not any(bus.sync_read("Torque_Enable").values())
    assert bus.sync_read("Torque_Limit") == before
    keep(SO101_FOLLOWER, bus, tmp_path / "arm.json", done.calibration)
    world.clock.sleep_until(world.clock.now() + POLL_S)
    norms = [Norm.RANGE_0_100 if motor == "gripper" else Norm.DEGREES for motor in SO101_FOLLOWER.motors]
    units = Scale(done.calibration, norms).to_units(np.array(list(bus.sync_read("Present_Position").values())))
    for joint, unit, rad in zip(RANGES, units, world.arm.joints, strict=True):
        if joint == "wrist_roll":
            continue  # its middle is where it was
        low, high = RANGES[joint]
        expected = 100 * (rad - low) / (high - low) if joint == "gripper" else math.degrees(rad - (low + high) / 2)
        assert unit == pytest.approx(expected, abs=2.0), joint


def test_nothing_moves_before_the_person_says_so(arm):
    world, bus = arm(0)
    steps = by_itself(SO101_FOLLOWER, bus, world.clock)
    assert isinstance(next(steps), Hold)
    assert isinstance(steps.send(None), Hold)
    steps.close()


def test_a_fault_ends_it_and_the_motors_get_back_what_they_held(arm):
    world, bus = arm(4)
    held, limits = read(SO101_FOLLOWER, bus), bus.sync_read("Torque_Limit")
    moves = []

    def strike(step):
        if isinstance(step, Moving):
            moves.append(step)
        if len(moves) == 50:
            world.arm.servos[1].drive.temperature_c = 90.0

    with pytest.raises(DeviceError, match=r"'shoulder_lift'|over-temperature"):
        play(world, bus, each=strike)
    world.arm.servos[1].drive.temperature_c = 30.0
    assert read(SO101_FOLLOWER, bus) == held
    assert bus.sync_read("Torque_Limit") == limits
    assert not any(bus.sync_read("Torque_Enable").values())


def test_arms_that_cannot_are_told_so():
    with pytest.raises(UserError, match="Only SO-100 and SO-101 followers"):
        next(by_itself(KOCH_FOLLOWER, None, None))


def test_a_second_ctrl_c_leaves_no_motor_weak_either(arm, monkeypatch):
    world, bus = arm(0)
    held, limits = read(SO101_FOLLOWER, bus), bus.sync_read("Torque_Limit")
    steps = by_itself(SO101_FOLLOWER, bus, world.clock)
    next(steps)
    steps.send(Answer.NEXT)
    for _ in range(10):
        world.clock.sleep_until(world.clock.now() + POLL_S)
        steps.send(None)
    assert set(bus.sync_read("Torque_Limit").values()) == {300, 450, 600}
    write, hurries = bus.write, iter([True])

    def hurried(name, motor, value, **options):
        if motor == "wrist_flex" and next(hurries, False):
            raise KeyboardInterrupt
        write(name, motor, value, **options)

    monkeypatch.setattr(bus, "write", hurried)
    with pytest.raises(KeyboardInterrupt):
        steps.close()
    assert read(SO101_FOLLOWER, bus) == held
    assert bus.sync_read("Torque_Limit") == limits
    assert bus.sync_read("Torque_Enable") == dict.fromkeys(SO101_FOLLOWER.motors, 1), "it holds"
