"""The SO-101: links, joints, masses and plain boxes instead of meshes.

Frames, joint ranges, masses and inertias are those of TheRobotStudio's `so101_new_calib` model and the boxes follow
MuJoCo Menagerie's collision geometry (both Apache-2.0). Joint friction and rotor inertia were identified on a
STS3215 servo by Rhoban's BAM. Joint zero is the middle of the range, positive turns as in LeRobot; only the gripper's
zero is nearly closed.
"""

from __future__ import annotations

import math

from etude.hardware.bodies.body import FINGER, SERVO, Body, Box, Link, Mass, Site

_BASE_BOXES = (
    Box((0.052, 0.046, 0.006), (0.012, 0, 0.006)),
    Box((0.026, 0.030, 0.022), (-0.010, 0, 0.034)),
    Box((0.024, 0.014, 0.019), (0.0388, 0, 0.031), color=SERVO),
)

_LINKS = (
    Link(
        "shoulder_pan",
        "shoulder",
        (0.0388353, 0, 0.0624),
        (0, 0, -1, 0),
        (-1.91986, 1.91986),
        0.100006,
        (-0.0307604, -1.66727e-05, -0.0252713),
        (8.3759e-5, 8.10403e-5, 2.39783e-5, 7.55525e-8, -1.16342e-6, 1.54663e-7),
        (
            Box((0.023, 0.015, 0.010), (-0.030399, 0.000422, -0.0387), (1, 1, 1, -1), SERVO),
            Box((0.038, 0.025, 0.020), (-0.025, 0, 0), (1, 1, -1, 1)),
        ),
    ),
    Link(
        "shoulder_lift",
        "upper_arm",
        (-0.0303992, -0.0182778, -0.0542),
        (0.5, -0.5, -0.5, -0.5),
        (-1.74533, 1.74533),
        0.103,
        (-0.0898471, -0.00838224, 0.0184089),
        (4.08002e-5, 1.47318e-4, 1.42487e-4, -1.97819e-5, -4.03016e-8, 8.97326e-9),
        (
            Box((0.010, 0.070, 0.030), (-0.060, 0, 0.020), (0, -1, 1, 0)),
            Box((0.010, 0.020, 0.015), (-0.120, -0.014, 0.0182), (0, 1, 0, 0), SERVO),
        ),
    ),
    Link(
        "elbow_flex",
        "lower_arm",
        (-0.11257, -0.028, 0),
        (math.sqrt(0.5), 0, 0, math.sqrt(0.5)),
        (-1.69, 1.69),
        0.104,
        (-0.0980701, 0.00324376, 0.0182831),
        (2.87438e-5, 1.59844e-4, 1.4529e-4, 7.41152e-6, 1.26409e-6, -4.90188e-8),
        (
            Box((0.070, 0.010, 0.030), (-0.050, 0, 0.0182), (0, 1, 0, 0)),
            Box((0.023, 0.013, 0.018), (-0.125, 0.005, 0.018), color=SERVO),
        ),
    ),
    Link(
        "wrist_flex",
        "wrist",
        (-0.1349, 0.0052, 0),
        (math.sqrt(0.5), 0, 0, -math.sqrt(0.5)),
        (-1.658063, 1.658063),
        0.079,
        (-0.000103312, -0.0386143, 0.0281156),
        (3.68263e-5, 2.5391e-5, 2.1e-5, 1.7893e-8, -5.28128e-8, 3.6412e-6),
        (
            Box((0.029, 0.015, 0.018), (0, -0.0424, 0.0256), (1, 1, 1, -1), SERVO),
            Box((0.027, 0.010, 0.030), (0, -0.020, 0.0191), (1, -1, -1, -1)),
        ),
    ),
    Link(
        "wrist_roll",
        "gripper",
        (0, -0.0611, 0.0181),
        (0.0172091, -0.0172091, 0.706897, 0.706897),
        (-2.7438473, 2.8412063),
        0.087,
        (0.000213627, 0.000245138, -0.025187),
        (2.75087e-5, 4.33657e-5, 3.45059e-5, -3.35241e-7, -5.7352e-6, -5.17847e-8),
        (
            Box((0.0325, 0.015, 0.015), (-0.0025, 0, -0.022), color=SERVO),
            Box((0.010, 0.015, 0.005), (-0.024, 0, -0.040)),
            Box((0.003, 0.010, 0.014), (-0.0163, 0, -0.055), (0.9989, 0, -0.0465, 0)),
        ),
    ),
    Link(
        "gripper",
        "moving_jaw",
        (0.0202, 0.0188, -0.0234),
        (math.sqrt(0.5), math.sqrt(0.5), 0, 0),
        (-0.174533, 1.745329),
        0.012,
        (-0.00157495, -0.0300244, 0.0192755),
        (6.61427e-6, 1.89032e-6, 5.28738e-6, -3.19807e-7, -5.90717e-9, -1.09945e-7),
        (
            Box((0.010, 0.010, 0.015), (0, -0.013, 0.019)),
            Box((0.003, 0.021, 0.010), (-0.0045, -0.043, 0.019), (0.9928, 0, 0, -0.1197)),
        ),
    ),
)

# The real finger tips are sheets of 2 mm that end in small rounded pads. These are a little thicker and wider, as
# with the rubber that people glue on, so that a block does not turn in the grasp.
_FINGERS = {
    "fixed_finger": ("gripper", Box((0.0030, 0.008, 0.020), (-0.0115, -0.0002, -0.082), color=FINGER)),
    "moving_finger": (
        "moving_jaw",
        Box((0.0030, 0.018, 0.008), (-0.0088, -0.0640, 0.0190), (0.9975, 0, 0, -0.0700), FINGER),
    ),
}

SO101 = Body(
    name="so101",
    base=Mass(
        0.147,
        (0.0137179, -5.19711e-05, 0.0334843),
        (1.14686e-4, 1.36117e-4, 1.30364e-4, -4.59787e-7, 4.97151e-6, 9.75275e-8),
    ),
    base_boxes=_BASE_BOXES,
    links=_LINKS,
    fingers=_FINGERS,
    sites=(
        # The tool frame of TheRobotStudio's model, on the inner side of the fixed finger's tip.
        Site("gripperframe", "gripper", (-0.0079, -0.000218121, -0.0981274), (math.sqrt(0.5), 0, math.sqrt(0.5), 0)),
        # The place between the open fingers where a block's centre belongs; x points from the fixed to the moving one.
        Site("pinch", "gripper", (0.012, -0.0002, -0.092)),
    ),
    not_touching=(
        ("base", "shoulder"),
        ("base", "upper_arm"),
        ("shoulder", "upper_arm"),
        ("upper_arm", "lower_arm"),
        ("lower_arm", "wrist"),
        ("lower_arm", "gripper"),
        ("wrist", "gripper"),
        ("gripper", "moving_jaw"),
    ),
    armature_kg_m2=0.028403,
    damping_nms_rad=0.059085,
    friction_nm=0.052393,
    gripper_center_rad=math.radians(45),
)
