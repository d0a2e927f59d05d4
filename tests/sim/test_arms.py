"""Several arms in one world."""

import numpy as np
import pytest

from etude.core.errors import DeviceError, NotFound
from etude.envs import envs
from etude.hardware import robots, teleoperators
from etude.hardware.buses.dynamixel.packet import Instruction, Packet, encode, parse
from etude.hardware.device import connected
from etude.hardware.robots.koch_follower.kind import KOCH_FOLLOWER
from etude.sim.people import Sweep
from etude.sim.world import World


@pytest.fixture
def world():
    return World()


def test_the_first_one_stands_at_the_origin_and_others_beside_it(world):
    right, left, third = (world.arms.follower(name=name) for name in ("right", "left", ""))
    assert [arm.seat.pos for arm in (right, left, third)] == [(0.0, 0.0, 0.0), (0.0, 0.42, 0.0), (0.0, -0.42, 0.0)]
    assert world.arm is right
    names = [world.model.camera(number).name for number in range(world.model.ncam)]
    assert names == ["front", "wrist", "left_wrist", "so101_2_wrist"]


def test_each_has_servos_of_its_own(world):
    one, other = world.arms.follower(name="left"), world.arms.follower(name="right")
    world.start()
    one.servos[0].write(42, (2300).to_bytes(2, "little"))
    before = other.joints
    world.clock.sleep_until(0.5)
    assert one.joints[0] == pytest.approx(252 * 2 * np.pi / 4096, abs=0.03)
    assert other.joints[0] == pytest.approx(before[0], abs=0.03)


def test_an_arm_alone_behaves_as_with_others(world):
    alone, pair = World(), world
    pair.arms.follower()
    pair.arms.follower("koch")
    for each in (alone, pair):
        each.reset(4)
        each.clock.sleep_until(0.3)
    np.testing.assert_allclose(alone.arm.joints, pair.arm.joints, atol=1e-9)


def test_nobody_joins_a_world_that_is_running(world):
    world.start()
    assert world.arms.follower() is world.arm
    with pytest.raises(DeviceError, match=r"'left' cannot join: the world is running already, with so101\. Build all"):
        world.arms.follower(name="left")
    assert world.arms.leader(name="left").joints.shape == (6,)


def test_arms_that_are_not_simulated(world):
    with pytest.raises(NotFound, match="Did you mean 'koch'"):
        world.arms.follower("kock")


def test_a_leader_lives_while_somebody_holds_it(world):
    leader = world.arms.leader()
    assert world.arms.leader() is leader
    leader.servos[0].memory.set("ID", 9)
    del leader
    assert world.arms.leader().servos[0].id == 1


def test_a_leader_begins_where_the_follower_of_its_name_stands(world):
    world.arms.follower(name="left")
    right, leader = world.arms.follower(name="right"), world.arms.leader(name="right")
    world.reset(5)
    np.testing.assert_array_equal(leader.joints, right.joints)


def test_the_koch_holds_itself_up_and_moves(world):
    koch = world.arms.follower("koch")
    world.start()
    goals = {motor.id: 2048 for motor in KOCH_FOLLOWER.motors.values()}
    for motor_id, goal in goals.items():
        for address, data in ((64, b"\1"), (84, b"\xdc\5"), (116, goal.to_bytes(4, "little"))):
            packet = Packet(motor_id, Instruction.WRITE, address.to_bytes(2, "little") + data)
            (reply,), _ = parse(koch.exchange(encode(packet)))
            assert reply.params == b"\0"
    world.clock.sleep_until(1.5)
    np.testing.assert_allclose(koch.joints[:5], np.zeros(5), atol=0.06)
    assert koch.joints[5] == pytest.approx(np.radians(45), abs=0.06)


@pytest.mark.parametrize("body", ["so101", "koch"])
def test_hands_move_a_limp_arm_through_its_ranges_and_let_a_stiff_one_be(world, body):
    arm = world.arms.follower(body)
    world.start()
    arm.hands = Sweep(arm.seat.body, share=0.5)
    low, high = np.array([link.range_rad for link in arm.seat.body.links]).T
    path = []
    for tick in range(45):
        world.clock.sleep_until(0.1 * tick)
        path.append(arm.joints)
    np.testing.assert_allclose(path[14], (low + high) / 2, atol=0.03)
    assert ((np.ptp(path, axis=0) / (high - low))[1:] > 0.4).all()
    for servo in arm.servos:
        address = 40 if body == "so101" else 64
        servo.write(address, b"\1")
    held = arm.joints
    world.clock.sleep_until(world.clock.now() + 0.3)
    assert np.abs(arm.joints - held).max() < 0.25


def test_a_robot_and_its_leader_through_their_drivers():
    robot = robots.build(robots.config("so101_follower")(port="sim", cameras={}))
    leader = teleoperators.build(teleoperators.config("so101_leader")(port="sim"))
    with connected(robot, leader):
        robot.scene.reset(0)
        start = robot.observe()["observation.state"]
        np.testing.assert_allclose(leader.read(), start, atol=5)
        for _ in range(30):
            robot.apply(leader.read())
            robot.scene.clock.sleep_until(robot.scene.clock.now() + 1 / 30)
        assert np.abs(robot.observe()["observation.state"] - start).max() > 10


def test_with_the_leader_in_the_hand_the_demonstrator_does_the_task():
    env = envs.build(envs.config("so101_pick_place")())
    leader = teleoperators.build(teleoperators.config("so101_leader")(port="sim"))
    with connected(leader):
        env.reset(0)
        leader.reset(0)
        steps = [env.step(leader.read())]
        while not steps[-1].success and len(steps) < 300:
            steps.append(env.step(leader.read()))
    env.close()
    assert steps[-1].success
