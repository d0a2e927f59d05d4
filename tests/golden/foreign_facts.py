"""What the tiny ALOHA, robomimic and Zarr datasets hold, as formulas; they are made anew for every test run."""

import numpy as np

LENGTHS = (4, 2, 3)
SIZE = (24, 32)
CAMERAS = ("top", "wrist")


def state(episode, tick, size):
    return (np.arange(size) / 7 + episode - 10 * tick).astype(np.float64)


def action(episode, tick, size):
    return state(episode, tick + 1, size)


def picture(episode, tick, camera="top"):
    """Two colours, one above the other: codecs keep them, and red, green and blue differ."""
    pixels = np.empty((*SIZE, 3), np.uint8)
    pixels[: SIZE[0] // 2] = (220, 30 + 40 * episode, 20 * tick)
    pixels[SIZE[0] // 2 :] = (30 + 90 * CAMERAS.index(camera), 120, 240 - 20 * tick)
    return pixels


def episode(number, value, *arguments):
    """Stack `value(number, tick, ...)` over the ticks of an episode."""
    return np.stack([value(number, tick, *arguments) for tick in range(LENGTHS[number])])
