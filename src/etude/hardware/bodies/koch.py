"""The Koch v1.1: links, joints, masses and plain boxes instead of meshes.

Frames, joint ranges, masses and inertias are those of the low-cost arm in MuJoCo Menagerie (Apache-2.0), turned so
that the arm looks along x, that joint zero is the middle of the range and positive turns as with the SO-101: forward
and down, the gripper open. The base's mass, all boxes and fingers, and the friction and rotor inertia of the joints,
which are one number for XL430 and XL330 servos alike, are approximate.
"""

from __future__ import annotations

import math

from etude.hardware.bodies.body import FINGER, SERVO, Body, Box, Link, Mass, Site

_BASE_BOXES = (
    Box((0.040, 0.040, 0.004), (-0.010, 0, 0.004)),
    Box((0.018, 0.024, 0.014), (-0.012, 0, 0.020), color=SERVO),
)

_LINKS = (
    Link(
        "shoulder_pan",
        "shoulder",
        (-0.012, 0.0, 0.0409),
        (0.0, 1.0, 0.0, 0.0),
        (-2.2, 2.2),
        0.05014,
        (-0.011924, -0.000488, -0.013381),
        (7.6045e-06, 1.2358e-05, 1.4492e-05, 2.4893e-07, -2.83417e-08, 5.11219e-09),
        (Box((0.018, 0.022, 0.017), (-0.012, 0.0, -0.012), (0.0, 1.0, 0.0, 0.0), SERVO),),
    ),
    Link(
        "shoulder_lift",
        "upper_arm",
        (0.0, -0.0209, -0.0154),
        (0.686417, 0.686417, -0.169798, 0.169798),
        (-1.085, 1.085),
        0.050177,
        (-0.001175, -0.071547, -0.02097),
        (3.7018e-05, 8.2375e-06, 3.3772e-05, -2.8959e-06, 2.5963e-09, -1.60111e-10),
        (
            Box((0.012, 0.013, 0.04), (-0.002, -0.045, -0.021), (0.707107, 0.707107, 0.0, 0.0)),
            Box((0.018, 0.014, 0.012), (0.006, -0.095, -0.019), (0.707107, 0.707107, 0.0, 0.0), SERVO),
        ),
    ),
    Link(
        "elbow_flex",
        "lower_arm",
        (0.0148, -0.1083, -0.0065),
        (0.99955, 0.0, 0.0, -0.029996),
        (-1.51, 1.51),
        0.06379,
        (0.05537, -0.002866, -0.014505),
        (7.3427e-06, 2.4506e-05, 2.2231e-05, 1.89503e-07, 2.6058e-09, 9.80747e-11),
        (
            Box((0.034, 0.011, 0.01), (0.042, -0.003, -0.0145), (0.707107, 0.707107, 0.0, 0.0)),
            Box((0.014, 0.013, 0.012), (0.088, -0.003, -0.0145), (0.707107, 0.707107, 0.0, 0.0), SERVO),
        ),
    ),
    Link(
        "wrist_flex",
        "wrist",
        (0.10048, -0.0027, -5e-05),
        (1.0, 0.0, 0.0, 0.0),
        (-2.0, 2.0),
        0.019805,
        (0.02652, 9e-06, -0.019195),
        (2.9577e-06, 2.8759e-06, 1.0783e-06, -1.33097e-10, 2.8302e-08, 1.37569e-09),
        (Box((0.016, 0.011, 0.012), (0.024, 0.0, -0.016), (0.707107, 0.707107, 0.0, 0.0), SERVO),),
    ),
    Link(
        "wrist_roll",
        "gripper",
        (0.045, 0.0, -0.013097),
        (-0.5, -0.5, 0.5, 0.5),
        (-3.14, 3.14),
        0.029277,
        (0.00018, -0.005338, -0.019091),
        (8.1125e-06, 6.8334e-06, 3.5905e-06, 2.84439e-09, 4.61775e-08, -1.0601e-06),
        (Box((0.014, 0.012, 0.016), (0.0, -0.004, -0.012), (0.707107, 0.0, 0.707107, 0.0), SERVO),),
    ),
    Link(
        "gripper",
        "moving_jaw",
        (0.0145, 0.0075, -0.01315),
        (0.707107, 0.0, 0.707107, 0.0),
        (-0.032, 1.6),
        0.012831,
        (0.02507, -0.001082, -0.01414),
        (1.5159e-06, 3.449e-06, 2.4565e-06, 3.15598e-07, -3.40902e-08, 3.86892e-09),
        (Box((0.008, 0.006, 0.004), (0.006, -0.003, -0.012)),),
    ),
)

_FINGERS = {
    "fixed_finger": (
        "gripper",
        Box((0.020, 0.002, 0.008), (0, -0.0125, -0.050), (math.sqrt(0.5), 0, math.sqrt(0.5), 0), FINGER),
    ),
    "moving_finger": ("moving_jaw", Box((0.020, 0.002, 0.008), (0.036, -0.0093, -0.0140), color=FINGER)),
}

KOCH = Body(
    name="koch",
    base=Mass(0.12, (-0.010, 0, 0.015), (1e-4, 1e-4, 1e-4, 0, 0, 0)),
    base_boxes=_BASE_BOXES,
    links=_LINKS,
    fingers=_FINGERS,
    sites=(
        # The fixed finger's tip, turned as the SO-101's tool frame.
        Site("gripperframe", "gripper", (0, -0.0105, -0.0688), (math.sqrt(0.5), 0, math.sqrt(0.5), 0)),
        Site("pinch", "gripper", (0, 0, -0.062)),
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
    armature_kg_m2=0.005,
    damping_nms_rad=0.02,
    friction_nm=0.02,
    gripper_center_rad=math.radians(45),
)
