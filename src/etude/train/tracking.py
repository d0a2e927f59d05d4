"""Telling trackers how a run goes: TensorBoard, Weights & Biases, Trackio. The run's own events are always written.

A tracker that fails is left out with one warning; training goes on.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from etude.core.errors import EtudeError, MissingExtra, NotFound
from etude.train.stored import stored_form
from etude.train.watchers import Run, Values, Watcher

IDENTITY = "wandb.json"
"""File in a run's folder that tells which of W&B's runs it is, so that a resumed one goes on there."""


class Tracker(Protocol):
    """Takes what a run tells to where people look at it."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take numbers of one step by name."""
        ...

    def saved(self, step: int, folder: Path) -> None:
        """Take the path of a checkpoint."""
        ...

    def close(self) -> None:
        """Bring everything to where it belongs."""
        ...


class Tracking(Watcher):
    """Sends every `log_freq`-th update, all scores and the paths of checkpoints to one tracker."""

    def __init__(self, name: str, project: str, say: Callable[[str], None]) -> None:
        """Raises `NotFound` for an unknown tracker, and `MissingExtra` where its package is not installed."""
        if name not in TRACKERS:
            raise NotFound("tracker", name, TRACKERS)
        package, self._open = TRACKERS[name]
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(f"Tracking by {name}", name)
        self._name, self._project, self._say = name, project, say
        self._tracker: Tracker | None = None

    def begin(self, run: Run) -> None:
        """Start the tracker; raise `EtudeError` if it cannot, since nothing is lost yet."""
        self._run = run
        try:
            with _printing_to_stderr():
                self._tracker = self._open(run, self._project)
        except Exception as error:
            raise EtudeError(f"--tracking={self._name} could not be started: {_sentence(error)}") from error

    def step(self, step: int, values: Values) -> None:
        """Send an update, if it is its turn."""
        if step % self._run.config.log_freq == 0 or self._run.is_over:
            self._send(lambda tracker: tracker.log(step, _numbers("train", values)))

    def scored(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Send scores."""
        self._send(lambda tracker: tracker.log(step, _numbers(kind, values)))

    def saved(self, step: int, folder: Path) -> None:
        """Send the checkpoint's path."""
        self._send(lambda tracker: tracker.saved(step, folder.absolute()))

    def end(self) -> None:
        """Close the tracker."""
        self._send(lambda tracker: tracker.close())
        self._tracker = None

    def _send(self, message: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            with _printing_to_stderr():
                message(self._tracker)
        except Exception as error:  # noqa: BLE001  whatever it is, it is not worth the training
            self._tracker = None
            self._say(f"warning: {self._name} failed and hears no more of this run: {_sentence(error)}")


def tracked(names: str, project: str, say: Callable[[str], None]) -> list[Watcher]:
    """Give a watcher for each of the trackers in `names`, such as "tensorboard,wandb"."""
    chosen = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    return [Tracking(name, project, say) for name in chosen]


class TensorBoard:
    """Event files in `tensorboard/` of the run's folder; `tensorboard --logdir` shows them."""

    def __init__(self, run: Run, project: str) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  an extra

        # What a killed run told after its last checkpoint happens again and takes the place of that.
        folder = run.config.output_dir / "tensorboard"
        self._writer = SummaryWriter(str(folder), purge_step=run.step + 1 if run.step else None)
        config = json.dumps(stored_form(run.config), indent=2)
        self._writer.add_text("config", f"project: {project}\n\n```json\n{config}\n```", run.step)
        self._writer.flush()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add a scalar for each value."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def saved(self, step: int, folder: Path) -> None:
        """Add the path as a text."""
        self._writer.add_text("checkpoint", str(folder), step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class WeightsAndBiases:
    """A run of wandb's, which its own variables steer: WANDB_MODE=offline needs no network, WANDB_ENTITY, and so on."""

    def __init__(self, run: Run, project: str) -> None:
        import wandb  # noqa: PLC0415  an extra

        folder = run.config.output_dir
        self._run = wandb.init(
            project=project,
            name=_title(folder),
            id=_identity(folder / IDENTITY),
            dir=str(folder),
            config=stored_form(run.config),
            resume="allow",
            settings=wandb.Settings(silent=True),
        )
        # Steps of its own may only rise; a run that was killed goes on from an earlier one.
        self._run.define_metric("*", step_metric="step")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log the values beside their step."""
        self._run.log({"step": step, **values})

    def saved(self, step: int, folder: Path) -> None:
        """Keep the newest checkpoint's path in the summary."""
        self._run.summary.update({"checkpoint": str(folder), "checkpoint_step": step})

    def close(self) -> None:
        """Wait until everything is sent, or written where there is no network."""
        self._run.finish()


class Trackio:
    """A run in Trackio's local database (TRACKIO_DIR); `trackio show` shows it."""

    def __init__(self, run: Run, project: str) -> None:
        import trackio  # noqa: PLC0415  an extra

        self._trackio = trackio
        config = stored_form(run.config)
        trackio.init(project=project, name=_title(run.config.output_dir), config=config, resume="allow", embed=False)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log the values."""
        self._trackio.log(dict(values), step=step)

    def saved(self, step: int, folder: Path) -> None:
        """Log the path."""
        self._trackio.log({"checkpoint": str(folder)}, step=step)

    def close(self) -> None:
        """Write what is left."""
        self._trackio.finish()


TRACKERS: dict[str, tuple[str, Callable[[Run, str], Tracker]]] = {
    "tensorboard": ("tensorboard", TensorBoard),
    "wandb": ("wandb", WeightsAndBiases),
    "trackio": ("trackio", Trackio),
}
"""The package of each, and how it is started for a run and a project."""


def _numbers(kind: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Name the numbers among `values`, those of inner mappings included."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _numbers(f"{kind}/{name}", value)
        elif isinstance(value, int | float):
            found[f"{kind}/{name}"] = float(value)
    return found


def _title(folder: Path) -> str:
    """Name a run by its folder and the one around it, which are date and time where nobody chose."""
    return "-".join(folder.absolute().parts[-2:])


def _identity(path: Path) -> str:
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))["id"]
    identity = uuid.uuid4().hex[:8]
    path.write_text(json.dumps({"id": identity}), encoding="utf-8")
    return identity


def _sentence(error: Exception) -> str:
    lines: Sequence[str] = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _printing_to_stderr() -> contextlib.AbstractContextManager[Any]:
    """Keep standard output for results."""
    return contextlib.redirect_stdout(sys.stderr)
