"""Datasets: opening, windowing, recording and checking demonstrations."""

from etude.data.opening import create_dataset, lerobot_home, open_dataset

__all__ = ["create_dataset", "lerobot_home", "open_dataset"]
