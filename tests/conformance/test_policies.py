"""What every policy keeps. A new folder under `policies/` gets these tests without naming itself anywhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from etude.core.codec import decode, encode
from etude.core.errors import ConfigError, SpecMismatch
from etude.core.frame import ACTION, example
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.policies import checkpoint, policies
from etude.policies.config import PolicyConfig
from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import Continuing, Policy
from etude.policies.realtime import DELAY, MODES, PREFIX, RealTime

# Tests run side by side; several threads each would only wait for one another.
torch.set_num_threads(1)

NAMES = ("pan", "lift", "gripper")
ARM = Spec(shape=(3,), names=NAMES)
SPECS = {
    "observation.state": ARM,
    "observation.images.front": Spec(shape=(48, 64, 3), dtype="uint8"),
    "observation.images.wrist": Spec(shape=(48, 64, 3), dtype="uint8"),
}
BATCH = 4
MOST_UPDATES, NEAR_ZERO = 400, 0.02
"""In so many updates the loss on one batch falls to such a share of what it was."""


def make(name, seed=0):
    torch.manual_seed(seed)
    config = policies.config(name).tiny()
    random = np.random.default_rng(0)
    observation = dict(config.observes(SPECS))
    stats = {key: Stats.of(random.standard_normal((50, 3))) for key in ("observation.state", ACTION)}
    picture = Stats.of(random.random((50, 3, 1, 1)))
    stats |= {key: picture for key in SPECS if "images" in key}
    return LoadedPolicy(
        policy=policies.build(config, observation, ARM),
        config=config,
        pipeline=config.pipeline(stats, observation, ARM),
        observation=observation,
        action=ARM,
    )


def training_batch(loaded):
    random = np.random.default_rng(1)
    window = loaded.config.window
    height, width = loaded.config.image_size or (48, 64)
    batch = {}
    for key, spec in (loaded.observation | {ACTION: ARM}).items():
        shape = (height, width, 3) if spec.is_image else spec.shape
        times = (len(window.of(key)),) if window.of(key) else ()
        fake = Spec(shape=(BATCH, *times, *shape), dtype=spec.dtype)
        batch[key] = torch.from_numpy(fake.example(random))
        if times:
            batch[f"{key}_is_pad"] = torch.zeros(BATCH, *times, dtype=torch.bool)
    return loaded.pipeline.encode(batch)


def seen(loaded):
    """A frame, and the noise that a policy which samples makes its chunk of."""
    random = np.random.default_rng(2)
    return example(SPECS, random) | loaded.example_noise(random)


@pytest.fixture(params=policies.names())
def name(request):
    return request.param


@pytest.fixture
def loaded(name):
    return make(name)


class TestEveryPolicy:
    def test_it_keeps_the_promises(self, loaded):
        assert isinstance(loaded.config, PolicyConfig)
        assert isinstance(loaded.policy, Policy)

    def test_chunk_fits_the_action_spec(self, loaded):
        chunk = loaded.act(example(SPECS, np.random.default_rng(2)))
        assert chunk.shape[1:] == ARM.shape
        assert loaded.n_action_steps <= len(chunk)
        assert chunk.dtype == np.float32
        assert np.isfinite(chunk).all()

    def test_acting_twice_gives_the_same_and_changes_nothing(self, loaded):
        frame = seen(loaded)
        before = {key: value.copy() for key, value in frame.items()}
        np.testing.assert_array_equal(loaded.act(frame), loaded.act(frame))
        assert all(np.array_equal(frame[key], before[key]) for key in frame)

    def test_loss_on_one_batch_falls_to_near_zero(self, loaded):
        batch = training_batch(loaded)
        optimizer = torch.optim.Adam(loaded.policy.parameters(), lr=3e-3)
        started_at, phase = np.inf, set()
        for _ in range(MOST_UPDATES):
            torch.manual_seed(0)  # a policy that learns to take noise away gets the same each time
            loss, parts = loaded.policy.loss(batch)
            assert all(value.ndim == 0 and torch.isfinite(value) for value in (loss, *parts.values()))
            if set(parts) != phase:  # a policy that learns in phases has other parts in each
                started_at, phase = loss.item(), set(parts)
            if loss.item() < NEAR_ZERO * started_at:
                return
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        pytest.fail(f"after {MOST_UPDATES} updates the loss was still {loss.item()}, from {started_at}")

    def test_same_seed_same_loss(self, name):
        losses = []
        for _ in range(2):
            loaded = make(name, seed=5)
            losses.append(loaded.policy.loss(training_batch(loaded))[0].item())
        assert losses[0] == losses[1]

    def test_save_and_load_give_the_same_chunk(self, loaded, tmp_path):
        checkpoint.save(tmp_path / "saved", loaded)
        again = checkpoint.load(tmp_path / "saved")
        frame = seen(loaded)
        np.testing.assert_array_equal(loaded.act(frame), again.act(frame))
        assert again.config == loaded.config
        assert again.observation == loaded.observation
        assert checkpoint.verify(tmp_path / "saved") == 0.0

    def test_every_parameter_is_in_one_group(self, loaded):
        grouped = [id(value) for group in loaded.policy.parameter_groups() for value in group["params"]]
        assert sorted(grouped) == sorted(id(value) for value in loaded.policy.parameters())

    def test_config_round_trips_through_json(self, name):
        for config in (policies.config(name)(), policies.config(name).tiny()):
            assert decode(type(config), json.loads(json.dumps(encode(config)))) == config


class TestEveryPolicyThatGoesOn:
    """Real-time chunking: a chunk that goes on from an old one, in the ways that the policy's config names."""

    @pytest.fixture
    def modes(self, loaded):
        return getattr(loaded.config, "rtc_modes", ())

    def test_other_ways_are_refused(self, loaded, modes):
        assert isinstance(loaded.policy, Continuing) == bool(modes)
        for mode in set(MODES) - set(modes):
            with pytest.raises(ConfigError, match=f"cannot go on from an old chunk .*{mode}"):
                loaded.going_on(RealTime(mode=mode))

    def test_actions_that_will_be_played_are_the_old_ones(self, loaded, modes):
        frame = seen(loaded)
        other = example(SPECS, np.random.default_rng(3)) | loaded.example_noise(np.random.default_rng(4))
        plain, left = loaded.act(frame), loaded.act(other)[:-1]
        for mode in modes:
            made = loaded.going_on(RealTime(mode=mode)).act(frame | {PREFIX: left, DELAY: np.array(2)})
            assert made.shape == plain.shape
            off, plainly_off = (np.abs(chunk[:2] - left[:2]).max() for chunk in (made, plain))
            assert off < (0.5 * plainly_off if mode == "guided" else 1e-3)

    def test_an_old_chunk_that_does_not_fit_is_refused(self, loaded, modes):
        frame = seen(loaded)
        with pytest.raises(ConfigError, match=r"no rtc\.mode says how to go on"):
            loaded.act(frame | {PREFIX: np.zeros((2, 3), np.float32)})
        for mode in modes:
            with pytest.raises(SpecMismatch, match=r"'prefix' should be \[time, 3\], got \[2, 4\]"):
                loaded.going_on(RealTime(mode=mode)).act(frame | {PREFIX: np.zeros((2, 4), np.float32)})

    def test_without_an_old_chunk_it_begins_anew(self, loaded, modes):
        frame = seen(loaded)
        for mode in modes:
            np.testing.assert_array_equal(loaded.going_on(RealTime(mode=mode)).act(frame), loaded.act(frame))

    def test_each_of_a_batch_has_its_own_delay(self, loaded, modes):
        frame = seen(loaded)
        left = loaded.act(frame)[1:] + 0.1
        asked = [frame | {PREFIX: left, DELAY: np.array(delay)} for delay in (0, 2)]
        batch = {key: np.stack([loaded.timed(one)[key] for one in asked]) for key in asked[0]}
        for mode in modes:
            going_on = loaded.going_on(RealTime(mode=mode))
            together, alone = going_on.act_batch(batch), [going_on.act(one) for one in asked]
            np.testing.assert_allclose(together, alone, atol=1e-4)
