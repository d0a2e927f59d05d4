"""Decoded pictures kept on disk at the size that training wants, so that they are decoded once."""

from etude.data.cache.entry import Content, Entry
from etude.data.cache.pictures import CachedPictures
from etude.data.cache.store import FrameCache

__all__ = ["CachedPictures", "Content", "Entry", "FrameCache"]
