"""Looking pictures up gives what the pipeline gives, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.train.options import Augment
from etude.train.pictures import Tables
from etude.train.samples import augmented
from etude.transforms.images import ImageToFloat, Resize
from etude.transforms.normalize import Mode, Normalize
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
SPECS = {key: Spec(shape=(12, 16, 3), dtype="uint8") for key in (FRONT, WRIST)}
SPECS["observation.state"] = Spec(shape=(3,))


def _batch(*leading):
    random = np.random.default_rng(0)
    return {key: random.integers(0, 256, (*leading, 12, 16, 3), np.uint8) for key in (FRONT, WRIST)}


def _pipeline(mode, shape=(3, 1, 1)):
    stats = Stats.of(np.random.default_rng(1).random((50, *shape)))
    steps = (
        Resize(keys=(FRONT, WRIST), size=(12, 16)),
        ImageToFloat(keys=(FRONT, WRIST)),
        Normalize(modes={FRONT: mode, WRIST: Mode.IDENTITY}, stats={FRONT: stats}),
        Rename(keys={WRIST: "observation.images.hand"}),
    )
    return Pipeline(steps)


@pytest.mark.parametrize("mode", [Mode.MEAN_STD, Mode.MIN_MAX, Mode.IDENTITY])
@pytest.mark.parametrize("augment", [Augment(), Augment(shift_px=3, brightness=0.0), Augment(shift_px=0), None])
@pytest.mark.parametrize("leading", [(5,), (4, 2)])
def test_pictures_are_what_the_pipeline_makes_of_them(mode, augment, leading):
    batch, pipeline = _batch(*leading), _pipeline(mode)
    tables = Tables.of(pipeline, SPECS, augment or Augment())
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    tensors = {key: torch.from_numpy(value) for key, value in batch.items()}
    wanted = pipeline.encode(augmented(tensors, SPECS, augment, generators[0]) if augment else tensors)
    given = tables.encode(batch, augment, generators[1])
    assert given.keys() == wanted.keys() == {FRONT, "observation.images.hand"}
    for key, picture in given.items():
        assert torch.equal(picture, wanted[key])
        assert picture.stride() == wanted[key].stride()


def test_what_mixes_values_is_not_looked_up():
    assert Tables.of(_pipeline(Mode.MEAN_STD), SPECS, Augment(contrast=0.1)) == Tables()
    assert Tables.of(Pipeline((*_pipeline(Mode.MEAN_STD).inputs, _Blur())), SPECS, Augment()) == Tables()
    by_place = _pipeline(Mode.MEAN_STD, shape=(3, 12, 16))
    assert Tables.of(by_place, SPECS, Augment()).names == {WRIST: "observation.images.hand"}


@dataclass(frozen=True)
class _Blur:
    """A transform of somebody else's, which may do anything."""

    def __call__(self, frame):
        return dict(frame)
