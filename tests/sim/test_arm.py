import numpy as np
import pytest

from etude.hardware.bodies.mjcf import add_arm
from etude.hardware.bodies.so101 import SO101
from etude.hardware.physics import mujoco


@pytest.fixture(scope="module")
def model():
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    add_arm(spec)
    return spec.compile()


def test_masses_are_those_of_the_real_arm(model):
    assert model.body_mass.sum() == pytest.approx(0.632, abs=1e-4)
    assert model.body("base").mass[0] == pytest.approx(0.147)


def test_joints_come_in_motor_order_with_their_limits(model):
    assert tuple(model.joint(i).name for i in range(model.njnt)) == SO101.joints
    np.testing.assert_allclose(model.jnt_range, [link.range_rad for link in SO101.links])


@pytest.mark.parametrize(("joint", "nm"), [("shoulder_lift", 0.863), ("elbow_flex", 0.453), ("wrist_flex", 0.117)])
def test_gravity_asks_of_each_joint_what_it_asks_of_the_real_one(model, joint, nm):
    data, rng, worst = mujoco.MjData(model), np.random.default_rng(0), 0.0
    for _ in range(4000):
        data.qpos[:] = rng.uniform(*model.jnt_range.T)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        torque = np.zeros(model.nv)
        mujoco.mj_rne(model, data, 0, torque)
        worst = max(worst, abs(torque[SO101.joints.index(joint)]))
    assert worst == pytest.approx(nm, rel=0.08)


def test_the_fingers_close_on_a_block_and_open_far_wider(model):
    data = mujoco.MjData(model)

    def gap(degrees):
        data.qpos[-1] = np.radians(degrees)
        mujoco.mj_forward(model, data)
        one, other = model.geom("fixed_finger").id, model.geom("moving_finger").id
        return mujoco.mj_geomDistance(model, data, one, other, 0.3, None)

    assert gap(-10) < 0.005
    assert gap(0) < 0.025 < gap(12)
    assert gap(40) > 0.05


def test_the_start_pose_touches_nothing():
    from etude.sim.makes import make_of
    from etude.sim.world import World

    scene = World().model
    data = mujoco.MjData(scene)
    data.qpos[: len(SO101.joints)] = make_of("so101").start_rad
    data.joint("block").qpos[2] = 1.0
    mujoco.mj_forward(scene, data)
    assert data.ncon == 0
