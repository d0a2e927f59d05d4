"""Options of the two halves of a pair."""

import pytest

from etude.cli.parse import parse
from etude.cli.record import Record
from etude.core.errors import UserError

DATASET = ("--dataset.repo_id=me/pair", "--dataset.single_task=Fold")


def parsed(*words):
    return parse(Record, ["--robot.type=bimanual", *words, *DATASET], prog="etude record")


def test_one_option_leaves_the_others_as_they_are():
    left, right = parsed("--robot.left_arm_config.port=/dev/ttyACM0", "--robot.id=pair").robot.sides()
    assert (left.port, left.id) == ("/dev/ttyACM0", "pair_left")
    assert (right.port, right.id) == ("sim:right", "pair_right")


def test_all_at_once_with_another_type_and_a_camera():
    words = "{type: koch_follower, port: COM3, cameras: {top: {type: fake}}}"
    left, _ = parsed("--robot.left_arm_config", words).robot.sides()
    assert type(left).__module__.startswith("etude.hardware.robots.koch_follower")
    assert list(left.cameras) == ["top"]


def test_part_of_a_part():
    robot = parsed(
        "--robot.right_arm_config.rest_pose.elbow_flex=12.5", "--robot.right_arm_config.max_speed", "90"
    ).robot
    assert robot.sides()[1].rest_pose == {"elbow_flex": 12.5}
    assert robot.sides()[1].max_speed == 90.0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--robot.left_arm_config.prot=x", "has no key 'prot'. Did you mean 'port'"),
        ("--robot.left_arm_config={port: x}", "should name its type"),
        ("--robot.left_arm_config.type=so102_follower", "Did you mean 'so10"),
        ("--robot.left_arm_config={port", "expected"),
    ],
)
def test_mistakes_are_explained(words, problem):
    with pytest.raises(UserError, match=problem):
        parsed(words)
