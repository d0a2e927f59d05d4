"""How the policy does on episodes that it does not learn from."""

from __future__ import annotations

import numpy as np
import torch

from etude.policies.loaded import LoadedPolicy
from etude.train.samples import rows_of
from etude.train.setup import Setup
from etude.train.update import sow
from etude.train.watchers import Run

MOST_FRAMES = 2048
_SEED = 0
"""The same for every checkpoint, so that losses differ by the policy alone."""


def validate(run: Run) -> None:
    """Report the policy's open-loop errors on the held-out episodes, and its loss once that is the loss of acting."""
    with run.acting() as loaded:
        loss = validation_loss(run.setup, loaded) if run.learns_to_act else None
        # Holding still is hard to beat at once and easy later on, so neither horizon alone tells enough.
        run.report("validation_played", **run.setup.open_loop_error(loaded, loaded.n_action_steps).to_json())
        run.report("validation", **run.setup.open_loop_error(loaded, None).to_json(), validation_loss=loss)


def validation_loss(setup: Setup, loaded: LoadedPolicy) -> float:
    """Give the loss, averaged over at most `MOST_FRAMES` evenly spaced held-out frames, pictures as they are."""
    rows = rows_of(setup.held_out, MOST_FRAMES)
    size, losses = setup.config.batch_size, []
    assert isinstance(loaded.policy, torch.nn.Module)
    loaded.policy.eval()
    for start in range(0, len(rows), size):
        batch = setup.encode(setup.read(rows[start : start + size]))
        sow(setup.device, _SEED, start)
        with torch.no_grad(), setup.accelerator.autocast():
            losses.append(float(loaded.policy.loss(batch)[0]))
    sizes = np.minimum(size, len(rows) - np.arange(0, len(rows), size))
    return float(np.average(losses, weights=sizes))
