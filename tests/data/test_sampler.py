import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import UserError
from etude.data.dataset import Episode, Episodes
from etude.data.sampler import EpisodeSampler, StreamSampler, WeightedSampler

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


def test_thirty_million_rows_need_no_list_of_them():
    lengths = np.full(100_000, 300)
    episodes = Episodes(np.arange(100_000), np.cumsum(lengths) - lengths, lengths, lambda _: ())
    tracemalloc.start()
    sampler = EpisodeSampler(episodes, seed=5)
    drawn = np.concatenate([sampler.draw(64) for _ in range(40)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert len(np.unique(drawn)) == len(drawn)
    assert drawn.min() >= 0
    assert drawn.max() < len(sampler) == 30_000_000


@given(seed=st.integers(0, 9), drawn=st.integers(0, 40), count=st.integers(0, 20))
def test_seeking_is_drawing(seed, drawn, count):
    for make in (
        lambda: EpisodeSampler(EPISODES, seed),
        lambda: StreamSampler(EPISODES, np.array([1, 0]), seed, at_once=1),
        lambda: WeightedSampler([EpisodeSampler([each], seed) for each in EPISODES], [1, 2], seed),
    ):
        walked, jumped = make(), make()
        walked.draw(drawn)
        jumped.seek(drawn)
        assert walked.state() == jumped.state()
        assert walked.draw(count).tolist() == jumped.draw(count).tolist()


def test_a_sampler_draws_from_chosen_episodes_by_their_own_rows():
    episodes = Episodes.in_a_row([4, 3, 2], lambda number: (f"task {number}",))
    chosen = episodes.chosen([2, 0])
    assert [each.tasks for each in chosen] == [("task 0",), ("task 2",)]
    assert chosen.indices.tolist() == [0, 2]
    assert sorted(EpisodeSampler(chosen).draw(6).tolist()) == [0, 1, 2, 3, 7, 8]
    with pytest.raises(UserError, match="There is no episode 3; there are 3, counted from 0"):
        episodes.chosen([0, 3])


@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(any),
    num_groups=st.integers(1, 5),
    at_once=st.integers(1, 4),
    seed=st.integers(0, 50),
)
def test_a_stream_draws_every_row_once_and_few_files_at_a_time(lengths, num_groups, at_once, seed):
    episodes = Episodes.in_a_row(lengths, lambda _: ())
    group = np.sort(np.arange(len(lengths)) % num_groups)
    sampler = StreamSampler(episodes, group, seed, at_once=at_once)
    for _ in range(2):
        rows = sampler.draw(len(sampler))
        assert sorted(rows.tolist()) == list(range(sum(lengths)))
        touched = group[episodes.of(rows)] if all(lengths) else group[_home(episodes, rows)]
        last_seen = {int(each): int(np.flatnonzero(touched == each)[-1]) for each in touched}
        for position in range(len(rows)):
            begun = {int(each) for each in touched[: position + 1]}
            assert sum(last_seen[each] > position for each in begun) <= at_once


def _home(episodes, rows):
    return np.array([next(i for i, each in enumerate(episodes) if each.start <= row < each.stop) for row in rows])


def test_a_stream_takes_its_groups_in_another_order_every_epoch():
    sampler = StreamSampler(Episodes.in_a_row([2] * 6, lambda _: ()), np.arange(6), seed=1, at_once=2)
    epochs = [(sampler.draw(12) // 2).tolist() for _ in range(4)]
    assert len(set(map(tuple, epochs))) == 4
    assert len({tuple(sorted(set(epoch[:4]))) for epoch in epochs}) > 1


@given(weights=st.lists(st.floats(0.01, 5), min_size=1, max_size=5), seed=st.integers(0, 9))
def test_weights_are_shares(weights, seed):
    episodes = [[Episode(index=0, start=1000 * i, stop=1000 * i + 700, tasks=())] for i in range(len(weights))]
    sampler = WeightedSampler([EpisodeSampler(each, seed) for each in episodes], weights, seed)
    drawn = np.bincount(sampler.draw(8192) // 1000, minlength=len(weights))
    np.testing.assert_allclose(drawn / 8192, np.array(weights) / sum(weights), atol=1.5 / 4096 * len(weights))


def test_within_a_source_every_row_comes_once_per_pass():
    sampler = WeightedSampler([EpisodeSampler([each]) for each in EPISODES], [1, 3])
    drawn = sampler.draw(1000)
    first = drawn[drawn < 10]
    for begin in range(0, len(first) - 4, 4):
        assert sorted(first[begin : begin + 4].tolist()) == [5, 6, 7, 8]


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -2]])
def test_a_weight_that_makes_no_sense_is_said(weights):
    with pytest.raises(UserError, match="needs a weight above 0"):
        WeightedSampler([EpisodeSampler([each]) for each in EPISODES], weights)
