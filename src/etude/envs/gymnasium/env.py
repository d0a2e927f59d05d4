"""An environment that Gymnasium knows by name."""

from __future__ import annotations

from etude.core.errors import ConfigError, MissingExtra, UserError
from etude.envs.gymnasium.config import Config
from etude.envs.gymnasium_env import GymnasiumEnv


def build(config: Config) -> GymnasiumEnv:
    """Make it; raise `UserError` where Gymnasium cannot, `ConfigError` where its spaces are of another kind."""
    try:
        import gymnasium  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("Gymnasium environments", "gym") from error
    choices = {"render_mode": "rgb_array", "disable_env_checker": True} | config.choices()
    try:
        env = gymnasium.make(config.id, max_episode_steps=config.episode_length, **choices)
    except (gymnasium.error.Error, ImportError, TypeError, ValueError, LookupError, AssertionError) as error:
        # Any of these is how environments refuse an option.
        raise UserError(f"Gymnasium cannot make {config.id} with {config.options}: {error}") from error
    hz = config.hz or float(env.metadata.get("render_fps") or 0)
    if not hz:
        raise ConfigError(f"{config.id} does not say how many ticks a second has. Give --env.hz=N.")
    return GymnasiumEnv(env, hz=hz, max_ticks=config.episode_length)
