import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.formats.lerobot_v3.config import Config

GOLDEN = Path(__file__).parents[1] / "golden"
FRONT = "observation.images.front"
SPECS = {
    "observation.state": Spec(shape=(2,), names=("pan.pos", "lift.pos")),
    "action": Spec(shape=(2,), names=("pan.pos", "lift.pos")),
    FRONT: Spec(shape=(48, 64, 3), dtype="uint8"),
}


def frame(episode, tick):
    """A frame that tells where it is: by its state, and (below episode 4, tick 6) by its picture's grey."""
    state = np.array([episode, tick], np.float32)
    return {
        "observation.state": state,
        "action": -state,
        FRONT: np.full((48, 64, 3), 20 + 50 * (episode % 4) + 8 * tick, np.uint8),
    }


def record(root, lengths, *, specs=SPECS, first=0, resume=False, task="Do it"):
    """Record episodes of these lengths and close."""
    writer = create_dataset(root, specs, fps=10, robot_type="fake", resume=resume, config=Config.tiny())
    for episode, length in enumerate(lengths, first):
        for tick in range(length):
            writer.add_frame(frame(episode, tick))
        writer.save_episode(task)
    writer.close()
    return root


@pytest.fixture
def golden():
    return GOLDEN


@pytest.fixture(scope="session")
def facts():
    """What the golden datasets hold, as formulas."""
    spec = importlib.util.spec_from_file_location("lerobot_v3_facts", GOLDEN / "lerobot_v3_facts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def specs():
    return dict(SPECS)


@pytest.fixture
def make_frame():
    return frame


@pytest.fixture(scope="session")
def make_dataset():
    return record


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Episodes of 4, 1 and 3 frames; tests only read it."""
    return record(tmp_path_factory.mktemp("recorded") / "dataset", [4, 1, 3])


@pytest.fixture
def dataset(recorded):
    return open_dataset(recorded)


@pytest.fixture(scope="session")
def g1_bottle():
    """Ten real demonstrations in LeRobot v2.1, where they are on this machine."""
    root = os.environ.get("ETUDE_G1_DATA")
    if not root:
        pytest.skip("ETUDE_G1_DATA does not name the real dataset g1_bottle")
    return Path(root)
