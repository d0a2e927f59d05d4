"""Makes the golden dataset `rlds/` with TensorFlow Datasets itself; not a test.

In an environment with `tensorflow-cpu` and `tensorflow-datasets`: `python tests/golden/make_rlds.py FOLDER`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from rlds_facts import LENGTHS, SIZE, TASKS, action, contacts, grip, picture, reward, state

F = tfds.features


class TinyRobot(tfds.core.GeneratorBasedBuilder):
    """Two episodes of an arm that does nothing in particular."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First."}  # noqa: RUF012  the library reads a plain dict

    def _info(self):
        observation = {
            "image": F.Image(shape=(*SIZE, 3), dtype=np.uint8, encoding_format="jpeg"),
            "wrist_image": F.Image(shape=(*SIZE, 3), dtype=np.uint8, encoding_format="png"),
            "depth": F.Image(shape=(*SIZE, 1), dtype=np.uint8, encoding_format="png"),
            "state": F.Tensor(shape=(4,), dtype=np.float32),
            "grip": F.Tensor(shape=(2,), dtype=np.float64, encoding="zlib"),
            "contacts": F.Tensor(shape=(3,), dtype=np.int64),
            "matrix": F.Tensor(shape=(2, 2), dtype=np.float32, encoding="bytes"),
            "boxes": F.Sequence(F.Tensor(shape=(), dtype=np.float32)),
        }
        steps = {
            "observation": observation,
            "action": F.Tensor(shape=(3,), dtype=np.float32),
            "reward": np.float32,
            "discount": np.float32,
            "is_first": np.bool_,
            "is_last": np.bool_,
            "is_terminal": np.bool_,
            "language_instruction": F.Text(),
        }
        metadata = {"file_path": F.Text(), "success": np.bool_}
        return tfds.core.DatasetInfo(
            builder=self, features=F.FeaturesDict({"steps": F.Dataset(steps), "episode_metadata": metadata})
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {"train": self._episodes(range(len(LENGTHS))), "val": self._episodes(range(len(LENGTHS)))}

    def _generate_examples(self, **_):
        raise NotImplementedError

    def _episodes(self, numbers):
        for number in numbers:
            steps = [_step(number, tick) for tick in range(LENGTHS[number])]
            yield number, {"steps": steps, "episode_metadata": {"file_path": f"{number}.bag", "success": True}}


def _step(episode, tick):
    is_last = tick == LENGTHS[episode] - 1
    return {
        "observation": {
            "image": picture(episode, tick),
            "wrist_image": picture(episode, tick)[::-1],
            "depth": picture(episode, tick)[..., :1],
            "state": state(episode, tick),
            "grip": grip(episode, tick),
            "contacts": contacts(episode, tick),
            "matrix": np.full((2, 2), tick, np.float32),
            "boxes": [float(tick)] * tick,
        },
        "action": action(episode, tick),
        "reward": reward(episode, tick),
        "discount": np.float32(1),
        "is_first": tick == 0,
        "is_last": is_last,
        "is_terminal": is_last and episode == 0,
        "language_instruction": TASKS[episode],
    }


def main(folder: Path) -> None:
    """Write one shard per episode, in order."""
    with tempfile.TemporaryDirectory() as work:
        builder = TinyRobot(data_dir=work)
        config = tfds.download.DownloadConfig(num_shards=2)
        builder.download_and_prepare(download_config=config)
        shutil.copytree(builder.data_dir, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
