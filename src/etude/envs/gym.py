"""The simulated tables as Gymnasium environments, registered when this module is imported.

After `import etude.envs.gym`, `gymnasium.make("etude/PickPlace-v0")`; or `make("etude.envs.gym:etude/Push-v0")` alone.
The tasks are PickPlace, Stack, Push, Sort and Insert, each also as, for example, `etude/PickPlaceHard-v0`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from etude.core.errors import MissingExtra, NotFound
from etude.core.frame import Frame
from etude.envs import envs
from etude.hardware.bodies.so101 import SO101
from etude.sim.tasks import tasks

try:
    import gymnasium
    from gymnasium import spaces
except ModuleNotFoundError as error:
    raise MissingExtra("The Gymnasium environments", "gym") from error

_IMAGES, _STATE = "observation.images.", "observation.state"
_WIDEST_DEG = 360.0
PRESETS = ("plain", "hard")


class TableEnv(gymnasium.Env):
    """A task on the simulated table, through the arm's driver.

    Observations are named as in LeRobot's Gymnasium environments: `agent_pos` (6,) in degrees, the gripper 0 to 100,
    and `pixels`, a picture (height, width, 3) of each camera. An action (6,) goes from -1 to 1, the ends of each
    joint's range; the safety gate limits its speed. The reward is 1 in the tick in which the task is done, which ends
    the episode. `reset(seed=s)` gives the scene of that seed everywhere in Etude; without one, scenes are drawn anew.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  Gymnasium's own name and form

    def __init__(
        self,
        task: str = "pick_place",
        *,
        preset: str = "plain",
        width: int = 96,
        height: int = 96,
        max_seconds: float | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Set the table for `task`; `preset` is `plain` or `hard`."""
        if preset not in PRESETS:
            raise NotFound("preset", preset, PRESETS)
        known = envs.config(f"so101_{task}")
        config = replace(known.hard() if preset == "hard" else known(), width=width, height=height)
        self._env = envs.build(replace(config, max_seconds=max_seconds or config.max_seconds))
        self.render_mode = render_mode
        self._views = [key.removeprefix(_IMAGES) for key in self._env.observation if key.startswith(_IMAGES)]
        picture = spaces.Box(0, 255, (height, width, 3), np.uint8)
        joints = len(SO101.joints)
        self.observation_space = spaces.Dict(
            {
                "agent_pos": spaces.Box(-_WIDEST_DEG, _WIDEST_DEG, (joints,), np.float32),
                "pixels": spaces.Dict(dict.fromkeys(self._views, picture)),
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (joints,), np.float32)
        self._low, self._high = _limits()
        self._picture = np.zeros((height, width, 3), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode; give its first observation."""
        super().reset(seed=seed, options=options)
        scene = int(self.np_random.integers(2**31)) if seed is None else seed
        return self._observed(self._env.reset(scene)), {"is_success": False}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Apply `action` for one tick."""
        share = (np.clip(np.asarray(action, np.float32), -1, 1) + 1) / 2
        step = self._env.step(self._low + share * (self._high - self._low))
        info = {"is_success": step.success}
        return self._observed(step.frame), step.reward, step.terminated, step.truncated, info

    def normalized(self, action: np.ndarray) -> np.ndarray:
        """Turn an action in the arm's units (6,) into one from -1 to 1, such as a demonstrator's."""
        return (2 * (action - self._low) / (self._high - self._low) - 1).astype(np.float32)

    def render(self) -> np.ndarray | None:
        """Give what the front camera saw last, where `render_mode` asks for it."""
        return self._picture if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Disconnect the arm."""
        self._env.close()

    def _observed(self, frame: Frame) -> dict[str, Any]:
        pixels = {view: np.asarray(frame[_IMAGES + view]) for view in self._views}
        self._picture = pixels[self._views[0]]
        return {"agent_pos": np.asarray(frame[_STATE], np.float32), "pixels": pixels}


def _limits() -> tuple[np.ndarray, np.ndarray]:
    """Give the ends (6,) of each joint's range in the driver's units."""
    low, high = np.degrees([link.range_rad for link in SO101.links], dtype=np.float32).T
    low[-1], high[-1] = 0.0, 100.0
    return low, high


def _register() -> None:
    for task in tasks.names():
        name = task.title().replace("_", "")
        for suffix, preset in (("", "plain"), ("Hard", "hard")):
            identity = f"etude/{name}{suffix}-v0"
            if identity not in gymnasium.registry:
                gymnasium.register(identity, f"{__name__}:TableEnv", kwargs={"task": task, "preset": preset})


_register()
