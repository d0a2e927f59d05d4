"""`etude demo`: the whole job on a simulated arm, by the commands a user would type."""

from __future__ import annotations

import datetime
import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from etude.cli.console import say
from etude.core.errors import EtudeError

TASK = "Put the block into the bin"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Record demonstrations on a simulated SO-101, train a policy on them, run it on placements it has not seen.

    The policy sees camera images and joint angles only. Every stage is an ordinary command, printed as it runs.
    """

    episodes: int = 100
    """Demonstrations to record."""
    steps: int = 1500
    """Training steps."""
    rollouts: int = 50
    """Unseen placements the skill is scored on."""
    seed: int = 0
    """Decides everything that is random."""
    output_dir: Path = Path("outputs/demo")
    """Where it all goes; an earlier demo there is moved aside."""


COMMAND = Demo


def run(command: Demo) -> int:
    """Run the stages, then state the result."""
    folder = command.output_dir
    _move_aside(folder)
    began = time.monotonic()
    times: dict[str, float] = {}
    results: dict[str, dict] = {}
    for name, words in stages(command).items():
        say(f"\n{name}\n  $ {shlex.join(['etude', *words])}")
        stage_began = time.monotonic()
        output = _etude(words)
        times[name] = time.monotonic() - stage_began
        if words[0] == "eval":
            results[name] = json.loads(output.strip().splitlines()[-1])
    _write_card(folder, results, times, time.monotonic() - began)
    return 0


def stages(command: Demo) -> dict[str, list[str]]:
    """Give each stage's title and the command it runs."""
    folder = command.output_dir
    dataset, untrained, run_folder = str(folder / "dataset"), str(folder / "untrained"), str(folder / "train")
    train = ["train", "--policy.type=act", f"--dataset.root={dataset}", f"--seed={command.seed}"]
    scored = [
        "eval", "--env.type=so101_pick_place", f"--eval.n_episodes={command.rollouts}",
        f"--seed={command.seed}", "--json",
    ]  # fmt: skip
    return {
        f"1. Record {command.episodes} demonstrations, driven through the real servo protocol": [
            "record", "--robot.type=so101_follower", "--robot.port=sim", "--teleop.type=scripted", "--teleop.noise=0.5",
            "--dataset.repo_id=demo/blocks", f"--dataset.root={dataset}", f"--dataset.num_episodes={command.episodes}",
            f"--dataset.single_task={TASK}", f"--seed={command.seed}",
        ],
        "2. Check the recording": ["dataset", "check", dataset],
        "3. Score an untrained policy, for comparison: make one": [*train, f"--output_dir={untrained}", "--steps=0"],
        "4. ... and run it": [
            *scored, f"--policy.path={untrained}/checkpoints/last", f"--output_dir={folder / 'eval_untrained'}",
        ],
        "5. Train on the demonstrations": [*train, f"--output_dir={run_folder}", f"--steps={command.steps}"],
        "6. Run the skill where it has not been before": [
            *scored, f"--policy.path={run_folder}/checkpoints/last", f"--output_dir={folder / 'eval'}",
        ],
    }  # fmt: skip


def _etude(words: list[str]) -> str:
    """Run one command in a process of its own and give what it printed."""
    done = subprocess.run([sys.executable, "-m", "etude", *words], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own command
    if done.returncode:
        raise EtudeError(f"The demo stopped: 'etude {words[0]}' ended with exit code {done.returncode}.")
    return done.stdout


def _move_aside(folder: Path) -> None:
    if folder.exists():
        stamp = datetime.datetime.now(tz=datetime.UTC).astimezone().strftime("%Y-%m-%d_%H-%M-%S")
        earlier = folder.with_name(f"{folder.name}_before_{stamp}")
        folder.rename(earlier)
        say(f"The earlier demo is now in {earlier}.")


def _write_card(folder: Path, results: dict[str, dict], times: dict[str, float], total_s: float) -> None:
    untrained, trained = results.values()
    rows = "\n".join(f"| {name} | {seconds:.0f} s |" for name, seconds in times.items())
    card = f"""# {TASK}

A simulated SO-101, from two camera images and six joint angles, on placements not seen in training.

| | success | n | 95 % Wilson interval |
|---|---|---|---|
| trained | {trained["success_rate"]:.0%} | {trained["n"]} | {trained["low"]:.0%} to {trained["high"]:.0%} |
| untrained | {untrained["success_rate"]:.0%} | {untrained["n"]} | {untrained["low"]:.0%} to {untrained["high"]:.0%} |

Video: [rollouts.mp4](eval/rollouts.mp4). Checkpoint: `train/checkpoints/last`. Dataset: `dataset`.

| stage | time |
|---|---|
{rows}
| all | {total_s:.0f} s |
"""
    (folder / "README.md").write_text(card, encoding="utf-8")
    robot = "--robot.type=so101_follower --robot.port=sim"
    say(
        f"\nThe skill succeeds in {trained['success_rate']:.0%} of {trained['n']} placements it has not seen "
        f"(95 % interval {trained['low']:.0%} to {trained['high']:.0%}); untrained: {untrained['success_rate']:.0%}.\n"
        f"Video:  {folder / 'eval' / 'rollouts.mp4'}\n"
        f"Card:   {folder / 'README.md'}\n"
        f"Time:   {total_s / 60:.1f} minutes\n\n"
        "By hand, those stages are the commands printed above. Next:\n"
        f"  $ etude replay {robot} --dataset.root={folder / 'dataset'} --dataset.episode=0\n"
        f"  $ etude run {robot} --policy.path={folder / 'train/checkpoints/last'}\n"
        "  $ etude runs"
    )
