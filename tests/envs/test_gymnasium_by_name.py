import numpy as np
import pytest

from etude.core.errors import ConfigError, UserError
from etude.envs import envs

pytest.importorskip("gymnasium")
Config = envs.config("gymnasium")


def test_a_classic_by_its_name():
    env = envs.build(Config(id="Pendulum-v1", episode_length=5))
    assert {key: spec.shape for key, spec in env.observation.items()} == {"observation.state": (3,)}
    assert (env.action.shape, env.hz, env.max_ticks) == ((1,), 30, 5)
    first = env.reset(3)["observation.state"]
    steps = [env.step(np.float32([1])) for _ in range(5)]
    assert [step.truncated for step in steps] == [False] * 4 + [True]
    np.testing.assert_array_equal(env.reset(3)["observation.state"], first)
    env.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"id": "Pendulun-v1"}, "Gymnasium cannot make Pendulun-v1"),
        ({"id": "nowhere_at_all:It-v0"}, "nowhere_at_all"),
        ({"id": "Pendulum-v1", "options": '{"gravitation": 1}'}, "gravitation"),
        ({"id": "etude.envs.gym:etude/Push-v0", "options": '{"preset": "hrd"}'}, "No preset named 'hrd'"),
        ({"id": "CartPole-v1"}, r"as its action, got Discrete\(2\)"),
    ],
)
def test_what_cannot_be_made_is_said(options, told):
    with pytest.raises(UserError, match=told):
        envs.build(Config(**options))


def test_what_an_environment_refuses_is_said():
    pytest.importorskip("gym_pusht")
    with pytest.raises(UserError, match=r"Gymnasium cannot make gym_pusht:gym_pusht/PushT-v0.*Unknown obs_type foo"):
        envs.build(Config(id="gym_pusht:gym_pusht/PushT-v0", options='{"obs_type": "foo"}'))


@pytest.mark.parametrize(
    "options", [{"options": "{"}, {"options": "[1]"}, {"hz": -1.0}, {"episode_length": 0}], ids=str
)
def test_nonsense_is_refused(options):
    with pytest.raises(ConfigError):
        Config(id="Pendulum-v1", **options)
