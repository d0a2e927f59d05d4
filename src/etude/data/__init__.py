"""Datasets: opening, windowing, recording and checking demonstrations."""

from etude.data.formats import formats  # after its sub-package is loaded, the name stays the registry's for good
from etude.data.opening import create_dataset, lerobot_home, open_dataset

__all__ = ["create_dataset", "formats", "lerobot_home", "open_dataset"]
