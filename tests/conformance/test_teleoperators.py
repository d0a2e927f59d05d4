"""What every teleoperator promises; a new folder under teleoperators/ gets these tests without naming itself."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

from etude.core import codec
from etude.core.errors import DeviceError
from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.hardware import teleoperators
from etude.hardware.device import Teleoperator, connected
from etude.hardware.teleoperators.gamepad.pad import PadState
from etude.hardware.teleoperators.keyboard.keys import FedKeys

NAMES = teleoperators.names()
MAX_TICKS = 20


class StillPad:
    """A gamepad that lies on the table."""

    def state(self):
        return PadState()

    def close(self):
        """Nothing to let go of."""


def recorded(root):
    """A dataset of one episode."""
    with tempfile.TemporaryDirectory() as folder:
        writer = create_dataset(Path(folder) / root, {"action": Spec(shape=(2,), names=("a.pos", "b.pos"))}, fps=10)
        for tick in range(3):
            writer.add_frame({"action": np.array([tick, -tick], np.float32)})
        writer.save_episode("Do it")
        writer.close()
        dataset = open_dataset(Path(folder) / root)
        assert dataset.column("action")[:, 0].tolist() == [0, 1, 2]
        return dataset


STANDING_IN = {
    "keyboard": {"keys": FedKeys},
    "gamepad": {"pad": lambda name: StillPad()},
    "replay": {"opened": recorded},
}
"""What stands in for a person's device that no test machine has."""


@pytest.fixture
def build():
    return lambda name: teleoperators.build(teleoperators.config(name).tiny(), **STANDING_IN.get(name, {}))


def demonstration(teleoperator, seed):
    """The actions of one episode, of which time takes no notice."""
    teleoperator.reset(seed)
    actions = []
    while len(actions) < MAX_TICKS and (action := teleoperator.read()) is not None:
        actions.append(action)
    return np.array(actions)


@pytest.mark.parametrize("name", NAMES)
class TestEveryTeleoperator:
    def test_it_describes_itself_before_it_is_connected(self, name, build):
        teleoperator = build(name)
        assert isinstance(teleoperator, Teleoperator)
        assert teleoperator.action.names
        assert teleoperator.action.shape == (len(teleoperator.action.names),)

    def test_its_actions_are_what_it_said(self, name, build):
        with connected(teleoperator := build(name)):
            actions = demonstration(teleoperator, 0)
            assert len(actions) > 0
            for action in actions:
                teleoperator.action.check("action", action)
                assert np.isfinite(action).all()

    def test_steps_are_zero_while_nobody_touches_it(self, name, build):
        with connected(teleoperator := build(name)):
            if all(axis.endswith(".step") for axis in teleoperator.action.names):
                assert not demonstration(teleoperator, 0).any()

    def test_the_same_seed_gives_the_same_demonstration(self, name, build):
        with connected(teleoperator := build(name)):
            first, again = demonstration(teleoperator, 3), demonstration(teleoperator, 3)
        with connected(other := build(name)):
            np.testing.assert_array_equal(first, demonstration(other, 3))
        np.testing.assert_array_equal(first, again)

    def test_connecting_and_disconnecting_twice_is_harmless(self, name, build):
        teleoperator = build(name)
        teleoperator.disconnect()
        for _ in range(2):
            teleoperator.connect()
            teleoperator.connect()
            demonstration(teleoperator, 0)
            teleoperator.disconnect()
            teleoperator.disconnect()

    def test_it_says_when_it_is_not_connected(self, name, build):
        with pytest.raises(DeviceError, match="not connected"):
            build(name).read()

    def test_its_config_round_trips_through_json(self, name):
        config = teleoperators.config(name).tiny()
        stored = json.loads(json.dumps(codec.encode(config)))
        assert codec.decode(type(config), stored) == config
