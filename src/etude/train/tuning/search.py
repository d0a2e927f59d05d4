"""The search: Optuna chooses values, trials train with them, those that lag behind are ended early."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from etude.core.errors import ConfigError, EtudeError, MissingExtra, UserError
from etude.train.tuning.space import Values, words
from etude.train.tuning.trials import Place, Trial

if TYPE_CHECKING:
    import optuna
    from optuna.trial import TrialState

STUDY, TRIALS = "study.db", "trials"
_POLL_S = 0.2
_COUNTED = "ended"
"""Marks trials that count, unlike those that a killed search left."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How values are searched for."""

    folder: Path
    space: Mapping[str, Values]
    command: tuple[str, ...]
    """Words of `etude` that train with everything but the values and the folder."""
    metric: Literal["validation_loss", "success_rate"] = "validation_loss"
    num_trials: int = 20
    num_workers: int = 1
    """Trials at once."""
    prunes: bool = True
    """Whether a trial ends early that is worse than the median of the others at the same update."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.space:
            raise ConfigError("There is nothing to search: give such as --space.batch_size=choice:8,16.")
        if self.num_trials < 1 or self.num_workers < 1:
            raise ConfigError(
                f"trials and num_workers should be at least 1, got {self.num_trials}, {self.num_workers}."
            )


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best trial, and how many there were."""

    number: int
    value: float
    words: tuple[str, ...]
    """The options that it trained with."""
    num_trials: int


def search(options: Search, place: Place, say: Callable[[str], None]) -> Best:
    """Make trials until there are as many as asked for, those of an earlier search in the folder included.

    A trial that an earlier search left unfinished is made again. Raises `UserError` for what every trial would stumble
    over, and `EtudeError` when no trial came to an end.
    """
    study = _study(options)
    running: dict[int, tuple[optuna.Trial, Trial]] = {}
    space = {name: values.distribution() for name, values in options.space.items()}
    try:
        while True:
            left = options.num_trials - _num_ended(study) - len(running)
            for _ in range(min(left, options.num_workers - len(running))):
                trial = study.ask(space)
                folder = options.folder / TRIALS / f"{trial.number:04d}"
                chosen = (*options.command, *words(trial.params), f"--output_dir={folder}")
                running[trial.number] = trial, place.start(chosen, folder, options.metric)
            if not running:
                break
            for number, (trial, process) in list(running.items()):
                if _is_over(study, trial, process, options, say):
                    del running[number]
            time.sleep(_POLL_S)
    finally:
        for _, process in running.values():
            process.stop()
    return _best(study, options)


def _is_over(
    study: optuna.Study, trial: optuna.Trial, process: Trial, options: Search, say: Callable[[str], None]
) -> bool:
    """Look after one trial; tell whether it has ended, and tell the study how."""
    from optuna.trial import TrialState as State  # noqa: PLC0415  an extra

    code, scores = process.exit_code(), process.scores()
    told = study._storage.get_trial(trial._trial_id).intermediate_values  # noqa: SLF001
    for step in sorted(scores.keys() - told.keys()):
        trial.report(scores[step], step)
    title = f"Trial {trial.number} ({' '.join(words(trial.params))})"
    if code is None and options.prunes and scores and trial.should_prune():
        process.stop()
        say(f"{title}: ended early at update {max(scores)}, {options.metric} {scores[max(scores)]:.4g}")
        return _ended(study, trial, State.PRUNED)
    if code is None:
        return False
    last_words = process.last_words()
    process.stop()
    if code == 0 and scores:
        value = max(scores.values()) if options.metric == "success_rate" else min(scores.values())
        say(f"{title}: {options.metric} {value:.4g}")
        return _ended(study, trial, State.COMPLETE, value)
    if code == UserError.exit_code:
        study.tell(trial, state=State.FAIL)
        raise EtudeError(f"{title} could not begin. {last_words}")
    say(f"{title}: failed. {last_words}")
    return _ended(study, trial, State.FAIL)


def _ended(study: optuna.Study, trial: optuna.Trial, state: TrialState, value: float | None = None) -> bool:
    trial.set_user_attr(_COUNTED, value=True)
    study.tell(trial, value, state=state)
    return True


def _study(options: Search) -> optuna.Study:
    try:
        import optuna  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra("Searching for values", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    options.folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="etude",
        storage=f"sqlite:///{(options.folder / STUDY).absolute()}",
        direction="maximize" if options.metric == "success_rate" else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3) if options.prunes else optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    _check_goes_on(study, options)
    study.sampler = optuna.samplers.TPESampler(seed=options.seed + len(study.trials))
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _check_goes_on(study: optuna.Study, options: Search) -> None:
    """Raise `ConfigError` unless the search in the folder was for the best of the same, among like values."""
    import optuna  # noqa: PLC0415  an extra

    is_for_most = study.direction is optuna.study.StudyDirection.MAXIMIZE
    if is_for_most != (options.metric == "success_rate"):
        raise ConfigError(f"The search in {options.folder} was not for the best {options.metric}; start a new one.")
    for trial in study.get_trials(deepcopy=False):
        for name in trial.distributions.keys() & options.space.keys():
            try:
                now = options.space[name].distribution()
                optuna.distributions.check_distribution_compatibility(trial.distributions[name], now)
            except ValueError as error:
                raise ConfigError(
                    f"The search in {options.folder} chose --space.{name} among other values. Resume it with those, or "
                    "start a new one; only the ends of ranges may move."
                ) from error


def _num_ended(study: optuna.Study) -> int:
    return sum(_COUNTED in trial.user_attrs for trial in study.get_trials(deepcopy=False))


def _best(study: optuna.Study, options: Search) -> Best:
    from optuna.trial import TrialState  # noqa: PLC0415  an extra

    if not study.get_trials(states=(TrialState.COMPLETE,)):
        raise EtudeError(f"No trial came to an end; what each said is in {options.folder / TRIALS}/*/log.txt.")
    best = study.best_trial
    assert best.value is not None
    return Best(number=best.number, value=best.value, words=tuple(words(best.params)), num_trials=_num_ended(study))
