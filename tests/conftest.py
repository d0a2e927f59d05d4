import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Keep each test's runs and calibrations away from the user's."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ETUDE_HOME", str(home / "etude"))
    monkeypatch.setenv("HF_LEROBOT_HOME", str(home / "lerobot"))
