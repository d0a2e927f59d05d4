"""What recording two 640x480 cameras at 30 Hz costs, as JSON: times of adding and saving, processor, memory, size.

    python benchmarks/record.py [--frames=3000] [--vcodec=libsvtav1] [--unpaced] [--peer]

One camera stands still and one pans, over textures, with moving shapes and sensor noise. `--peer` has LeRobot record
the same, encoding on the way, see `peer.py`. Each runs in a process of its own; PSNR is measured by one decoder.
`processor_wait_ms` is the part of `add_frame` in which it could have run and others had all processors.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

import peer

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
Answer = dict[str, Any]


class Etude:
    """Etude's recorder."""

    def __init__(self, root: Path, options: dict[str, Any]) -> None:
        from etude.core.spec import Spec  # noqa: PLC0415  the peer imports this file, without Etude
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


def pool() -> Frame:
    """Draw the pictures of both cameras, (picture, height, width, 3) each: the same with every version of NumPy."""
    rng = np.random.default_rng(0)
    scene = _texture(rng, HEIGHT, WIDTH + 2 * POOL)
    pictures = {key: np.empty((POOL, HEIGHT, WIDTH, 3), np.uint8) for key in CAMERAS}
    for key, camera in pictures.items():
        for number, picture in enumerate(camera):
            left = 2 * number if key == CAMERAS[1] else 0
            picture[:] = scene[:, left : left + WIDTH]
            _draw_shapes(picture, number)
            noise = np.rint(NOISE * rng.standard_normal(picture.shape, np.float32))
            picture[:] = np.clip(picture + noise, 0, 255)
    return pictures


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Mix noise of several sizes, as surfaces have grain and large shades."""
    scene = np.full((height, width, 3), 128.0)
    for size, strength in ((4, 12), (16, 24), (64, 40)):
        grain = strength * rng.standard_normal((height // size + 2, width // size + 2, 3))
        scene += _enlarged(_enlarged(grain, height, size).swapaxes(0, 1), width, size).swapaxes(0, 1)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _enlarged(grain: np.ndarray, length: int, size: int) -> np.ndarray:
    """Interpolate along the first axis, `size` values for each."""
    place = np.arange(length) / size
    below, share = place.astype(int), (place % 1)[:, None, None]
    return (1 - share) * grain[below] + share * grain[below + 1]


def _draw_shapes(picture: np.ndarray, number: int) -> None:
    angle, (y, x) = 2 * np.pi * number / POOL, np.ogrid[:HEIGHT, :WIDTH]
    is_disc = (x - 320 - 180 * np.cos(angle)) ** 2 + (y - 240 - 120 * np.sin(angle)) ** 2 < 45**2
    picture[is_disc] = (200, 60, 40)
    left = 60 + 4 * number
    picture[330:380, left : left + 70] = (40, 160, 220)


def shown(number: int) -> int:
    """Tell which picture of the pool is shown at a frame of an episode."""
    return POOL - 1 - abs(number % (2 * POOL - 2) - (POOL - 1))


def record(recorder: Etude, pictures: Frame, num_frames: int, *, is_paced: bool) -> Answer:
    """Record, and give what it took."""
    add_s, wait_s, save_s, began, used = [], [], [], time.perf_counter(), _cpu_s()
    for number in range(num_frames):
        frame = frame_at(pictures, number)
        if is_paced:
            time.sleep(max(0.0, began + number * BUDGET_S - time.perf_counter()))
        waited = _processor_wait_s()
        add_s.append(_timed(lambda frame=frame: recorder.add_frame(frame)))
        wait_s.append(_processor_wait_s() - waited)
        if (number + 1) % EPISODE == 0 or number + 1 == num_frames:
            save_s.append(_timed(recorder.save_episode))
            began += save_s[-1]
    close_s = _timed(recorder.close)
    return {
        "add_frame_ms": _ms(add_s),
        "processor_wait_ms": _ms(wait_s),
        "frames_over_33_ms": sum(each > BUDGET_S for each in add_s),
        "save_episode_s": {"median": round(float(np.median(save_s)), 3), "max": round(max(save_s), 3)},
        "close_s": round(close_s, 3),
        "cpu_ms_per_frame_pair": round(1000 * (_cpu_s() - used) / num_frames, 2),
    }


def frame_at(pictures: Frame, number: int) -> Frame:
    """Give what is recorded as a frame."""
    vector, chosen = np.full(6, number, np.float32), shown(number % EPISODE)
    return {"observation.state": vector, **{key: pictures[key][chosen] for key in CAMERAS}, "action": vector}


def _processor_wait_s() -> float:
    """Tell how long this thread has been ready to run and did not, where the system counts it."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


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


def quality(root: Path, pictures: Frame, num_frames: int) -> Answer:
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


def measure(num_frames: int, vcodec: str, *, is_paced: bool) -> Answer:
    """Record with Etude into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, root = pool(), Path(folder) / "dataset"
        found = record(Etude(root, {"vcodec": vcodec}), pictures, num_frames, is_paced=is_paced)
        found["peak_mb_less_pool"] = round(_peak_mb() - sum(camera.nbytes for camera in pictures.values()) / (1 << 20))
        return found | quality(root, pictures, num_frames)


def measure_peer(num_frames: int, vcodec: str, *, is_paced: bool) -> Answer:
    """Have LeRobot record."""
    with tempfile.TemporaryDirectory() as folder:
        root, episode = Path(folder) / "dataset", min(EPISODE, num_frames)
        found = peer.ask("record", root=root, frames=num_frames, episode=episode, vcodec=vcodec, paced=is_paced)
        return found if "lerobot" not in found else found | quality(root, pool(), num_frames)


def _in_own_process(arguments: list[str]) -> Answer:
    command = [sys.executable, __file__, "--here", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure Etude, and the peer where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--vcodec", default="libsvtav1")
    parser.add_argument("--unpaced", action="store_true")
    parser.add_argument("--peer", action="store_true", help="measure LeRobot too")
    parser.add_argument("--here", action="store_true", help="measure Etude in this process, and nothing else")
    given = parser.parse_args()
    if given.here:
        print(json.dumps(measure(given.frames, given.vcodec, is_paced=not given.unpaced)))
        return
    results = {"etude": _in_own_process([word for word in sys.argv[1:] if word != "--peer"])}
    if given.peer:
        results["lerobot"] = measure_peer(given.frames, given.vcodec, is_paced=not given.unpaced)
    facts = {"frames": given.frames, "vcodec": given.vcodec, "is_paced": not given.unpaced}
    load = round(os.getloadavg()[0], 1)
    print(json.dumps(facts | {"cores": os.cpu_count(), "load_average": load} | results, indent=2))


if __name__ == "__main__":
    main()
