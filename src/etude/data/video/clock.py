"""When the pictures of a video file are shown."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from etude.core.errors import DatasetError
from etude.data.video.packets import reading


def shown_at(path: Path) -> np.ndarray:
    """Give the time of each picture in the order in which they are shown [s]; nothing is decoded."""
    with reading(path), av.open(str(path)) as container:
        if not container.streams.video:
            raise DatasetError(path, "holds no video stream; it is truncated or damaged. Copy it again.")
        stream = container.streams.video[0]
        if stream.codec_context.has_b_frames:  # the index tells the order of decoding then
            times = [packet.pts for packet in container.demux(stream) if packet.size]
        else:
            times = [entry.timestamp for entry in stream.index_entries]
        base = stream.time_base or 0
        return np.sort(np.array([time or 0 for time in times], np.int64)) * float(base)
