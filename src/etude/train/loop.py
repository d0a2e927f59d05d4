"""The training loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import torch
from torch.profiler import record_function

from etude.core.errors import ConfigError
from etude.core.events import EventLog
from etude.data.ahead import ahead
from etude.policies import checkpoint
from etude.train import lora, parallel
from etude.train import state as states
from etude.train.checkpoints import STATE_FOLDER, Checkpoints
from etude.train.config import TrainConfig
from etude.train.heap import keep_freed_memory
from etude.train.interrupt import stopping
from etude.train.memory import sparing
from etude.train.setup import Setup, prepare
from etude.train.stored import stored_form
from etude.train.update import update
from etude.train.validate import validate
from etude.train.watchers import Events, Run, Watcher


def train(
    config: TrainConfig,
    *,
    resume: bool = False,
    watchers: Sequence[Watcher] = (),
    say: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Path:
    """Train a policy and give the folder of its last checkpoint.

    With `resume` it goes on from `checkpoints/last` in the run's folder, on a processor to the same bits. Ctrl-C saves
    a checkpoint and ends. `watchers` hear how it goes. `say` hears what reading samples will cost. Raises `ConfigError`
    when the config does not fit the dataset or the run that it resumes, or when the folder holds another run. `clock`
    [s] is read at both ends of every update.
    """
    checkpoints = Checkpoints(config.output_dir, config.keep_checkpoints)
    if checkpoints.last.exists() and not resume:
        raise ConfigError(f"{config.output_dir} already holds a training run. Resume it, or choose another output_dir.")
    keep_freed_memory()
    with (
        _threads(config.num_threads),
        stopping() as is_stopped,
        parallel.processes(config) as device,
        sparing(config),
    ):
        setup = prepare(config, checkpoints.last / STATE_FOLDER if resume else None, device)
        if say and not setup.is_over:
            say(setup.told())
            say(setup.loading_cost().sentences())
        elif say and resume:
            say(_told_of_its_end(setup))
        if parallel.process_index():
            _Loop(setup, checkpoints, None, is_stopped, clock).run()
        else:
            with checkpoints.alone(), closing(EventLog(config.output_dir / "events.jsonl")) as log:
                checkpoints.tidy()
                heard = [Events(), *watchers]
                run = Run(setup=setup, log=log, watchers=heard, on_score=checkpoints.score)
                with _watched(run):
                    _Loop(setup, checkpoints, run, is_stopped, clock).run()
                if say and not run.stop_reason and not setup.is_over:
                    all_of_them = "" if config.steps is None else f" of {config.steps}"
                    say(f"Stopped after {setup.state.step}{all_of_them} updates; --resume goes on.")
        parallel.wait_for_all()
    return checkpoints.last.resolve()


class _Loop:
    """Makes updates until the run has all of them or is asked to stop."""

    def __init__(
        self,
        setup: Setup,
        checkpoints: Checkpoints,
        run: Run | None,
        is_stopped: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """Take a run, whose watchers hear all; the processes beside the first have none."""
        self._setup, self._checkpoints, self._run, self._is_stopped = setup, checkpoints, run, is_stopped
        self._clock, self._duration_s, self._since_meeting_s = clock, 0.0, 0.0

    def run(self) -> None:
        """Go through the updates that are left."""
        setup = self._setup
        if setup.state.step == 0 == setup.config.steps:
            self._save()
        with closing(ahead(setup.draw, setup.read, self._num_batches())) as batches:
            while not setup.is_over:
                self._update(batches)
                is_saved = self._is_save_due()
                if is_saved:
                    self._save()
                if setup.is_meeting and parallel.any_says(self._is_asked_to_stop(), setup.device):
                    if not is_saved:
                        self._save()
                    break
        if self._run and not setup.is_over:
            self._run.log.write("stopped", step=setup.state.step, reason=self._run.stop_reason or "asked to")

    def _num_batches(self) -> int:
        """Count the batches that are left to draw; those that fit into a time are beyond counting."""
        config = self._setup.config
        if config.steps is None:
            return sys.maxsize
        return max(0, config.steps - self._setup.state.step) * config.grad_accum_steps

    def _update(self, batches: Iterator) -> None:
        setup, began = self._setup, self._clock()
        with record_function("wait for samples"):
            taken = list(islice(batches, setup.config.grad_accum_steps))
        values = update(setup, taken)
        newest = self._clock() - began
        self._duration_s = 0.95 * self._duration_s + 0.05 * newest if self._duration_s else newest
        state = setup.state
        self._since_meeting_s += newest
        if setup.is_meeting:
            # All processes go by the same clock, or one would stop while another waits for it.
            state.spent_s = parallel.of_first(state.spent_s + self._since_meeting_s, setup.device)
            self._since_meeting_s = 0.0
        speed = state.samples_per_step / self._duration_s
        spent_s = state.spent_s + self._since_meeting_s
        left_s = setup.config.budget.left_s(state.step, spent_s, self._duration_s)
        values |= {"samples_per_s": round(speed, 1), "spent_s": round(spent_s, 3), "eta_s": round(left_s, 1)}
        for watcher in self._run.watchers if self._run else ():
            watcher.step(state.step, values)

    def _is_save_due(self) -> bool:
        config, step = self._setup.config, self._setup.state.step
        if not self._setup.is_meeting:
            return False
        is_wanted = bool(self._run and self._run.takes_save_wish())
        if parallel.is_sharded(self._setup.accelerator):  # only all processes together can put the weights together
            is_wanted = parallel.first_says(is_wanted, self._setup.device)
        return is_wanted or step % config.save_freq == 0 or self._setup.is_over

    def _is_asked_to_stop(self) -> bool:
        return self._is_stopped() or bool(self._run and self._run.stop_reason)

    def _save(self) -> None:
        """Save a checkpoint, score it on held-out episodes, and settle which one is the best."""
        run, setup, step = self._run, self._setup, self._setup.state.step
        whole = parallel.gathered(setup.accelerator, setup.objective)
        if run is None:
            return
        with self._checkpoints.writing(step) as draft:
            if whole is None:
                states.save(draft / STATE_FOLDER, setup.state, stored_form(setup.config))
            else:
                setup.take(whole)
            with run.acting() as loaded:
                whole = lora.merged(loaded, draft / lora.ADAPTER) if setup.config.lora.rank else loaded
                checkpoint.save(draft / checkpoint.PRETRAINED, whole)
        folder = self._checkpoints.folder / f"{step:06d}"
        run.log.write("saved", step=step, spent_s=round(setup.state.spent_s, 3), folder=str(folder))
        if setup.held_out:
            validate(run)
        for watcher in run.watchers:
            watcher.saved(step, folder)
        self._checkpoints.settle()


def _told_of_its_end(setup: Setup) -> str:
    state, budget = setup.state, setup.config.budget
    is_timed = budget.minutes is not None and (budget.steps is None or state.step < budget.steps)
    flag = "--minutes" if is_timed else "--steps"
    told = f"has used its {budget.minutes:g} minutes" if is_timed else f"has made its {state.step} updates"
    return f"This run {told}; a larger {flag} goes on."


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    begun: list[Watcher] = []
    try:
        for watcher in run.watchers:
            begun.append(watcher)
            watcher.begin(run)
        yield
    finally:
        for watcher in reversed(begun):
            watcher.end()


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
