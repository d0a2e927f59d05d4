import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from etude.core.frame import ACTION
from etude.core.stats import Stats

# A busy machine must not fail a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# A shell lets what it puts in the background ignore Ctrl-C, and children would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory):
    """Keep the tests' runs, calibrations and device names away from the user's."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETUDE_HOME", str(home / "etude"))
        patch.setenv("HF_LEROBOT_HOME", str(home / "lerobot"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
        patch.delenv("ETUDE_CACHE", raising=False)
        yield


@pytest.fixture(scope="session")
def golden_module():
    """Import a module beside the golden files, such as `foreign_facts`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).with_name("golden"))
        yield importlib.import_module


@pytest.fixture(scope="session")
def untrained():
    """Build a policy that has learned nothing, with statistics of made-up frames."""

    def build(config, observation, action, **known):
        import torch

        from etude.policies import policies
        from etude.policies.loaded import LoadedPolicy

        torch.manual_seed(0)
        random = np.random.default_rng(0)
        specs = {**observation, ACTION: action}
        shapes = {key: (3, 1, 1) if spec.is_image else spec.shape for key, spec in specs.items()}
        stats = {key: Stats.of(random.random((50, *shape))) for key, shape in shapes.items()}
        return LoadedPolicy(
            policy=policies.build(config, observation, action).eval(),
            config=config,
            pipeline=config.pipeline(stats, observation, action),
            observation=observation,
            action=action,
            **known,
        )

    return build


@pytest.fixture(autouse=True)
def _no_hurry():
    """Hold every test to leaving its process as urgent as it was: one in real time would starve all others."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0)
    yield
    after = os.sched_getscheduler(0)
    os.sched_setscheduler(0, before, os.sched_getparam(0) if before == after else os.sched_param(0))
    assert after == before, "this test left the process at another priority"
