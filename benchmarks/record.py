"""What recording two 640x480 cameras at 30 Hz costs, as JSON: the time of `add_frame`, of saving, processor, memory, size.

    python benchmarks/record.py [--frames=3000] [--vcodec=libsvtav1] [--unpaced] [--peer=PYTHON]

One camera stands still and one pans, over textures, with moving shapes and sensor noise. Each recorder runs in a
process of its own. `--peer` also measures LeRobot's streaming recorder, with the Python that can import it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import av
import cv2
import numpy as np

FPS, EPISODE = 30, 300
HEIGHT, WIDTH = 480, 640
CAMERAS = ("observation.images.fixed", "observation.images.panning")
NOISE = 2.5
POOL = 90
"""Different pictures per camera, shown forwards and backwards in turn."""
BUDGET_S = 1 / FPS
CHECKED = 30
"""Pictures per camera whose quality is measured."""

Frame = dict[str, np.ndarray]


class Recorder(Protocol):
    """What is measured."""

    def add_frame(self, frame: Frame) -> None:
        """Append one frame."""
        ...

    def save_episode(self) -> None:
        """End the episode."""
        ...

    def close(self) -> None:
        """End the recording."""
        ...


class Etude:
    """Etude's recorder."""

    def __init__(self, root: Path, options: dict[str, Any]) -> None:
        from etude.core.spec import Spec  # noqa: PLC0415  the peer's Python has no Etude
        from etude.data.formats.lerobot_v3.config import Config  # noqa: PLC0415
        from etude.data.opening import create_dataset  # noqa: PLC0415

        picture = Spec(shape=(HEIGHT, WIDTH, 3), dtype="uint8")
        vector = Spec(shape=(6,), names=tuple("abcdef"))
        specs = {"observation.state": vector, **dict.fromkeys(CAMERAS, picture), "action": vector}
        self._writer = create_dataset(root, specs, FPS, config=Config(**options))
        self.add_frame, self.close = self._writer.add_frame, self._writer.close

    def save_episode(self) -> None:
        """End the episode."""
        self._writer.save_episode("benchmark")


class LeRobot:
    """LeRobot's recorder, encoding while it records."""

    def __init__(self, root: Path, options: dict[str, Any]) -> None:
        from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: PLC0415  # pyright: ignore

        del options
        picture = {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
        vector = {"dtype": "float32", "shape": (6,), "names": list("abcdef")}
        features = {"observation.state": vector, **dict.fromkeys(CAMERAS, picture), "action": vector}
        self._dataset = LeRobotDataset.create(
            "benchmark/record", fps=FPS, features=features, root=root, use_videos=True, streaming_encoding=True
        )
        self.save_episode = self._dataset.save_episode

    def add_frame(self, frame: Frame) -> None:
        """Append one frame."""
        self._dataset.add_frame({**frame, "task": "benchmark"})

    def close(self) -> None:
        """End the recording."""
        self._dataset.finalize()


RECORDERS: dict[str, Callable[[Path, dict[str, Any]], Recorder]] = {"etude": Etude, "lerobot": LeRobot}


def pool() -> Frame:
    """Draw the pictures of both cameras, (picture, height, width, 3) each."""
    rng = np.random.default_rng(0)
    scene = _texture(rng, HEIGHT, WIDTH + 2 * POOL)
    pictures = {key: np.empty((POOL, HEIGHT, WIDTH, 3), np.uint8) for key in CAMERAS}
    for key, camera in pictures.items():
        for number, picture in enumerate(camera):
            left = 2 * number if key == CAMERAS[1] else 0
            picture[:] = scene[:, left : left + WIDTH]
            _shapes(picture, number)
            noise = np.empty(picture.shape, np.int16)
            cv2.randn(noise, 0, NOISE)
            picture[:] = np.clip(picture + noise, 0, 255)
    return pictures


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Mix noise of several sizes, as surfaces have grain and large shades."""
    scene = np.full((height, width, 3), 128, np.float32)
    for size, strength in ((4, 10), (16, 24), (64, 40)):
        grain = rng.standard_normal((height // size + 2, width // size + 2, 3)).astype(np.float32)
        scene += strength * cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _shapes(picture: np.ndarray, number: int) -> None:
    angle = 2 * np.pi * number / POOL
    center = (int(320 + 180 * np.cos(angle)), int(240 + 120 * np.sin(angle)))
    cv2.circle(picture, center, 45, (200, 60, 40), -1)
    corner = (60 + 4 * number, 330)
    cv2.rectangle(picture, corner, (corner[0] + 70, corner[1] + 50), (40, 160, 220), -1)


def shown(number: int) -> int:
    """Tell which picture of the pool is shown at a frame of an episode."""
    return POOL - 1 - abs(number % (2 * POOL - 2) - (POOL - 1))


def record(recorder: Recorder, pictures: Frame, num_frames: int, *, is_paced: bool) -> dict[str, Any]:
    """Record, and give what it took."""
    add_s, save_s, began, used = [], [], time.perf_counter(), _cpu_s()
    for number in range(num_frames):
        vector = np.full(6, number, np.float32)
        chosen = shown(number % EPISODE)
        frame = {"observation.state": vector, **{key: pictures[key][chosen] for key in CAMERAS}, "action": vector}
        if is_paced:
            time.sleep(max(0.0, began + number * BUDGET_S - time.perf_counter()))
        add_s.append(_timed(lambda frame=frame: recorder.add_frame(frame)))
        if (number + 1) % EPISODE == 0 or number + 1 == num_frames:
            save_s.append(_timed(recorder.save_episode))
            began += save_s[-1]
    close_s = _timed(recorder.close)
    return {
        "add_frame_ms": _ms(add_s),
        "frames_over_33_ms": int(np.sum(np.array(add_s) > BUDGET_S)),
        "save_episode_s": {"median": round(float(np.median(save_s)), 3), "max": round(max(save_s), 3)},
        "close_s": round(close_s, 3),
        "cpu_ms_per_frame_pair": round(1000 * (_cpu_s() - used) / num_frames, 2),
    }


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _ms(times: list[float]) -> dict[str, float]:
    median, p99, most = np.quantile(times, [0.5, 0.99, 1]) * 1000
    return {"median": round(median, 3), "p99": round(p99, 3), "max": round(most, 3)}


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mb() -> float:
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + children) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def quality(root: Path, pictures: Frame, num_frames: int) -> dict[str, float]:
    """Give bytes per picture and PSNR [dB] per camera, from the first video file of each."""
    found = {}
    for key in CAMERAS:
        files = sorted((root / "videos" / key).rglob("*.mp4"))
        errors = [
            np.mean((decoded.astype(np.float32) - pictures[key][shown(number)]) ** 2)
            for number, decoded in zip(range(CHECKED), _decoded(files[0]), strict=False)
        ]
        name = key.rpartition(".")[2]
        found[f"{name}_kb_per_frame"] = round(sum(file.stat().st_size for file in files) / num_frames / 1000, 2)
        found[f"{name}_psnr_db"] = round(float(10 * np.log10(255**2 / np.mean(errors))), 2)
    return found


def _decoded(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def measure(name: str, num_frames: int, options: dict[str, Any], *, is_paced: bool) -> dict[str, Any]:
    """Record with one recorder into a temporary folder."""
    folder = Path(tempfile.mkdtemp())
    try:
        pictures, root = pool(), folder / "dataset"
        found = record(RECORDERS[name](root, options), pictures, num_frames, is_paced=is_paced)
        found["peak_mb_less_pool"] = round(_peak_mb() - sum(camera.nbytes for camera in pictures.values()) / (1 << 20))
        return found | quality(root, pictures, num_frames)
    finally:
        shutil.rmtree(folder)


def _in_own_process(python: str, name: str, arguments: list[str]) -> Any:
    command = [python, __file__, f"--only={name}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | {"SVT_LOG": "1"})
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure Etude, and the peer where it is given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--vcodec", default="libsvtav1")
    parser.add_argument("--unpaced", action="store_true")
    parser.add_argument("--peer", default="", help="a Python that can import LeRobot")
    parser.add_argument("--only", choices=list(RECORDERS), help="measure one, in this process")
    options = parser.parse_args()
    if options.only:
        config = {"vcodec": options.vcodec}
        print(json.dumps(measure(options.only, options.frames, config, is_paced=not options.unpaced)))
        return
    arguments = [f"--frames={options.frames}", f"--vcodec={options.vcodec}", *["--unpaced"] * options.unpaced]
    results = {"etude": _in_own_process(sys.executable, "etude", arguments)}
    if options.peer:
        results["lerobot"] = _in_own_process(options.peer, "lerobot", arguments)
    facts = {"frames": options.frames, "vcodec": options.vcodec, "is_paced": not options.unpaced}
    load = round(os.getloadavg()[0], 1)
    print(json.dumps(facts | {"cores": os.cpu_count(), "load_average": load} | results, indent=2))


if __name__ == "__main__":
    main()
