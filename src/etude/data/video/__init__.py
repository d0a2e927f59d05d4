"""Video files: pictures in, one after the other; pictures out, by number."""

from etude.data.video.reader import OpenVideos, VideoReader, resize
from etude.data.video.writer import DepthWriter, VideoWriter

__all__ = ["DepthWriter", "OpenVideos", "VideoReader", "VideoWriter", "resize"]
