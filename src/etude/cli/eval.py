"""`etude eval`: how often does a trained policy succeed, and how far is it from what a person did?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import progress, say
from etude.cli.options import EVALUATION_SEEDS, TrainedPolicy, agent_of, open_policy
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.envs import envs

if TYPE_CHECKING:
    from etude.core.run import Run
    from etude.policies.loaded import LoadedPolicy
    from etude.rollout.evaluate import Cast, Score
    from etude.rollout.troupe import Troupe


_LEAST = {"n_episodes": 1, "num_processes": 0, "batch_size": 1, "num_threads": 1, "videos": 0}


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """How it is scored."""

    n_episodes: int = 50
    """Rollouts, each from a scene of its own."""
    num_processes: int = 0
    """Processes that share the rollouts, each with an environment and the policy; the results are the same for any
    number. 0: as many as cores, but one for every five rollouts at most, since each takes seconds to start."""
    batch_size: int = 1
    """Rollouts side by side in each process, for which the policy is asked at once. Faster by a lot for policies that
    are slow; other numbers may change the last digits, and how long a chunk takes is not measured."""
    num_threads: int = 1
    """Processor threads of the policy in each process; other numbers may change the last digits."""
    videos: int = 10
    """Film so many of the first rollouts, and as many of the later ones that fail; 0 films none."""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise UserError(f"--eval.{name} should be at least {least}, got {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True)
class Demonstrations:
    """Demonstrations to compare with, in place of rollouts."""

    root: Path | None = None
    """The dataset's folder; or a mix.json, a URL, or a name on the Hugging Face Hub."""
    episodes: tuple[int, ...] = ()
    """Which of its episodes; none given: all."""
    max_frames: int = 2048
    """Most frames to look at, evenly spaced."""


@dataclass(frozen=True, kw_only=True)
class Eval:
    """Run a policy in scenes it has not seen, and state its success rate with the 95 % Wilson interval.

    With --dataset.root there are no rollouts: its actions are compared with those that were demonstrated, by joint and
    by how far ahead they lie. `etude eval compare A B` says which of two evaluations is better.
    """

    policy: TrainedPolicy
    """The policy."""
    env: Annotated[Any, Slot(envs, "so101_pick_place")]
    """Where it acts."""
    dataset: Demonstrations = field(default_factory=Demonstrations)
    """What it is compared with, in place of acting."""
    eval: EvalOptions = field(default_factory=EvalOptions)
    """The scoring."""
    seed: int = 0
    """Chooses the scenes; they are other scenes than those of `etude record` with any seed."""
    output_dir: Path | None = None
    """The run's folder, with eval.json. Default: outputs/eval/DATE/TIME."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""
    rename_map: str = ""
    """Which key of the environment or dataset is which of the policy's, as JSON: {"theirs": "the policy's"}."""
    json: bool = False
    """Print the result as one JSON object on the last line."""


COMMAND = Eval
_WORTH_A_PROCESS = 5
"""Rollouts that take about as long as one more process to start."""


def run(command: Eval) -> int:
    """Evaluate, film, and store every setting beside the result."""
    from etude.cli.parse import encode
    from etude.core.run import start
    from etude.rollout.report import FILE

    if command.dataset.root:
        from etude.cli.eval_dataset import compare

        return compare(command)
    if command.output_dir and (command.output_dir / FILE).exists():
        raise UserError(f"{command.output_dir} already holds an evaluation. Choose another --output_dir.")
    stored = start("eval", encode(command), command.output_dir)
    score, films = _scored(command, stored)
    _report(command, stored, score)
    say(_sentences(score))
    say(f"Stored in {stored.folder}: {', '.join(path.name for path in films)}{', ' if films else ''}eval.json")
    if command.json:
        print(json.dumps(score.to_json()))
    return 0


def _scored(command: Eval, stored: Run) -> tuple[Score, list[Path]]:
    from etude.rollout.crew import evaluate_together
    from etude.rollout.films import Films

    options = command.eval
    first = EVALUATION_SEEDS + 100_000 * command.seed
    films = Films(stored.folder, options.videos)
    try:
        with progress("Evaluating", options.n_episodes) as line:
            score = evaluate_together(
                PolicyInEnv(command.env, command.policy, command.device, command.rename_map, options),
                seeds=range(first, first + options.n_episodes),
                num_processes=options.num_processes or _processes(options.n_episodes // options.batch_size),
                batch_size=options.batch_size,
                films=films,
                progress=lambda done, successes: line.update(done, f"{successes} succeeded"),
            )
        return score, films.join()
    finally:
        films.drop()


def _processes(num_rollouts: int) -> int:
    """Share the rollouts among all cores, where that is worth the start of more processes."""
    import os

    return min(os.cpu_count() or 1, max(1, num_rollouts // _WORTH_A_PROCESS))


@dataclass(frozen=True)
class PolicyInEnv:
    """Loads a policy and builds its environment, in the process that calls it."""

    env: Any
    policy: TrainedPolicy
    device: str
    rename_map: str
    options: EvalOptions

    def __call__(self) -> Cast | Troupe:
        """Give them, or a troupe where rollouts share batches; raise `SpecMismatch` when they do not fit together."""
        import torch

        from etude.policies.shared import answer, asking
        from etude.rollout.troupe import Troupe

        loaded, size = open_policy(self.policy.path, self.device, self.rename_map), self.options.batch_size
        torch.set_num_threads(self.options.num_threads)
        facts = _facts(loaded, self.policy.path)
        if size == 1:
            return self._cast(loaded, facts)
        return Troupe(
            cast=lambda ask: self._cast(asking(loaded, ask), facts),
            answer=lambda questions: answer(loaded.policy, questions, size),
        )

    def _cast(self, loaded: LoadedPolicy, facts: Mapping[str, Any]) -> Cast:
        """Build the environment and an agent."""
        from etude.rollout.evaluate import Cast

        env = envs.build(self.env)
        try:
            loaded.check_fits(env.observation, env.action)
            agent = agent_of(loaded, self.policy, hz=env.hz, clock=env.clock)
        except BaseException:
            env.close()
            raise
        return Cast(env=env, agent=agent, facts={"hz": env.hz, **facts})


def _facts(loaded: LoadedPolicy, path: Path) -> dict[str, Any]:
    """Tell what of the policy and of the machine moves the result, as JSON."""
    import torch

    from etude.core.codec import encode
    from etude.policies import policies

    config = encode(loaded.config, {"config": policies})
    parameters = getattr(loaded.policy, "parameters", list)()
    return {
        "policy": {
            "sha256": _fingerprint(path),
            "type": policies.name_of(loaded.config),
            "config": config,
            "n_action_steps": loaded.n_action_steps,
            "trained": encode(loaded.origin),
        },
        "machine": {
            "device": loaded.device,
            "device_name": torch.cuda.get_device_name() if loaded.device.startswith("cuda") else "",
            "dtype": sorted({str(one.dtype).removeprefix("torch.") for one in parameters}),
            "num_threads": torch.get_num_threads(),
        },
    }


def _report(command: Eval, stored: Run, score: Score) -> None:
    """Write eval.json, and the result among the run's events."""
    from etude.core.codec import encode
    from etude.rollout.report import Report, versions

    options: Mapping[str, Any] = encode(command.policy)
    facts = score.facts
    report = Report(
        environment={"type": envs.name_of(command.env), **encode(command.env), "hz": facts["hz"]},
        policy={**options, **facts["policy"], "noise_seeds": "the scenes'"},
        machine={**facts["machine"], "batch_size": command.eval.batch_size, "versions": versions()},
        score=score,
    )
    report.save(stored.folder)
    stored.log("finished", **score.to_json())


def _fingerprint(checkpoint: Path) -> str:
    """Give the SHA-256 of a checkpoint's weights."""
    import hashlib

    from etude.policies.checkpoint import MODEL, find

    with (find(checkpoint) / MODEL).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sentences(score: Score) -> str:
    """Say how it went: success, time, rewards, smoothness, latency."""
    from etude.rollout import latency

    took, reward, smooth = (score.mean(name) for name in ("time_to_success_s", "max_reward", "action_jerk"))
    lines = [str(score)]
    lines += [f"Time to success: {took:.1f} s on average."] if took is not None else []
    lines += [f"Largest reward of a rollout: {reward:.3f} on average."] if reward is not None else []
    lines += [f"Jerk of the applied actions: {smooth:.4g} units/s^3 (root mean square)."] if smooth is not None else []
    clipped = sum(result.clipped_ticks for result in score.results)
    lines += [f"The safety gate held back {clipped} of {_ticks(score)} actions."] if clipped else []
    lines += [f"Policy: {latency.sentence(score.latencies_s)}"] if score.latencies_s else []
    if (fps := score.facts["policy"]["trained"]["fps"]) and fps != score.facts["hz"]:
        lines.append(f"Note: the policy was trained at {fps:g} frames per second and acted at {score.facts['hz']:g}.")
    return "\n".join(lines)


def _ticks(score: Score) -> int:
    return sum(result.ticks for result in score.results)
