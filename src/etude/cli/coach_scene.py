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
    from etude.policies.loaded import LoadedPolicy
    from etude.rollout.coaching import Setting
    from etude.rollout.evaluate import Cast

LONGEST_CORRECTION_S = 60.0
"""Beyond the time that the skill has; the demonstrator gives up by himself long before."""
_USUAL_SHARE = 0.95


def require_demonstrator(command: Coach) -> None:
    """Raise `UserError` where nobody could take over."""
    from etude.cli.watched import is_person
    from etude.hardware.teleoperators.keyboard import terminal
    from etude.rollout.coaching_judge import Demonstrator

    if not isinstance(command.env, TableConfig):
        known = [name for name in envs.names() if issubclass(envs.config(name), TableConfig)]
        raise UserError(
            f"--env.type={envs.name_of(command.env)} has no demonstrator who could take over. Those that have one: "
            f"{', '.join(known)}."
        )
    who = teleoperators.build(command.teleop)
    if isinstance(who, Demonstrator) or (is_person(who) and terminal.is_there()):
        return
    name = teleoperators.name_of(command.teleop)
    raise UserError(
        f"--teleop.type={name} does not know when to take over, and there is no keyboard on which a person could say "
        "so. Run it in a terminal, or leave it out: the scripted demonstrator knows."
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

    @property
    def longest_s(self) -> float:
        """How long an episode may take, with all corrections [s]."""
        return self.env.max_seconds + LONGEST_CORRECTION_S

    def set_up(self) -> tuple[RobotEnv, LoadedPolicy]:
        """Give environment and policy; raise `SpecMismatch` where they do not fit together."""
        loaded = open_policy(self.policy.path, self.device, self.rename_map)
        env = envs.build(replace(self.env, max_seconds=self.longest_s))
        try:
            loaded.check_fits(env.observation, env.action)
        except BaseException:
            env.close()
            raise
        return env, loaded

    def __call__(self) -> Cast:
        """Give them with the demonstrator, ready for rollouts."""
        import torch

        env, loaded = self.set_up()
        torch.set_num_threads(1)
        try:
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
        sink = LessonSink(coach, setting_of(env), lambda: env.timing)
        return Cast(env=env, agent=coach, sinks=(sink,), leaves=sink.lesson)


def setting_of(env: RobotEnv) -> Setting:
    """Tell what a dataset of corrections in `env` has to know."""
    from etude.rollout.coaching import Setting

    task = getattr(env.robot.scene, "task", None)
    return Setting(
        specs={**env.observation, ACTION: env.action},
        fps=round(env.hz),
        task=getattr(task, "text", ""),
        robot_type=env.robot.name,
        uses_degrees=getattr(env.robot, "uses_degrees", None),
    )
