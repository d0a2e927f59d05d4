import pytest

from etude.envs import envs


@pytest.fixture
def built():
    """Build environments by their configs; they are closed when the test ends."""
    made = []

    def build(config):
        made.append(envs.build(config))
        return made[-1]

    yield build
    for env in made:
        env.close()
