"""Draws docs/images/tasks.png: every task at its start, half-way and done, as both cameras see it.

python scripts/draw_tasks.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from etude.core.frame import Frame
from etude.envs import envs
from etude.hardware import teleoperators
from etude.sim.tasks import tasks

SIZE = {"width": 320, "height": 240}
SEEDS = {"pick_place": 3, "stack": 1, "push": 4, "sort": 2, "insert": 0}
HALF_WAY = 0.55
MARGIN, TITLE = 8, 30
PAPER, INK = 250, (40, 40, 40)


def main() -> None:
    """Draw the sheet."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/tasks.png")
    rows = [row(name) for name in sorted(tasks.names(), key=list(SEEDS).index)]
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet = framed(np.concatenate(rows))
    cv2.imwrite(str(target), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def row(name: str) -> np.ndarray:
    """Draw a task's start, middle and end beside each other, its sentence above."""
    env = envs.build(envs.config(f"so101_{name}")(**SIZE))
    demonstrator = teleoperators.build(teleoperators.config("scripted")())
    demonstrator.connect()
    frames = [env.reset(SEEDS[name])]
    demonstrator.reset(SEEDS[name])
    while (action := demonstrator.read()) is not None:
        frames.append(env.step(action).frame)
    demonstrator.disconnect()
    text = env.robot.scene.task.text
    env.close()
    shown = [frames[0], frames[int(HALF_WAY * len(frames))], frames[-1]]
    pictures = [views(frame) for frame in shown]
    return titled(np.concatenate(pictures, axis=1), f"{name}: {text}  ({len(frames) / 30:.1f} s)")


def views(frame: Frame) -> np.ndarray:
    """Put both cameras' pictures beside each other."""
    front, wrist = (framed(frame[f"observation.images.{view}"]) for view in ("front", "wrist"))
    return np.concatenate([front, wrist], axis=1)


def framed(picture: np.ndarray) -> np.ndarray:
    """Leave a margin of paper around a picture."""
    edge = MARGIN // 2
    return np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), constant_values=PAPER)


def titled(picture: np.ndarray, text: str) -> np.ndarray:
    """Write `text` above a picture."""
    strip = np.full((TITLE, picture.shape[1], 3), PAPER, np.uint8)
    cv2.putText(strip, text, (MARGIN, TITLE - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.6, INK, 1, cv2.LINE_AA)
    return np.concatenate([strip, picture])


if __name__ == "__main__":
    main()
