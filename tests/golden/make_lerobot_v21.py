"""Makes the golden dataset `lerobot_v21/` from the public description of the format; not a test.

No release of LeRobot that still installs writes v2.1, so this lays the files out by hand, holding the same facts as
`lerobot_v3/`: `python tests/golden/make_lerobot_v21.py FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_v3_facts import CAMERAS, EPISODES, FPS, JOINTS, ROBOT_TYPE, action, picture, state

from etude.data.video import VideoWriter

TASKS = list(dict.fromkeys(task for _, task in EPISODES))
DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
SCALAR = {"shape": [1], "names": None}
KINDS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}


def info() -> dict:
    """Say what there is; joint names are nested, as they often were."""
    vector = {"dtype": "float32", "shape": [len(JOINTS)], "names": {"motors": list(JOINTS)}}
    cameras = {
        key: {
            "dtype": "video",
            "shape": [*size, 3],
            "names": ["height", "width", "channel"],
            "info": {"video.codec": "av1", "video.is_depth_map": False},
        }
        for key, size in CAMERAS.items()
    }
    return {
        "codebase_version": "v2.1",
        "robot_type": ROBOT_TYPE,
        "total_episodes": len(EPISODES),
        "total_frames": sum(length for length, _ in EPISODES),
        "total_tasks": len(TASKS),
        "total_videos": len(EPISODES) * len(CAMERAS),
        "total_chunks": 1,
        "chunks_size": 1000,
        "fps": FPS,
        "splits": {"train": f"0:{len(EPISODES)}"},
        "data_path": DATA,
        "video_path": VIDEO,
        "features": {"action": vector, "observation.state": vector}
        | cameras
        | {key: {"dtype": dtype} | SCALAR for key, dtype in KINDS.items()},
    }


def table(episode: int, start: int) -> pa.Table:
    """Lay out the rows of one episode."""
    length, task = EPISODES[episode]
    ticks = range(length)
    return pa.table(
        {
            "action": pa.array([action(episode, tick).tolist() for tick in ticks], pa.list_(pa.float32())),
            "observation.state": pa.array([state(episode, tick).tolist() for tick in ticks], pa.list_(pa.float32())),
            "timestamp": pa.array([tick / FPS for tick in ticks], pa.float32()),
            "frame_index": pa.array(ticks),
            "episode_index": pa.array([episode] * length),
            "index": pa.array(range(start, start + length)),
            "task_index": pa.array([TASKS.index(task)] * length),
        }
    )


def stats(episode: int) -> dict:
    """Measure vectors and pictures as v2.1 did: no quantiles."""
    ticks = range(EPISODES[episode][0])
    values = {
        "action": np.stack([action(episode, tick) for tick in ticks]),
        "observation.state": np.stack([state(episode, tick) for tick in ticks]),
    } | {key: np.stack([picture(key, episode, tick) for tick in ticks]) / 255 for key in CAMERAS}
    return {key: _measured(array) for key, array in values.items()}


def _measured(array: np.ndarray) -> dict:
    over = (0, 1, 2) if array.ndim == 4 else (0,)
    parts = {name: getattr(array, name)(over) for name in ("min", "max", "mean", "std")}
    shaped = {name: part.reshape(-1, 1, 1) if array.ndim == 4 else part for name, part in parts.items()}
    return {name: part.tolist() for name, part in shaped.items()} | {"count": [len(array)]}


def main(root: Path) -> None:
    """Write the three episodes."""
    (root / "meta").mkdir(parents=True)
    start, lines = 0, {"episodes": [], "episodes_stats": [], "tasks": []}
    for episode, (length, task) in enumerate(EPISODES):
        place = {"episode_chunk": 0, "episode_index": episode}
        path = root / DATA.format(**place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(episode, start), path)
        for key in CAMERAS:
            film(root / VIDEO.format(video_key=key, **place), key, episode)
        lines["episodes"].append({"episode_index": episode, "tasks": [task], "length": length})
        lines["episodes_stats"].append({"episode_index": episode, "stats": stats(episode)})
        start += length
    lines["tasks"] = [{"task_index": number, "task": task} for number, task in enumerate(TASKS)]
    for name, objects in lines.items():
        (root / f"meta/{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in objects))
    (root / "meta/info.json").write_text(json.dumps(info(), indent=4))


def film(path: Path, key: str, episode: int) -> None:
    """Write one camera's video of one episode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = VideoWriter(path, FPS)
    for tick in range(EPISODES[episode][0]):
        video.add(picture(key, episode, tick))
    video.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
