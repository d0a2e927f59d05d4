"""Where a skill is coached: its environment, and a demonstrator who looks on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etude.cli.options import TrainedPolicy, agent_of, open_policy
from etude.core.errors import UserError
from etude.core.frame import ACTION
from etude.envs import envs
from etude.envs.table_config import TableConfig
from etude.hardware import teleoperators

if TYPE_CHECKING:
    from etude.cli.coach import Coach, TakingOver
    from etude.envs.robot_env import RobotEnv
    from etude.hardware.device import Teleoperator
    from etude.rollout.coaching import Setting
    from etude.rollout.evaluate import Cast

_LONGEST_CORRECTION_S = 60.0
"""Beyond the time that the skill has; the demonstrator gives up by himself long before."""
_USUAL_SHARE = 0.95


def require_demonstrator(command: Coach) -> None:
    """Raise `UserError` where nobody could take over."""
    from etude.rollout.coaching_judge import Demonstrator

    if not isinstance(command.env, TableConfig):
        known = [name for name in envs.names() if issubclass(envs.config(name), TableConfig)]
        raise UserError(
            f"--env.type={envs.name_of(command.env)} has no demonstrator who could take over. Those that have one: "
            f"{', '.join(known)}."
        )
    if not isinstance(teleoperators.build(command.teleop), Demonstrator):
        raise UserError(
            f"--teleop.type={teleoperators.name_of(command.teleop)} does not know when to take over. Leave it out: the "
            "scripted demonstrator does."
        )


def usual_s(command: Coach) -> float:
    """Tell how long the skill may take [s]: as the command says or demonstrations took, within the scene's limit."""
    from etude.data import open_dataset

    usual = command.take_over.usual_s
    if not usual:
        opened = [open_dataset(root) for root in command.dataset.roots]
        lengths = np.concatenate([each.episodes.length / each.fps for each in opened])
        usual = float(np.quantile(lengths, _USUAL_SHARE))
    return min(usual, command.env.max_seconds)


@dataclass(frozen=True)
class CoachedSkill:
    """Loads a policy, builds its environment and seats the demonstrator beside it, in the process that calls it."""

    env: Any
    teleop: Any
    policy: TrainedPolicy
    take_over: TakingOver
    device: str
    rename_map: str

    def __call__(self) -> Cast:
        """Give them; raise `SpecMismatch` or `UserError` where they do not fit together."""
        import torch

        loaded = open_policy(self.policy.path, self.device, self.rename_map)
        torch.set_num_threads(1)
        env = envs.build(replace(self.env, max_seconds=self.env.max_seconds + _LONGEST_CORRECTION_S))
        try:
            loaded.check_fits(env.observation, env.action)
            skill = agent_of(loaded, self.policy, hz=env.hz, clock=env.clock)
            teleoperator = teleoperators.build(self.teleop)
            teleoperator.connect()
            return self._cast(env, skill, teleoperator)
        except BaseException:
            env.close()
            raise

    def _cast(self, env: RobotEnv, skill: Any, teleoperator: Teleoperator) -> Cast:
        from etude.rollout.coaching import Coach, LessonSink
        from etude.rollout.coaching_judge import Demonstrator, Onlooker
        from etude.rollout.driving import agent_for
        from etude.rollout.evaluate import Cast

        assert isinstance(teleoperator, Demonstrator)  # as `require_demonstrator` found
        when = self.take_over
        judge = Onlooker(
            teleoperator,
            hz=env.hz,
            patience_s=when.patience_s,
            usual_s=when.usual_s,
            hand_back_s=when.hand_back_s,
        )
        coach = Coach(skill, agent_for(teleoperator, env.robot), judge)
        sink = LessonSink(coach, _setting(env), lambda: env.timing)
        return Cast(env=env, agent=coach, sinks=(sink,), leaves=sink.lesson)


def _setting(env: RobotEnv) -> Setting:
    from etude.rollout.coaching import Setting

    task = getattr(env.robot.scene, "task", None)
    return Setting(
        specs={**env.observation, ACTION: env.action},
        fps=round(env.hz),
        task=getattr(task, "text", ""),
        robot_type=env.robot.name,
        uses_degrees=getattr(env.robot, "uses_degrees", None),
    )
