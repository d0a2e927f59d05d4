from contextlib import closing

import numpy as np
import pytest

from etude.core.errors import ConfigError, MissingExtra
from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.envs.gymnasium_env import GymnasiumEnv, make
from etude.rollout.agents import ReplayAgent
from etude.rollout.loop import rollout
from etude.rollout.sinks import RecordSink

gymnasium = pytest.importorskip("gymnasium")
Box, Dict, Discrete = gymnasium.spaces.Box, gymnasium.spaces.Dict, gymnasium.spaces.Discrete


class Slide(gymnasium.Env):
    """A point that goes where it is sent, and has arrived beyond 3."""

    def __init__(self, observation_space, action_space=None):
        self.observation_space = observation_space
        self.action_space = action_space or Box(-1, 1, (2,), np.float32)
        self.closed = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.np_random.uniform(0, 1, 2)
        return self._seen(self.observation_space), {}

    def step(self, action):
        self.at = np.float64(action)
        arrived = bool(self.at[0] > 3)
        return self._seen(self.observation_space), self.at[0], arrived, False, {"is_success": arrived}

    def render(self):
        return np.full((4, 6, 3), 7, np.uint8)

    def close(self):
        self.closed += 1

    def _seen(self, space):
        if isinstance(space, Dict):
            return {name: self._seen(part) for name, part in space.items()}
        return np.resize(self.at, space.shape).astype(space.dtype)


PICTURE, VECTOR = Box(0, 255, (64, 96, 3), np.uint8), Box(-9, 9, (2,), np.float64)
SPACES = [
    (VECTOR, {"observation.state"}),
    (PICTURE, {"observation.image"}),
    (Dict(top=PICTURE), {"observation.images.top"}),
    (
        Dict(pixels=PICTURE, agent_pos=VECTOR, environment_state=VECTOR, touch=VECTOR),
        {"observation.image", "observation.state", "observation.environment_state", "observation.touch"},
    ),
    (
        Dict(pixels=Dict(top=PICTURE, side=PICTURE), agent_pos=VECTOR),
        {"observation.images.top", "observation.images.side", "observation.state"},
    ),
]


@pytest.mark.parametrize(("space", "keys"), SPACES)
def test_spaces_become_specs_under_lerobots_names(space, keys):
    env = GymnasiumEnv(Slide(space), hz=10, names=("x", "y"))
    assert set(env.observation) == keys
    frame = env.reset(0)
    for key, spec in env.observation.items():
        spec.check(key, frame[key])
    if "observation.state" in keys:
        assert env.observation["observation.state"] == Spec(shape=(2,), names=("x", "y"))
    assert env.action == Spec(shape=(2,), names=("x", "y"))


@pytest.mark.parametrize("space", [Discrete(3), Dict(agent_pos=Discrete(3)), Box(0, 1, (4, 6, 3), np.float32)])
def test_a_space_that_is_neither_vector_nor_picture_is_refused(space):
    with pytest.raises(ConfigError, match="should be a Box that is a vector or a picture"):
        GymnasiumEnv(Slide(space), hz=10)


def test_an_action_that_is_no_vector_is_refused():
    with pytest.raises(ConfigError, match="action, got Discrete"):
        GymnasiumEnv(Slide(VECTOR, Discrete(2)), hz=10)


def test_a_step_tells_reward_end_and_success_and_passes_the_action_as_it_is():
    env = GymnasiumEnv(Slide(VECTOR), hz=20)
    env.reset(0)
    step = env.step(np.float32([2, 0]))
    assert (step.reward, step.terminated, step.success) == (2.0, False, False)
    assert step.action.tolist() == [2, 0]
    step = env.step(np.float32([4, 0]))
    assert (step.reward, step.terminated, step.success) == (4.0, True, True)
    assert env.clock.now() == pytest.approx(2 / 20)
    assert env.render().shape == (4, 6, 3)


def test_it_is_closed_once():
    slide = Slide(VECTOR)
    env = GymnasiumEnv(slide, hz=10)
    env.close()
    env.close()
    assert slide.closed == 1


def test_a_package_that_is_missing_is_named_with_its_extra():
    with pytest.raises(
        MissingExtra, match=r"The environment gym_nowhere/It-v0 needs .* pip install 'etude\[nowhere\]'"
    ):
        make("gym_nowhere/It-v0", "nowhere", max_ticks=3)


def test_its_episodes_become_a_dataset(tmp_path):
    env = GymnasiumEnv(Slide(Dict(pixels=PICTURE, agent_pos=VECTOR)), hz=10, max_ticks=9, names=("x", "y"))
    actions = np.float32([[1, 0], [2, 0], [4, 0]])
    specs = {**env.observation, "action": env.action}
    with closing(create_dataset(tmp_path / "slides", specs, fps=10, robot_type="slide")) as writer:
        sink = RecordSink(writer, "Go beyond three.", keep=lambda success: success)
        outcomes = [
            rollout(env, ReplayAgent(part), [sink], seed=seed) for seed, part in enumerate((actions, actions[:2]))
        ]
    assert [outcome.success for outcome in outcomes] == [True, False]
    dataset = open_dataset(tmp_path / "slides")
    assert len(dataset.episodes) == 1
    np.testing.assert_array_equal(dataset.column("action"), actions)
    np.testing.assert_array_equal(dataset.column("observation.state")[1:], actions[:2])
    assert dataset.images("observation.image", np.arange(3)).shape == (3, 64, 96, 3)
