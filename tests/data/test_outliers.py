from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from etude.core.errors import UserError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.episodes import Episodes
from etude.data.outliers import along, loneliness, outliers
from etude.data.quality import qualities


def _way(rng, length=90):
    """A reach and back of two joints, each time a little differently."""
    time = np.linspace(0, 1, length)[:, None]
    reach = 100 * np.sin(np.pi * time) * (1 + 0.05 * rng.standard_normal(2))
    return reach + np.array([0.0, 50]) * time + 2 * rng.standard_normal(2)


@pytest.fixture
def ways():
    rng = np.random.default_rng(0)
    return [_way(rng, length=86 + number % 10) for number in range(20)]


def _dataset(paths):
    actions = np.concatenate(paths).astype(np.float32)
    return SimpleNamespace(
        root="there",
        fps=30,
        specs={"action": Spec(shape=(2,))},
        episodes=Episodes.in_a_row([len(path) for path in paths], lambda _: ("task",)),
        stats={"action": Stats.of(actions)},
        take=lambda key, rows: actions[rows],
        timing=dict,
    )


def _found(paths, errors=None):
    dataset = _dataset(paths)
    return outliers(dataset, list(qualities(dataset)), errors)


def test_episodes_that_are_alike_are_no_outliers(ways):
    assert _found(ways) == []


def _trembling(way):
    return way + 4 * (-1.0) ** np.arange(len(way))[:, None]


def _elsewhere(way):
    return way + np.linspace(0, 80, len(way))[:, None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda way: np.repeat(way, 3, axis=0), "takes 9.3 s, others 3.0 s"),
        (lambda way: way[::4], "takes only 0.8 s, others 3.0 s"),
        (lambda way: way[::4], "is fast: "),
        (_trembling, "is shaky: "),
        (_elsewhere, "ends "),
        (lambda way: way + 40, "begins "),
        (lambda way: way * [1, -1], "goes its own way: "),
    ],
)
def test_an_episode_that_is_unlike_the_others_is_named_with_the_reason(ways, change, reason):
    ways[7] = change(ways[7])
    found = _found(ways)
    assert [each.episode for each in found] == [7]
    assert str(found[0]).startswith("Episode 7 ")
    assert any(text.startswith(reason) for text in found[0].reasons)


def test_the_most_unlike_comes_first(ways):
    ways[3], ways[5] = np.repeat(ways[3], 2, axis=0), np.repeat(ways[5], 5, axis=0)
    found = _found(ways)
    assert [each.episode for each in found] == [5, 3]
    assert found[0].score > found[1].score


def test_what_a_policy_cannot_learn_is_an_outlier(ways):
    errors = dict.fromkeys(range(20), 1.0) | {4: 3.0}
    (only,) = _found(ways, errors)
    assert str(only) == "Episode 4 is learned badly: the policy's error is 3, elsewhere 1."


def test_a_few_episodes_cannot_be_compared(ways):
    with pytest.raises(UserError, match="there has 7 episodes; to tell which of them are unlike the others takes 8"):
        _found(ways[:7])


def test_neither_speed_nor_pauses_change_the_way():
    slow = np.array([[0, 0], [1, 0], [1, 0], [1, 0], [2, 0], [2, 2.0]])
    np.testing.assert_allclose(along(slow), along(np.array([[0, 0], [2, 0], [2, 2.0]])))
    np.testing.assert_allclose(along(np.ones((4, 2))), 1)


def test_loneliness_is_the_distance_to_the_third_of_the_others():
    ways = np.array([0.0, 1, 2, 3, 10])[:, None, None] * np.ones((1, 4, 2))
    np.testing.assert_allclose(loneliness(ways), [3, 2, 2, 3, 9], atol=1e-6)
