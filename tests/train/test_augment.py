"""What pictures go through in training, as a run's values ask for it."""

from __future__ import annotations

import pytest
import torch

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.train.options import Augment
from etude.train.samples import augmented

SPECS = {"observation.state": Spec(shape=(3,)), "observation.images.front": Spec(shape=(12, 16, 3), dtype="uint8")}


def batch():
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (4, 2, 12, 16, 3), dtype=torch.uint8, generator=random)
    return {"observation.state": torch.zeros(4, 2, 3), "observation.images.front": pictures}


@pytest.mark.parametrize("augment", [Augment(), Augment.lerobot()])
def test_pictures_change_as_the_generator_says_and_numbers_do_not(augment):
    before = batch()
    first, again, other = (augmented(before, SPECS, augment, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    key = "observation.images.front"
    assert first[key].dtype == torch.uint8
    assert torch.equal(first[key], again[key])
    assert not torch.equal(first[key], other[key])
    assert first["observation.state"] is before["observation.state"]
    assert torch.equal(before[key], batch()[key])


def test_nothing_asked_for_changes_nothing():
    before = batch()
    after = augmented(before, SPECS, Augment(shift_px=0, brightness=0.0), torch.Generator())
    assert all(after[key] is before[key] for key in before)


@pytest.mark.parametrize(
    ("change", "most"), [({"hue": 0.6}, "0.5"), ({"contrast": -0.1}, "1"), ({"rotation_deg": 270.0}, "180")]
)
def test_amounts_that_make_no_sense_are_refused(change, most):
    (name,) = change
    with pytest.raises(ConfigError, match=rf"augment\.{name} should be in 0\.\.{most}"):
        Augment(**change)
