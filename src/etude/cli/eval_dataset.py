"""`etude eval --dataset.root=D`: how far a policy's actions are from those that were demonstrated."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np

from etude.cli.console import say
from etude.cli.options import open_policy

if TYPE_CHECKING:
    from rich.table import Table

    from etude.cli.eval import Eval
    from etude.data.dataset import Dataset, Episodes
    from etude.train.open_loop import Errors

_COLUMNS = 5
"""Times of a chunk that are shown: its first action, its last, and some between."""


def compare(command: Eval) -> int:
    """Compare, print one table, and store it beside the run."""
    from rich.console import Console

    from etude.cli.parse import encode
    from etude.core.files import write_json
    from etude.core.run import start
    from etude.data import open_dataset
    from etude.rollout import latency
    from etude.train.open_loop import latencies_s, measure

    assert command.dataset.root
    loaded = open_policy(command.policy.path, command.device, command.rename_map)
    dataset = open_dataset(command.dataset.root)
    loaded.check_fits(dataset.specs, dataset.specs["action"], str(command.dataset.root))
    episodes = _chosen(dataset, command.dataset.episodes)
    stored = start("eval", encode(command), command.output_dir)
    errors = measure(loaded, dataset, episodes, most_frames=command.dataset.max_frames)
    times = latencies_s(loaded, dataset)
    result = errors.to_json() | {"latency": latency.summary(times)}
    write_json(stored.folder / "open_loop.json", result)
    stored.log("finished", open_loop=result)
    names = loaded.action.names or tuple(map(str, range(loaded.action.shape[0])))
    Console(file=sys.stderr if command.json else None, highlight=False).print(_table(errors, names, dataset.fps))
    say(f"{errors.num_frames} frames of {len(episodes)} episodes, errors in the dataset's units.")
    say(f"Policy: {latency.sentence(times)}")
    if loaded.origin.dataset == str(command.dataset.root) and not command.dataset.episodes:
        say("Note: the policy learned from this dataset; choose episodes that were held out with --dataset.episodes.")
    if command.json:
        print(json.dumps(result))
    return 0


def _chosen(dataset: Dataset, numbers: tuple[int, ...]) -> Episodes:
    from etude.core.errors import UserError

    count = len(dataset.episodes)
    if wrong := [number for number in numbers if not 0 <= number < count]:
        raise UserError(f"--dataset.episodes should be between 0 and {count - 1}, got {wrong[0]}.")
    return dataset.episodes.chosen(np.array(numbers or range(count)))


def _table(errors: Errors, names: tuple[str, ...], fps: float) -> Table:
    """Show a row for each joint and one for all, a column for each of some times, and the two guesses to beat."""
    from rich.table import Table

    from etude.train.open_loop import HOLD_STATE, MEAN_ACTION, POLICY

    aheads = np.unique(np.linspace(0, errors.num_ahead - 1, _COLUMNS).round().astype(int))
    columns = [errors.by_joint(POLICY), *(errors.at(POLICY, int(ahead)) for ahead in aheads)]
    titles = ["mean error", *(f"after {ahead / fps:.2g} s" for ahead in aheads)]
    for guess, title in ((HOLD_STATE, "holding still"), (MEAN_ACTION, "mean action")):
        if guess in errors.sums:
            columns.append(errors.by_joint(guess))
            titles.append(title)
    table = Table("joint", *titles, box=None)
    for number, name in enumerate(names):
        table.add_row(name, *(f"{column[number]:.4g}" for column in columns))
    table.add_row("all", *(f"{column.mean():.4g}" for column in columns), style="bold")
    return table
