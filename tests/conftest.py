import importlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine must not fail a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
