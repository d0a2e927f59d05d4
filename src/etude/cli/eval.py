"""`etude eval`: how often does a trained policy succeed?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from etude.cli.console import progress, say
from etude.cli.options import EVALUATION_SEEDS, TrainedPolicy, open_policy
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.envs import envs


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """How it is scored."""

    n_episodes: int = 50
    """Rollouts, each from a scene of its own."""
    video: bool = True
    """Film the first twenty."""

    def __post_init__(self) -> None:
        if self.n_episodes < 1:
            raise UserError(f"--eval.n_episodes should be at least 1, got {self.n_episodes}.")


@dataclass(frozen=True, kw_only=True)
class Eval:
    """Run a policy in scenes it has not seen, and state its success rate with the 95 % Wilson interval."""

    policy: TrainedPolicy
    """The policy."""
    env: Annotated[Any, Slot(envs, "so101_pick_place")]
    """Where it acts."""
    eval: EvalOptions = field(default_factory=EvalOptions)
    """The scoring."""
    seed: int = 0
    """Chooses the scenes; they are other scenes than those of `etude record` with any seed."""
    output_dir: Path | None = None
    """The run's folder. Default: outputs/eval/DATE/TIME."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""
    json: bool = False
    """Print the result as one JSON object on the last line."""


COMMAND = Eval


def run(command: Eval) -> int:
    """Evaluate, film, and store every setting beside the result."""
    from etude.cli.parse import encode
    from etude.core.run import start
    from etude.rollout.agents import PolicyAgent
    from etude.rollout.evaluate import evaluate
    from etude.rollout.sinks import VideoSink

    policy = open_policy(command.policy.path, command.device)
    stored = start("eval", encode(command), command.output_dir)
    env = envs.build(command.env)
    film = VideoSink(stored.folder / "rollouts.mp4", env.hz) if command.eval.video else None
    first = EVALUATION_SEEDS + 100_000 * command.seed
    agent = PolicyAgent(policy, replan=command.policy.replan or policy.n_action_steps)
    try:
        policy.check_fits(env.observation, env.action)
        with progress("Evaluating", command.eval.n_episodes) as line:
            score = evaluate(
                env,
                agent,
                [film] if film else [],
                seeds=range(first, first + command.eval.n_episodes),
                max_ticks=env.max_ticks,
                progress=lambda done, successes: line.update(done, f"{successes} succeeded"),
            )
    finally:
        env.close()
        if film:
            film.close()
    stored.log("finished", **score.to_json(), ticks=[outcome.ticks for outcome in score.outcomes])
    say(str(score))
    say(f"Video: {stored.folder / 'rollouts.mp4'}" if film else f"Run: {stored.folder}")
    if command.json:
        print(json.dumps(score.to_json()))
    return 0
