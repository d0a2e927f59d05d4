"""Beginning from a checkpoint, and feeding a policy with keys of other names."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from etude.core.errors import CheckpointError, ConfigError, NotFound, SpecMismatch
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import checkpoint
from etude.train.config import Scheduler
from etude.train.loop import train
from etude.train.watchers import Watcher
from etude.transforms.relative import RelativeActions

FRONT = "observation.images.front"


@pytest.fixture
def trained(config, tmp_path):
    return train(replace(config, steps=3, output_dir=tmp_path / "first"))


@pytest.fixture
def further(config, trained, tmp_path):
    """A run that begins from the checkpoint and learns nothing."""
    return replace(config, policy_path=trained, steps=0, output_dir=tmp_path / "further")


class Stops(Watcher):
    def begin(self, run):
        self.run = run

    def step(self, step, values):
        if step == 2:
            self.run.stop("enough")


def _rename_camera(dataset, name):
    specs = dict(dataset.specs)
    dataset.specs = {name if key == FRONT else key: spec for key, spec in specs.items()}
    dataset.stats = {name if key == FRONT else key: stats for key, stats in dataset.stats.items()}


def test_it_begins_as_the_checkpoint_is(trained, further):
    before, after = checkpoint.load(trained), checkpoint.load(train(further))
    wanted, got = before.policy.state_dict(), after.policy.state_dict()
    assert all(torch.equal(wanted[name], got[name]) for name in wanted)
    assert after.origin.step == 0
    frame = {"observation.state": np.ones(3, np.float32), FRONT: np.zeros((48, 64, 3), np.uint8)}
    np.testing.assert_array_equal(after.act(frame), before.act(frame))


def test_statistics_are_the_checkpoints_unless_asked_otherwise(dataset, further, trained, tmp_path):
    dataset.column("observation.state")[:] *= 3
    dataset.column("action")[:] *= 3
    frame = {"observation.state": np.ones(3, np.float32), FRONT: np.zeros((48, 64, 3), np.uint8)}
    before = checkpoint.load(trained).act(frame)
    kept = checkpoint.load(train(further)).act(frame)
    np.testing.assert_allclose(kept, before, atol=1e-5)
    dataset.stats = type(dataset)().stats | {
        key: type(dataset.stats[key]).of(dataset.column(key)) for key in ("observation.state", "action")
    }
    anew = replace(further, normalization="dataset", output_dir=tmp_path / "anew")
    loaded = checkpoint.load(train(anew))
    assert np.abs(loaded.act(frame) - before).max() > 0.1


def test_it_learns_on(further, trained):
    folder = train(replace(further, steps=4, scheduler=Scheduler(num_warmup_steps=0)))
    before, after = (checkpoint.load(each).policy.state_dict() for each in (trained, folder))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_it_resumes_without_the_checkpoint_to_the_same_bits(dataset, further, trained, tmp_path):
    _rename_camera(dataset, "observation.images.phone")
    further = replace(further, rename_map={"observation.images.phone": FRONT}, normalization="dataset", steps=4)
    straight = checkpoint.load(train(replace(further, output_dir=tmp_path / "straight"))).policy.state_dict()
    train(replace(further, save_freq=2), watchers=[Stops()])
    shutil.rmtree(trained)
    resumed = checkpoint.load(train(further, resume=True)).policy.state_dict()
    assert [name for name in straight if not torch.equal(straight[name], resumed[name])] == []


def test_another_architecture_is_refused_by_tensor(further):
    wider = replace(further, policy=replace(further.policy, dim_feedforward=64))
    with pytest.raises(CheckpointError, match="of another shape"):
        train(wider)


@pytest.mark.parametrize("change", [{"use_relative_actions": False}, {"image_size": (48, 48)}])
def test_what_it_is_fed_changes_with_its_statistics_or_not_at_all(further, change):
    policy = replace(further.policy, **change)
    with pytest.raises(ConfigError, match=rf"another {next(iter(change))}.*--normalization=dataset"):
        train(replace(further, policy=policy))


def test_a_policy_that_learned_where_the_hand_goes_takes_new_values_too(config, dataset, tmp_path):
    arm = Spec(shape=(6,), names=("pan", "lift", "elbow", "flex", "roll", "gripper"), unit="deg")
    dataset.specs = {"observation.state": arm, FRONT: dataset.specs[FRONT], "action": arm}
    for key in ("observation.state", "action"):
        dataset._columns[key] = np.tile(dataset.column(key), 2)
        dataset.stats[key] = Stats.of(dataset.column(key))
    policy = replace(config.policy, use_relative_actions=False)
    config = replace(config, policy=policy, steps=0, hand="so101")
    trained = train(replace(config, output_dir=tmp_path / "first"))
    other = replace(policy, optimizer_lr=0.5)
    last = train(replace(config, policy=other, hand="", policy_path=trained, output_dir=tmp_path / "second"))
    assert checkpoint.load(last).config.optimizer_lr == 0.5


def test_actions_told_otherwise_are_measured_anew(further, trained):
    assert any(isinstance(step, RelativeActions) for step in checkpoint.load(trained).pipeline.inputs)
    policy = replace(further.policy, use_relative_actions=False)
    loaded = checkpoint.load(train(replace(further, policy=policy, normalization="dataset")))
    assert not any(isinstance(step, RelativeActions) for step in loaded.pipeline.inputs)


def test_a_dataset_with_other_keys_gets_a_proposal_that_works(dataset, further):
    _rename_camera(dataset, "observation.images.phone")
    with pytest.raises((ConfigError, SpecMismatch), match=r"""--rename_map='\{"observation.images.phone": "obs"""):
        train(further)
    folder = train(replace(further, rename_map={"observation.images.phone": FRONT}))
    loaded = checkpoint.load(folder)
    assert "observation.images.phone" in loaded.observation
    assert FRONT in loaded.seen


def test_a_new_policy_may_know_keys_by_other_names(config, dataset):
    _rename_camera(dataset, "observation.images.phone")
    folder = train(replace(config, steps=1, rename_map={"observation.images.phone": FRONT}))
    loaded = checkpoint.load(folder)
    assert set(loaded.observation) == {"observation.state", "observation.images.phone"}
    assert set(loaded.seen) == {"observation.state", FRONT}
    assert checkpoint.verify(folder) == 0.0


def test_a_map_from_keys_that_the_dataset_lacks_is_refused(config):
    with pytest.raises(NotFound, match=r"No key of the dataset for --rename_map named 'observation\.images\.phone'"):
        train(replace(config, steps=1, rename_map={"observation.images.phone": FRONT}))


def test_the_space_of_the_hand_is_not_entered_later(further):
    with pytest.raises(ConfigError, match="leave out --hand"):
        train(replace(further, hand="so101"))
