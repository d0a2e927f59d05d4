import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import UserError
from etude.data.dataset import Episode
from etude.data.sampler import EpisodeSampler

EPISODES = [Episode(index=2, start=5, stop=9, tasks=()), Episode(index=7, start=20, stop=23, tasks=())]
ROWS = [5, 6, 7, 8, 20, 21, 22]


def test_an_epoch_draws_every_row_once_in_an_order_of_its_own():
    sampler = EpisodeSampler(EPISODES, seed=3)
    epochs = [sampler.draw(len(sampler)).tolist() for _ in range(4)]
    assert all(sorted(epoch) == ROWS for epoch in epochs)
    assert len(set(map(tuple, epochs))) == 4


def test_the_seed_decides_the_order():
    drawn = [EpisodeSampler(EPISODES, seed).draw(70).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@given(sizes=st.lists(st.integers(0, 12), max_size=12), cut=st.integers(0, 12), seed=st.integers(0, 99))
def test_a_resumed_sampler_goes_on_exactly(sizes, cut, seed):
    whole = EpisodeSampler(EPISODES, seed)
    wanted = [whole.draw(size).tolist() for size in sizes]
    before = EpisodeSampler(EPISODES, seed)
    got = [before.draw(size).tolist() for size in sizes[:cut]]
    after = EpisodeSampler.from_state(EPISODES, seed, before.state())
    got += [after.draw(size).tolist() for size in sizes[cut:]]
    assert got == wanted
    assert after.state() == whole.state()


@given(sizes=st.lists(st.integers(1, 30), max_size=8))
def test_batches_run_on_across_epochs(sizes):
    sampler = EpisodeSampler(EPISODES, seed=1)
    drawn = np.concatenate([np.arange(0), *(sampler.draw(size) for size in sizes)])
    assert len(drawn) == sum(sizes)
    for epoch in range(len(drawn) // 7):
        assert sorted(drawn[7 * epoch : 7 * epoch + 7]) == ROWS
    assert sampler.state() == {"epoch": len(drawn) // 7, "position": len(drawn) % 7}


def test_nothing_to_sample_is_said():
    with pytest.raises(UserError, match="0 episodes hold no frame"):
        EpisodeSampler([])
