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
