"""Drives a follower and its leader with LeRobot's own classes, as its commands do; runs with a Python that has LeRobot.

    python driven_by_lerobot.py so101|koch FOLLOWER_PORT LEADER_PORT CALIBRATION_FOLDER

Prints what it saw as JSON. Prompts are answered when the arm says that it is ready: somebody moves it meanwhile.
"""

import builtins
import functools
import json
import sys
import time
from pathlib import Path

from lerobot.motors import motors_bus

MAKE, FOLLOWER_PORT, LEADER_PORT, FOLDER = sys.argv[1:]
if MAKE == "koch":
    from lerobot.robots.koch_follower import KochFollower as Follower
    from lerobot.robots.koch_follower import KochFollowerConfig as FollowerConfig
    from lerobot.teleoperators.koch_leader import KochLeader as Leader
    from lerobot.teleoperators.koch_leader import KochLeaderConfig as LeaderConfig
else:
    from lerobot.robots.so_follower import SO101Follower as Follower
    from lerobot.robots.so_follower import SO101FollowerConfig as FollowerConfig
    from lerobot.teleoperators.so_leader import SO101Leader as Leader
    from lerobot.teleoperators.so_leader import SO101LeaderConfig as LeaderConfig

SWEEP_S, STILL_S, DEADLINE_S, TELEOPERATION_S = 5.0, 0.5, 20.0, 3.0


def answer_prompts(bus):
    """Press ENTER once the arm is held still, and again when all its joints have been moved."""

    def press_when_still(_prompt=""):
        since, seen, deadline = time.perf_counter(), None, time.perf_counter() + DEADLINE_S
        while time.perf_counter() - since < STILL_S and time.perf_counter() < deadline:
            now = bus.sync_read("Present_Position", normalize=False)
            if seen is None or any(abs(now[motor] - seen[motor]) > 3 for motor in now):
                since, seen = time.perf_counter(), now
        return ""

    begun = []

    def pressed_in_the_end():
        begun.append(time.perf_counter())
        return begun[-1] - begun[0] > SWEEP_S

    builtins.input, motors_bus.enter_pressed = press_when_still, pressed_in_the_end


def be_patient(bus):
    """Turn on LeRobot's own retries: a computer that is busy with tests may answer later than its 50 ms."""
    for name in ("read", "write", "sync_read"):
        setattr(bus, name, functools.partial(getattr(bus, name), num_retry=10))


def calibrated(device):
    be_patient(device.bus)
    answer_prompts(device.bus)
    device.connect()
    return {motor: vars(values) for motor, values in device.calibration.items()}


def settle(follower, action, seconds=1.5):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sent = follower.send_action(action)
        time.sleep(1 / 60)
    return sent


def main():
    where = {"id": "peer", "calibration_dir": Path(FOLDER)}
    follower = Follower(FollowerConfig(port=FOLLOWER_PORT, disable_torque_on_disconnect=False, **where))
    leader = Leader(LeaderConfig(port=LEADER_PORT, **where | {"id": "peer_leader"}))
    seen = {"follower": calibrated(follower), "leader": calibrated(leader)}
    led, followed = [], []
    end = time.perf_counter() + TELEOPERATION_S
    while time.perf_counter() < end:
        action = leader.get_action()
        follower.send_action(action)
        state = follower.get_observation()
        led.append(action["wrist_flex.pos"])
        followed.append(state["wrist_flex.pos"])
        time.sleep(1 / 60)
    rest = dict.fromkeys(action, 0.0) | {"gripper.pos": 50.0}
    settle(follower, rest)
    seen |= {"led": led, "followed": followed}
    seen["state"] = follower.get_observation()
    seen["is_calibrated"] = follower.is_calibrated and leader.is_calibrated
    follower.disconnect()
    leader.disconnect()
    sys.stdout.write(f"\n{json.dumps(seen)}\n")


main()
