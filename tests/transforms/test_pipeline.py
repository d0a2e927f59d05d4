from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from etude.core.errors import CheckpointError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.transforms.images import ImageToFloat, Resize
from etude.transforms.normalize import Mode, Normalize
from etude.transforms.pipeline import TRANSFORMS, Pipeline
from etude.transforms.relative import RelativeActions
from etude.transforms.transform import Transform

ARM = Spec(shape=(3,), names=("pan", "lift", "gripper"))


def make():
    random = np.random.default_rng(0)
    stats = {key: Stats.of(random.standard_normal((40, 3))) for key in ("observation.state", "action")}
    relative = RelativeActions.between(ARM, ARM, exclude=("gripper",))
    modes = {"observation.state": Mode.QUANTILES, "action": Mode.MEAN_STD}
    inputs = Normalize(modes=modes, stats=stats)
    outputs = Normalize(modes={"action": Mode.MEAN_STD}, stats={"action": stats["action"]}).inverse()
    pictures = (
        Resize(keys=("observation.images.front",), size=(4, 6)),
        ImageToFloat(keys=("observation.images.front",)),
    )
    return Pipeline(pictures).then(Pipeline((relative,), (relative.inverse(),))).then(Pipeline((inputs,), (outputs,)))


@pytest.fixture
def frame():
    random = np.random.default_rng(1)
    return {
        "observation.state": random.standard_normal(3).astype(np.float32),
        "observation.images.front": random.integers(0, 256, (8, 12, 3), dtype=np.uint8),
        "action": random.standard_normal((5, 3)).astype(np.float32),
        "action_is_pad": np.zeros(5, bool),
    }


def test_then_wraps():
    first, second = (Pipeline((f"{name} in",), (f"{name} out",)) for name in ("outer", "inner"))
    assert first.then(second) == Pipeline(("outer in", "inner in"), ("inner out", "outer out"))


def test_decode_undoes_encode(frame):
    pipeline = make()
    encoded = pipeline.encode(frame)
    assert encoded["observation.images.front"].shape == (3, 4, 6)
    assert not np.allclose(encoded["action"], frame["action"])
    np.testing.assert_allclose(pipeline.decode(frame, encoded["action"]), frame["action"], atol=1e-5)


def test_actions_are_encoded_as_decoding_undoes_it(frame):
    pipeline = make()
    encoded = pipeline.encode_actions(frame, frame["action"])
    np.testing.assert_allclose(encoded, pipeline.encode(frame)["action"], atol=1e-5)
    np.testing.assert_allclose(pipeline.decode(frame, encoded), frame["action"], atol=1e-5)


def test_a_stored_pipeline_does_the_same(frame, tmp_path):
    pipeline = make()
    pipeline.save(tmp_path)
    again = Pipeline.load(tmp_path)
    wanted, got = pipeline.encode(frame), again.encode(frame)
    assert wanted.keys() == got.keys()
    assert all(np.array_equal(wanted[key], got[key]) for key in wanted)
    np.testing.assert_array_equal(again.decode(frame, got["action"]), pipeline.decode(frame, got["action"]))


def test_an_empty_pipeline_can_be_stored(frame, tmp_path):
    Pipeline().save(tmp_path)
    assert Pipeline.load(tmp_path).encode(frame) == frame


def test_statistics_survive_to_the_last_bit(tmp_path):
    make().save(tmp_path)
    stored = Pipeline.load(tmp_path).inputs[-1].stats["action"]
    wanted = make().inputs[-1].stats["action"]
    np.testing.assert_array_equal(stored.mean, wanted.mean)
    assert stored.count == 40
    np.testing.assert_array_equal(stored.quantiles["q99"], wanted.quantiles["q99"])


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        Pipeline.load(tmp_path)


def test_every_transform_keeps_the_promise():
    assert all(issubclass(cls, Transform) for cls in TRANSFORMS.values())


def test_it_needs_neither_torch_nor_opencv():
    code = "import sys, etude.transforms.pipeline; print(sorted({'torch', 'cv2'} & sys.modules.keys()))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
