from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.units import keep_units, tells_degrees

NAMES = ("shoulder_lift.pos", "gripper.pos")


def dataset(root, *rows):
    stats = {"action": Stats.of(np.array(rows, np.float32))}
    return SimpleNamespace(root=root, specs={"action": Spec(shape=(2,), names=NAMES)}, stats=stats)


@pytest.mark.parametrize("uses_degrees", [True, False])
def test_what_was_recorded_here_says_what_it_tells(uses_degrees, tmp_path):
    keep_units(tmp_path, uses_degrees)
    keep_units(tmp_path, not uses_degrees)
    assert tells_degrees(dataset(tmp_path, [0, 0], [10, 10])) is uses_degrees


def test_only_degrees_go_beyond_a_hundred(tmp_path):
    assert tells_degrees(dataset(tmp_path, [-135, 0], [10, 10])) is True
    assert tells_degrees(dataset(tmp_path, [-100, 0], [100, 10])) is None
    assert tells_degrees(dataset(tmp_path, [0, 0], [10, 130])) is None, "a gripper has shares either way"


def test_nothing_is_claimed_where_nothing_is_known(tmp_path):
    keep_units(tmp_path, None)
    assert not list(tmp_path.iterdir())
    assert tells_degrees(SimpleNamespace(root=Path("memory"), specs={}, stats={})) is None
