from dataclasses import replace

import pytest

from etude.cli import answers
from etude.core.errors import UserError
from etude.hardware.buses.feetech.registers import BAUD_RATES
from etude.sim import makes
from etude.sim.servos.feetech.chain import ServoChain
from etude.sim.servos.feetech.servo import Sts3215
from etude.sim.world import begin_world

WORDS = ["setup-motors", "--robot.type=so101_follower", "--robot.port=sim"]


class OneAtATime:
    """A person with six new motors who plugs in the next one, gripper first, then presses Enter."""

    def __init__(self, arm, order):
        self._servos, self._order = arm.servos, list(order)

    def wait(self):
        if not self._order:
            raise UserError("The input ended.")
        now = self._order.pop(0)
        for servo in self._servos:
            servo.is_silent = servo not in [self._servos[number - 1] for number in now]
        return ""


@pytest.fixture
def new_arm(monkeypatch):
    """Six motors from the box, id 1 all; the elbow's was used elsewhere, at another rate and id."""

    servos = [Sts3215(1) for _ in range(6)]
    make = replace(makes._FOLLOWERS["so101"], wire=lambda: ServoChain(servos))
    monkeypatch.setitem(makes._FOLLOWERS, "so101", make)
    world, elbow = begin_world(), servos[2]
    world.start()
    for name, value in {"ID": 44, "Baud_Rate": BAUD_RATES[115_200]}.items():
        elbow.memory.set(name, value)
        elbow.memory.keep(name)
    return world


def plug(monkeypatch, world, *order):
    monkeypatch.setattr(answers, "Answers", lambda: OneAtATime(world.arm, order))


def test_each_motor_gets_its_id_and_rate_the_gripper_first_and_keeps_them(etude, new_arm, monkeypatch):
    plug(monkeypatch, new_arm, [6], [5], [4], [3], [2], [1])
    code, _, err = etude(*WORDS)
    assert code == 0, err
    for number, servo in enumerate(new_arm.arm.servos, 1):
        servo.power_cycle()
        assert (servo.id, servo.baud_rate) == (number, 1_000_000)
    assert err.index("'gripper' has id 6 now") < err.index("'elbow_flex' has id 3 now (it had 44 at 115200 baud)")


def test_it_can_be_taken_up_again_and_leaves_alone_what_is_done(etude, new_arm, monkeypatch):
    plug(monkeypatch, new_arm, [6], [5])
    code, _, err = etude(*WORDS)
    assert code == 2
    assert "The input ended" in err
    plug(monkeypatch, new_arm, [6], [5], [4], [3], [2], [1])
    code, _, err = etude(*WORDS)
    assert code == 0
    assert "'gripper' has id 6 already." in err
    plug(monkeypatch, new_arm, [1])
    assert etude(*WORDS, "--start=shoulder_pan")[0] == 0


def test_two_motors_or_none_are_asked_for_again(etude, new_arm, monkeypatch):
    plug(monkeypatch, new_arm, [], [3, 6], [6])
    code, _, err = etude(*WORDS)
    assert code == 2  # the input ends before the second motor
    assert "Not yet: No motor answers at any baud rate" in err
    assert "Not yet: 2 motors answer (ids 1, 44)" in err
    assert "'gripper' has id 6 now" in err


def test_a_motor_of_another_model_is_refused(etude, new_arm, monkeypatch):
    new_arm.arm.servos[5].memory.set("Model_Number", 2825)
    plug(monkeypatch, new_arm, [6])
    _, _, err = etude(*WORDS)
    assert "Not yet: This is a sts3250; 'gripper' needs a sts3215." in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["setup-motors"], "Which arm?"),
        (["setup-motors", "--robot.type=fake"], "name an arm's type"),
        ([*WORDS, "--start=thumb"], "--start=thumb is no motor of this arm: gripper, wrist_roll"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(etude, words, sentence):
    code, _, err = etude(*words)
    assert code == 2
    assert sentence in err
