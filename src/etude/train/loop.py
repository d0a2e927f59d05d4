"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from etude.core.errors import ConfigError, EtudeError
from etude.core.events import EventLog
from etude.data.ahead import ahead
from etude.policies import checkpoint
from etude.policies.files import point, replacing
from etude.train import state as states
from etude.train.config import TrainConfig
from etude.train.interrupt import stopping
from etude.train.optim import rate_factor, set_rate
from etude.train.setup import Setup, prepare, stored_form

CHECKPOINTS, LAST, STATE_FOLDER = "checkpoints", "last", "training_state"


class Progress(Protocol):
    """Hears how far training is."""

    def __call__(self, step: int, loss: float, samples_per_s: float, eta_s: float) -> None:
        """Take the updates made, the newest loss, the speed, and the time that is left [s]."""
        ...


def train(
    config: TrainConfig,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train a policy and give the folder of its last checkpoint.

    With `resume` it goes on from `checkpoints/last` in the run's folder, on a processor to the same bits. Ctrl-C saves
    a checkpoint and ends. `say` hears what reading samples will cost. Raises `ConfigError` when the config does not fit
    the dataset or the run that it resumes, or when the folder holds another run.
    """
    last = config.output_dir / CHECKPOINTS / LAST
    if last.exists() and not resume:
        raise ConfigError(f"{config.output_dir} already holds a training run. Resume it, or choose another output_dir.")
    with _threads(config.num_threads), stopping() as is_stopped:
        setup = prepare(config, last / STATE_FOLDER if resume else None)
        with closing(EventLog(config.output_dir / "events.jsonl")) as log:
            if say and config.steps > setup.state.step:
                say(setup.loading_cost().sentences())
            _train(setup, _Reporter(config, log, progress), log, is_stopped)
    return last.resolve()


def _train(setup: Setup, report: _Reporter, log: EventLog, is_stopped: Callable[[], bool]) -> None:
    config, state = setup.config, setup.state
    if state.step == 0 == config.steps:
        _save(setup, log)
    with closing(ahead(setup.draw, setup.read, config.steps - state.step)) as batches:
        for batch in batches:
            losses = _update(setup, batch)
            report(state.step, losses)
            stop = is_stopped()
            if stop or state.step % config.save_freq == 0 or state.step == config.steps:
                _save(setup, log)
                report.restart_watch()
            if stop:
                log.write("stopped", step=state.step)
                return


def _update(setup: Setup, batch: dict[str, np.ndarray]) -> dict[str, float]:
    """Make one update; give the loss, its parts, the gradient's length and the learning rate."""
    config, state = setup.config, setup.state
    encoded = setup.encode(batch, state.step)
    set_rate(state.optimizer, rate_factor(state.step, config))
    state.policy.train()
    with torch.autocast(setup.device.type, torch.bfloat16, enabled=state.bf16):
        loss, parts = setup.loaded.policy.loss(encoded)
    if not math.isfinite(loss.item()):
        raise EtudeError(f"The loss became {loss.item()} at update {state.step}. Try a lower --policy.optimizer_lr.")
    state.optimizer.zero_grad()
    loss.backward()
    length = torch.nn.utils.clip_grad_norm_(state.policy.parameters(), config.grad_clip_norm)
    state.optimizer.step()
    if state.ema:
        state.ema.update(state.policy)
    state.step += 1
    named = {"loss": loss} | parts | {"grad_norm": length}
    rate = state.optimizer.param_groups[0]["lr"]
    return {name: value.item() for name, value in named.items()} | {"lr": rate}


def _save(setup: Setup, log: EventLog) -> None:
    """Save a checkpoint, score it on held-out episodes, and let `last` point to it."""
    config, state = setup.config, setup.state
    loaded = replace(setup.loaded, origin=replace(setup.loaded.origin, step=state.step))
    folder = config.output_dir / CHECKPOINTS / f"{state.step:06d}"
    with ExitStack() as stack:
        draft = stack.enter_context(replacing(folder))
        states.save(draft / STATE_FOLDER, state, stored_form(config))
        if state.ema:
            stack.enter_context(state.ema.applied(state.policy))
        checkpoint.save(draft / checkpoint.PRETRAINED, loaded)
        if setup.held_out:
            # Holding still is hard to beat at once and easy later on, so neither horizon alone tells enough.
            for kind, num_actions in (("validation_played", loaded.n_action_steps), ("validation", None)):
                score = setup.open_loop_error(loaded, num_actions)
                log.write(kind, step=state.step, **score.to_json())
    point(folder.parent / LAST, folder.name)
    log.write("saved", step=state.step, folder=str(folder))


class _Reporter:
    """Tells of each update, and how fast they come."""

    def __init__(self, config: TrainConfig, log: EventLog, progress: Progress | None) -> None:
        self._config, self._log, self._progress = config, log, progress
        self._duration_s = 0.0
        self.restart_watch()

    def restart_watch(self) -> None:
        """Leave out what was done since the last update, such as saving."""
        self._mark = time.perf_counter()

    def __call__(self, step: int, losses: dict[str, float]) -> None:
        now = time.perf_counter()
        newest, self._mark = now - self._mark, now
        self._duration_s = 0.95 * self._duration_s + 0.05 * newest if self._duration_s else newest
        speed, left_s = self._config.batch_size / self._duration_s, (self._config.steps - step) * self._duration_s
        if self._progress:
            self._progress(step, losses["loss"], speed, left_s)
        if step % self._config.log_freq == 0 or step == self._config.steps:
            self._log.write("step", step=step, samples_per_s=round(speed, 1), eta_s=round(left_s, 1), **losses)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
