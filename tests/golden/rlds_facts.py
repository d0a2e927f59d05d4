"""What the golden RLDS dataset holds, as formulas: the same numbers in the script that wrote it and in the tests."""

import numpy as np

LENGTHS = (3, 5)
SIZE = (24, 32)
TASKS = ("put the carrot on the plate", "close the drawer")


def state(episode, tick):
    return np.array([episode, tick, 0.1, -1e-3], np.float32)


def action(episode, tick):
    return np.array([tick - 0.5, -episode, 1e9], np.float32)


def grip(episode, tick):
    return np.array([episode + tick / 7, -tick], np.float64)


def reward(episode, tick):
    return np.float32(tick == LENGTHS[episode] - 1)


def contacts(episode, tick):
    return np.array([-(2**40) - tick, episode, 300], np.int64)


def picture(episode, tick):
    """Two colours, one above the other: codecs keep them."""
    pixels = np.empty((*SIZE, 3), np.uint8)
    pixels[: SIZE[0] // 2] = (200, 40 * episode, 20 * tick)
    pixels[SIZE[0] // 2 :] = (10, 120, 250 - 30 * tick)
    return pixels
