"""Records episodes into drafts beside a dataset, in any process; whoever holds the dataset saves them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etude.core import frame as frames
from etude.core.errors import DatasetError, UserError
from etude.core.frame import Frame
from etude.core.spec import Spec
from etude.data import draft as drafts
from etude.data.camera_recorder import CameraRecorder, DepthRecorder
from etude.data.dataset import Timing
from etude.data.depth import DepthCoding
from etude.data.formats.lerobot_v3 import layout
from etude.data.formats.lerobot_v3.config import Config
from etude.data.lerobot import header as headers
from etude.data.lerobot.header import Header
from etude.data.recording import Finished, OpenEpisode
from etude.data.versions import workspace
from etude.data.video import DepthWriter, VideoWriter


def drafting(config: Config, root: Path) -> Drafting:
    """Record for the dataset in `root`, whose writer another process holds."""
    header = headers.read(root)
    return Drafting(layout.coded_like(config, header), root, header)


class Drafting:
    """Records one episode after the other, each into a draft of its own."""

    def __init__(self, config: Config, root: Path, header: Header) -> None:
        self._config, self._root, self._header = config, root, header
        self._specs = header.specs()
        self._episode: OpenEpisode | None = None
        self._finished: Finished | None = None

    def add_frame(self, frame: Frame, timing: Timing | None = None) -> None:
        """Append one frame to the open episode; raise `SpecMismatch` when it does not fit."""
        frames.check(self._specs, frame)
        if self._episode is None:
            self._episode = self._begin()
        self._episode.add(frame, timing)

    def save_episode(self, task: str) -> None:
        """Finish the open episode, which `collect` then gives; when this fails it stays as a draft."""
        del task
        if self._episode is None:
            raise UserError("There is no frame to save: the episode is empty. Record at least one frame.")
        episode, self._episode = self._episode, None
        try:
            with writing(self._root):
                self._finished = Finished(folder=episode.folder, take=episode.finish())
        finally:
            episode.leave()

    def collect(self) -> Finished | None:
        """Give the episode that was finished since the last time, if one was."""
        finished, self._finished = self._finished, None
        return finished

    def discard_episode(self) -> None:
        """Forget the open episode."""
        if self._episode:
            self._episode.discard()
        self._episode = None

    def leave_episode(self) -> None:
        """Stop recording the open episode and leave it as a draft, which the user may keep or drop."""
        if self._episode:
            self._episode.leave()
        self._episode = None

    def _begin(self) -> OpenEpisode:
        stamp = datetime.now(tz=UTC).astimezone().strftime("%Y%m%d-%H%M%S")
        folder = workspace(self._root) / f"{drafts.PREFIX}{stamp}-{secrets.token_hex(2)}"
        with writing(self._root):
            return OpenEpisode(folder, self._specs, self._header.fps, self._recorder)

    def _recorder(self, path: Path, spec: Spec) -> CameraRecorder:
        config, fps = self._config, self._header.fps
        if spec.is_depth:
            coding = DepthCoding.from_info(self._header.features[path.stem]["info"])
            return DepthRecorder(DepthWriter(path, fps, g=config.g, is_fragmented=True), config.queue_size, coding)
        coded: dict[str, Any] = {"vcodec": config.vcodec, "crf": config.crf, "g": config.g, "preset": config.preset}
        return CameraRecorder(VideoWriter(path, fps, is_fragmented=True, **coded), config.queue_size)


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Say of what goes wrong on the disk for the length of a block what became of the episodes."""
    try:
        yield
    except (OSError, DatasetError) as error:
        reason = error.problem.rstrip(".") if isinstance(error, DatasetError) else error.strerror or error
        raise DatasetError(
            root,
            f"cannot be written: {reason}. Episodes saved before are safe, and this one is kept as a draft: make room, "
            f"then run `etude dataset recover {root}`.",
        ) from error
