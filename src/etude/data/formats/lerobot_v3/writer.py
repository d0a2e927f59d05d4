"""Records LeRobot v3.0 datasets; every saved episode is on disk, whole, before `save_episode` returns.

While an episode is recorded it lies beside the dataset, as a draft. Saving it makes a new version of the dataset that
shares all older files, and swaps it in: a crash leaves the dataset as it was and the draft, or the dataset with the
episode. Now and then small files are regrouped into large ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from etude.core.errors import DatasetError, UserError
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs
from etude.data import draft as drafts
from etude.data import recording
from etude.data.dataset import Timing
from etude.data.draft import Draft
from etude.data.edit.compact import compact
from etude.data.formats.lerobot_v3 import layout
from etude.data.formats.lerobot_v3.commit import Committed
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.drafting import Drafting, writing
from etude.data.lerobot import header as headers
from etude.data.lerobot.header import Header
from etude.data.recording import Finished, Take
from etude.data.versions import locked

COMPACT_EVERY = 50
"""Episodes after which small files are regrouped while recording goes on."""


def create(config: Config, root: Path, specs: Specs, fps: int, robot_type: str | None) -> Writer:
    """Start an empty dataset in `root`."""
    header = layout.new_header(config, specs, fps, robot_type)
    with _alone(root) as lock:
        with writing(root):
            layout.write_header(root, header)
        return Writer(config, root, header, lock.pop_all())


def resume(config: Config, root: Path, specs: Specs, fps: int, robot_type: str | None) -> Writer:
    """Go on with the dataset in `root`, whoever wrote it; raise `UserError` when the new frames would not fit."""
    header = headers.read(root)
    _require_same("fps", header.fps, fps)
    _require_same("robot_type", header.robot_type, robot_type)
    _require_same("keys", _described(header.specs()), _described(specs))
    with _alone(root) as lock:
        return Writer(layout.coded_like(config, header), root, header, lock.pop_all())


class Writer:
    """Records episodes into a LeRobot v3.0 dataset; nobody else can write to it until it is closed."""

    def __init__(self, config: Config, root: Path, header: Header, lock: ExitStack) -> None:
        self.root, self._config, self._lock = root, config, lock
        self._specs, self._fps = header.specs(), header.fps
        with writing(root):
            self._committed = Committed(root)
            drafts.sweep(root)
        self._drafting = Drafting(config, root, self._committed.header)
        self._compaction: _Compaction | None = None
        self._is_closed = False

    @property
    def num_episodes(self) -> int:
        """Episodes that are safe on disk."""
        return self._committed.header.total_episodes

    def add_frame(self, frame: Frame, timing: Timing | None = None) -> None:
        """Append one frame to the open episode; raise `SpecMismatch` when it does not fit."""
        self._drafting.add_frame(frame, timing)

    def save_episode(self, task: str) -> None:
        """Commit the open episode; when this fails it stays as a draft, and those saved before are untouched."""
        self._drafting.save_episode(task)
        finished = self._drafting.collect()
        assert finished, "an episode that is saved is finished"
        self.save_finished(finished, task)

    def save_finished(self, finished: Finished, task: str) -> None:
        """Commit an episode that was recorded beside this dataset, maybe by another process."""
        with writing(self.root):
            recording.mark(finished.folder, self.num_episodes)
        self.add_take(finished.take, task)
        recording.delete(finished.folder)

    def add_take(self, take: Take, task: str) -> None:
        """Commit a finished episode; its videos are moved into the dataset."""
        self._await_compaction()
        with writing(self.root):
            self._committed.add(take, task)
        if self._config.compact and self.num_episodes % COMPACT_EVERY == 0:
            self._compaction = _Compaction(self.root)

    def keep_draft(self, draft: Draft, task: str) -> None:
        """Commit what a recording that broke off left; raise `UserError` when it is of another kind."""
        _require_same("keys", _described(self._specs), _described(draft.specs))
        _require_same("fps", self._fps, draft.fps)
        self.add_take(draft.take(self._committed.header.features), task)
        draft.drop()

    def discard_episode(self) -> None:
        """Forget the open episode."""
        self._drafting.discard_episode()

    def leave_episode(self) -> None:
        """Stop recording the open episode and leave it as a draft, which the user may keep or drop."""
        self._drafting.leave_episode()

    def close(self) -> None:
        """Leave the open episode as a draft, regroup small files, and let others write; harmless when done before."""
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock:
            self.leave_episode()
            self._await_compaction()
            if self._config.compact:
                _compact(self.root)

    def _await_compaction(self) -> None:
        """Wait until files stay where they are; in what regrouping fails, small files simply stay."""
        if self._compaction:
            self._compaction.join()
            self._compaction = None
            self._committed.refresh()


class _Compaction(threading.Thread):
    """Regroups small files while the next episode is recorded, beside the dataset."""

    def __init__(self, root: Path) -> None:
        super().__init__(name=f"compact {root.name}", daemon=True)
        self._root = root
        self.start()

    def run(self) -> None:
        """Regroup, beside the dataset."""
        _compact(self._root)


def _compact(root: Path) -> None:
    """Regroup small files; where that fails, as on a full disk, they stay, and the next recording tries again."""
    try:
        compact(root)
    except (DatasetError, OSError) as error:
        logging.getLogger(__name__).warning("Small files of %s stay as they are: %s", root, error)


@contextmanager
def _alone(root: Path) -> Iterator[ExitStack]:
    """Be the only writer until the stack that is yielded is closed, or at once when the block fails."""
    with ExitStack() as stack:
        root.parent.mkdir(parents=True, exist_ok=True)
        folder = stack.enter_context(locked(root))
        if root.exists() and folder.stat().st_dev != root.stat().st_dev:
            raise UserError(f"{root} is a mount point, beside which nothing can be put. Choose a folder inside it.")
        yield stack


def _require_same(what: str, there: Any, wanted: Any) -> None:
    if there == wanted:
        return
    if isinstance(there, dict):
        names = [name for name in {**there, **wanted} if there.get(name) != wanted.get(name)]
        there, wanted = (", ".join(f"{name} {_told(keys.get(name))}" for name in names) for keys in (there, wanted))
    raise UserError(f"The dataset's {what} should stay {there}, got {wanted}. Record into a new folder instead.")


def _told(described: tuple[str, tuple[str, ...]] | None) -> str:
    if described is None:
        return "absent"
    shape, names = described
    return f"{shape} ({', '.join(names)})" if names else shape


def _described(specs: Specs) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give what a LeRobot dataset can tell of specs; units and the names of a picture's axes are not among it."""
    return {key: (str(spec), _names(spec)) for key, spec in specs.items()}


def _names(spec: Spec) -> tuple[str, ...]:
    return () if spec.is_image or spec.is_depth else spec.names
