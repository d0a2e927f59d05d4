import numpy as np
import pytest

from etude.core.errors import NotFound, UserError
from etude.hardware.kinematics import FullPose, Kinematics

# Two links of 0.3 m and 0.2 m that fold about level axes on a turntable, in URDF as LeRobot's users have it.
URDF = """<robot name="crane">
<link name="base"/><link name="column"/><link name="boom"/><link name="tip"/>
<link name="jib"><visual><geometry><mesh filename="package://crane/meshes/jib.stl"/></geometry></visual>
  <collision><geometry>{shape}</geometry></collision></link>
<joint name="1" type="revolute"><parent link="base"/><child link="column"/><axis xyz="0 0 1"/>
  <limit lower="-2" upper="2" effort="1" velocity="1"/></joint>
<joint name="2" type="revolute"><parent link="column"/><child link="boom"/><origin xyz="0 0 0.1"/><axis xyz="0 1 0"/>
  <limit lower="-1.5" upper="1.5" effort="1" velocity="1"/></joint>
<joint name="3" type="continuous"><parent link="boom"/><child link="jib"/><origin xyz="0.3 0 0"/><axis xyz="0 1 0"/>
  </joint>
<joint name="end" type="fixed"><parent link="jib"/><child link="tip"/><origin xyz="0.2 0 0"/></joint></robot>"""
BOX = '<box size="0.02 0.02 0.02"/>'


@pytest.fixture
def urdf(tmp_path):
    def write(shape=BOX, text=URDF):
        path = tmp_path / "crane.urdf"
        path.write_text(text.replace("{shape}", shape))
        return path

    return write


def test_a_urdf_is_read_with_fixed_links_as_tools(urdf):
    crane = Kinematics.of(urdf(), tool="tip")
    assert crane.joints == ("1", "2", "3")
    np.testing.assert_allclose(crane.forward(np.zeros(3))[0], [0.5, 0, 0.1], atol=1e-9)
    np.testing.assert_allclose(crane.forward(np.array([np.pi / 2, 0, np.pi / 2]))[0], [0, 0.3, -0.1], atol=1e-9)
    np.testing.assert_allclose(crane.low, [-2, -1.5, -np.inf])


def test_the_last_link_is_the_tool_if_none_is_named(urdf):
    np.testing.assert_allclose(Kinematics.of(urdf()).forward(np.zeros(3))[0], [0.5, 0, 0.1], atol=1e-9)


def test_joints_are_called_as_the_robot_calls_them(urdf):
    crane = Kinematics.of(urdf(), tool="tip", joints={"pan": "1", "elbow": "3", "lift": "2"})
    assert crane.joints == ("pan", "elbow", "lift")
    np.testing.assert_allclose(crane.forward(np.array([0, np.pi / 2, 0]))[0], [0.3, 0, -0.1], atol=1e-9)


def test_inverse_works_on_any_model(urdf):
    crane = Kinematics.of(urdf(), tool="tip")
    joints = np.array([0.5, -0.3, 0.8])
    pose = crane.pose(joints)
    assert isinstance(pose, FullPose)
    found = crane.inverse(pose, np.zeros(3))
    assert found.is_there
    np.testing.assert_allclose(crane.forward(found.joints)[0], pose.position, atol=1e-3)


def test_how_low_it_reaches_needs_its_shapes(urdf):
    crane = Kinematics.of(urdf(), tool="tip")
    # The jib's box of 2 cm hangs on its joint, 0.3 m below the lift's axis at 0.1 m.
    assert crane.lowest_point(np.array([0, np.pi / 2, 0])) == pytest.approx(0.1 - 0.3 - 0.01, abs=1e-6)
    without = Kinematics.of(urdf('<mesh filename="package://crane/jib.stl"/>'), tool="tip")
    np.testing.assert_allclose(without.forward(np.zeros(3))[0], [0.5, 0, 0.1], atol=1e-9)
    with pytest.raises(UserError, match="meshes that are not beside it"):
        without.lowest_point(np.zeros(3))


@pytest.mark.parametrize(
    ("shape", "problem"),
    [('<mesh filename="/etc/passwd"/>', "outside of its folder"),
     ('<mesh filename="../x.stl"/>', "outside of its folder"),
     ('<mesh filename="package://crane/../../x.stl"/>', "outside of its folder")],
)  # fmt: skip
def test_files_elsewhere_are_refused(urdf, shape, problem):
    with pytest.raises(UserError, match=problem):
        Kinematics.of(urdf(shape))


@pytest.mark.parametrize(
    ("text", "problem"),
    [("<robot", "not well-formed"), ("<html/>", "no robot model"),
     ("<robot name='r'><link name='l'/></robot>", "No joint"),
     ("<!DOCTYPE r [<!ENTITY a 'b'>]><robot/>", "XML entities"), ("<robot name='r'/>", "cannot read|no links")],
)  # fmt: skip
def test_what_is_no_model_is_refused_in_a_sentence(urdf, text, problem):
    with pytest.raises(UserError, match=problem):
        Kinematics.of(urdf(text=text))


def test_what_is_not_there_is_told_with_what_is(urdf, tmp_path):
    with pytest.raises(NotFound, match="Did you mean 'so101'"):
        Kinematics.of("so102")
    with pytest.raises(NotFound, match=r"crane\.urdf"):
        urdf()
        Kinematics.of(tmp_path / "crane.urd")
    with pytest.raises(NotFound, match="No site or link named 'tipp'"):
        Kinematics.of(urdf(), tool="tipp")
    with pytest.raises(NotFound, match="No joint of the model named '4'"):
        Kinematics.of(urdf(), joints=["1", "4"])


MJCF = """<mujoco>{head}<worldbody><body name="arm"><joint name="turn" axis="0 0 1"/><geom size="0.1"/>
<body name="slide" pos="0.2 0 0"><joint name="reach" type="slide" axis="1 0 0" range="0 0.1" limited="true"/>
<geom size="0.02"/><site name="grip" pos="0.05 0 0"/></body></body>
<body name="ball" pos="1 0 0"><freejoint/><geom size="0.02"/></body></worldbody></mujoco>"""


def mjcf(folder, head=""):
    path = folder / "arm.xml"
    path.write_text(MJCF.format(head=head))
    return path


def test_a_mjcf_is_read_and_may_slide(tmp_path):
    arm = Kinematics.of(mjcf(tmp_path))
    assert arm.joints == ("turn", "reach")
    np.testing.assert_allclose(arm.forward(np.array([np.pi / 2, 0.1]))[0], [0, 0.35, 0], atol=1e-9)
    np.testing.assert_allclose(arm.jacobian(np.zeros(2))[:3], [[0, 1], [0.25, 0], [0, 0]], atol=1e-9)


@pytest.mark.parametrize(
    "head",
    ['<include file="../other.xml"/>', '<asset><mesh file="/tmp/x.stl"/></asset>', '<compiler meshdir="/etc"/>',
     '<include file="part.xml"/>'],
)  # fmt: skip
def test_a_mjcf_that_names_files_elsewhere_is_refused(tmp_path, head):
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot" / "part.xml").write_text('<mujoco><asset><texture file="../../x.png"/></asset></mujoco>')
    with pytest.raises(UserError, match="outside of its folder"):
        Kinematics.of(mjcf(tmp_path / "robot", head))


def test_what_mujoco_says_becomes_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"MuJoCo cannot (read|compile) .*arm\.xml"):
        Kinematics.of(mjcf(tmp_path, "<nonsense/>"))
