"""How well and how fast hand poses are found, as JSON: 200 poses of an SO-101 that it can reach, ours and mink's.

    python benchmarks/kinematics.py [--poses=200]

Every pose comes from joints within 80 % of their ranges; both solvers start with all joints at zero, may take 100
iterations from each start, and are asked for the whole pose, position counting a hundred times as much per metre as
orientation per radian. Found means within 1 mm. `tracking` moves the hand along lines in steps of 4 mm, each solved
from the last, and tells the farthest that a joint turned in one step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from etude.hardware.kinematics import HandPose, Kinematics
from etude.hardware.kinematics.model import compile_arm
from etude.hardware.kinematics.starts import starts
from etude.rollout.hand import LONGEST_STEP_RAD

ITERATIONS, FOUND_M = 100, 1e-3
LINES, LINE_STEPS, LINE_STEP_M = 40, 40, 0.004
Solve = Callable[[HandPose, np.ndarray, np.ndarray, int], tuple[np.ndarray, float]]
"""Gives joints and error for a pose, its rotation matrix, a start and a number of iterations."""


def ours(arm: Kinematics) -> Solve:
    """Damped least squares in a box, which is as small as it is for a hand that is driven when a line is followed."""

    def solve(pose: HandPose, _: np.ndarray, start: np.ndarray, iterations: int) -> tuple[np.ndarray, float]:
        reach_rad = LONGEST_STEP_RAD if iterations < ITERATIONS else np.inf
        found = arm.follow(pose, start, iterations=iterations, reach_rad=reach_rad)
        return found.joints, found.error_m

    return solve


def minks(arm: Kinematics) -> Solve:
    """Solve a quadratic programme with limits at each iteration (daqp), as mink's examples do."""
    import mink  # noqa: PLC0415  what is measured here, and not needed elsewhere

    model = compile_arm("so101")
    task = mink.FrameTask(model.model.site(model.site).name, "site", 1.0, 0.01, lm_damping=1e-6)
    limits, configuration = [mink.ConfigurationLimit(model.model)], mink.Configuration(model.model)

    def solve(pose: HandPose, rotation: np.ndarray, start: np.ndarray, iterations: int) -> tuple[np.ndarray, float]:
        configuration.update(np.append(start, 0.0))
        turn = mink.SO3.from_matrix(rotation)
        task.set_target(mink.SE3.from_rotation_and_translation(turn, pose.position))
        for _ in range(iterations):
            velocity = mink.solve_ik(configuration, [task], 1.0, "daqp", 1e-6, limits=limits)
            configuration.integrate_inplace(velocity, 1.0)
            if np.abs(velocity).max() < 1e-3:
                break
        return configuration.q[:-1].copy(), float(np.linalg.norm(arm.forward(configuration.q)[0] - pose.position))

    return solve


def poses(arm: Kinematics, count: int) -> Iterator[tuple[HandPose, np.ndarray]]:
    """Draw poses that can be reached, with their rotation matrices."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        joints = rng.uniform(0.8 * arm.low, 0.8 * arm.high)
        pose = arm.pose(joints)
        assert isinstance(pose, HandPose)
        yield pose, arm.forward(joints)[1]


def single(arm: Kinematics, solve: Solve, count: int, *, tries: int) -> dict[str, Any]:
    """Solve poses far away, from up to `tries` starts."""
    found, seconds = 0, []
    for pose, rotation in poses(arm, count):
        begun = time.perf_counter()
        for start in itertools.islice(itertools.chain([np.zeros(arm.num_arm)], starts(arm, pose)), tries):
            if is_found := solve(pose, rotation, start, ITERATIONS)[1] < FOUND_M:
                break
        seconds.append(time.perf_counter() - begun)
        found += is_found
    return {
        "found": found,
        "of": count,
        "median_ms": _ms(np.median(seconds)),
        "p95_ms": _ms(np.quantile(seconds, 0.95)),
    }


def tracking(arm: Kinematics, solve: Solve) -> dict[str, Any]:
    """Follow straight lines in small steps, with a handful of iterations for each."""
    rng, worst, errors, seconds = np.random.default_rng(1), 0.0, [], []
    for pose, rotation in poses(arm, LINES):
        joints, _ = solve(pose, rotation, np.zeros(arm.num_arm), ITERATIONS)
        way = rng.standard_normal(3)
        way *= LINE_STEP_M / np.linalg.norm(way)
        for step in range(1, LINE_STEPS + 1):
            begun = time.perf_counter()
            there, error = solve(pose.moved(step * way), rotation, joints, 8)
            seconds.append(time.perf_counter() - begun)
            errors.append(error)
            worst, joints = max(worst, float(np.abs(there - joints).max())), there
    close = float(np.mean(np.array(errors) < FOUND_M))
    return {"within_1mm": round(close, 3), "farthest_turn_rad": round(worst, 3), "median_ms": _ms(np.median(seconds))}


def _ms(seconds: Any) -> float:
    return round(1e3 * float(seconds), 3)


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=200)
    options = parser.parse_args()
    arm = Kinematics.of("so101")
    answer = {
        name: {
            "one start": single(arm, solve, options.poses, tries=1),
            "up to 17 starts": single(arm, solve, options.poses, tries=17),
            "tracking": tracking(arm, solve),
        }
        for name, solve in {"ours": ours(arm), "mink 1.2": minks(arm)}.items()
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
