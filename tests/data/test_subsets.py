"""Samples of chosen episodes, against the long way round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.window import Window
from etude.data import open_dataset
from etude.data.sampler import EpisodeSampler
from etude.data.sampling import Draw, sampler_of
from etude.data.windows import Windows

FORMATS = ["lerobot_v3", "lerobot_v21"]


@pytest.fixture(scope="module", params=FORMATS)
def opened(request):
    from pathlib import Path

    return open_dataset(Path(__file__).parents[1] / "golden" / request.param)


@settings(deadline=None, max_examples=40)
@given(
    chosen=st.sets(st.integers(0, 2), min_size=1),
    offsets=st.lists(st.integers(-7, 7), min_size=1, max_size=6),
    seed=st.integers(0, 20),
    count=st.integers(1, 30),
)
def test_samples_of_chosen_episodes_equal_the_oracle(opened, facts, chosen, offsets, seed, count):
    lengths = [length for length, _ in facts.EPISODES]
    starts = [sum(lengths[:number]) for number in range(3)]
    own = [row for number in sorted(chosen) for row in range(starts[number], starts[number] + lengths[number])]
    rows = sampler_of(opened, opened.episodes.chosen(sorted(chosen)), Draw(seed=seed)).draw(count)
    for pass_ in range(0, count - len(own) + 1, len(own)):
        assert sorted(rows[pass_ : pass_ + len(own)].tolist()) == own
    keys = ["action", "observation.state"]
    batch = Windows(opened, Window(offsets={"action": tuple(offsets)}), keys).batch(rows)
    for sample, row in enumerate(rows.tolist()):
        episode = max(number for number in range(3) if starts[number] <= row)
        tick = row - starts[episode]
        np.testing.assert_array_equal(batch["observation.state"][sample], facts.state(episode, tick))
        for time, offset in enumerate(offsets):
            inside = min(max(tick + offset, 0), lengths[episode] - 1)
            np.testing.assert_array_equal(batch["action"][sample, time], facts.action(episode, inside))
            assert batch["action_is_pad"][sample, time] == (inside != tick + offset)


def test_held_out_episodes_are_never_drawn(opened):
    kept = opened.episodes.chosen([0, 2])
    drawn = EpisodeSampler(kept, seed=4).draw(100)
    assert set(opened.episodes.of(drawn).tolist()) == {0, 2}
