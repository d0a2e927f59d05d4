from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.episodes import Episodes
from etude.data.quality import qualities, quality_notes, shake, travel
from etude.data.timing import IS_LATE


def _dataset(*paths, fps=10, late=None):
    actions = np.concatenate([np.asarray(path, np.float32) for path in paths]).reshape(-1, 1)
    return SimpleNamespace(
        root="there",
        fps=fps,
        specs={"action": Spec(shape=(1,))},
        episodes=Episodes.in_a_row([len(path) for path in paths], lambda _: ("task",)),
        stats={"action": Stats.of(actions)},
        take=lambda key, rows: actions[rows],
        timing=lambda: {} if late is None else {IS_LATE: np.array(late)},
    )


class TestAnEpisode:
    def test_how_long_it_is_and_how_much_of_it_is_pauses(self):
        first, second = qualities(_dataset([0, 5, 5, 5, 10, 10, 0, 5, 5, 5], [0, 10]))
        assert (first.episode, first.seconds, first.pauses, first.idle) == (0, 1.0, 3, 0.5)
        assert (second.episode, second.seconds, second.pauses, second.idle) == (1, 0.2, 0, 0.0)

    def test_travel_is_told_in_ranges_and_speed_leaves_out_pauses(self):
        whole, slow = qualities(_dataset([0, 5, 10, 10, 10, 0], [0, 1]))
        assert (whole.travel, slow.travel) == pytest.approx((2.0, 0.1))
        assert whole.speed == pytest.approx(2.0 / 0.4)

    def test_late_frames_are_counted(self):
        late = [True, False, True, False, False, True]
        assert [each.late for each in qualities(_dataset([0, 1, 2], [3, 4, 5], late=late))] == [2, 1]
        assert [each.late for each in qualities(_dataset([0, 1, 2]))] == [0]

    def test_a_joint_that_never_moves_counts_for_nothing(self):
        (only,) = qualities(_dataset([7, 7, 7, 7]))
        assert (only.travel, only.shake, only.idle) == (0, 0, 0.75)

    def test_without_actions_there_is_nothing_to_judge_by(self):
        dataset = _dataset([0, 1])
        dataset.specs = {}
        with pytest.raises(ConfigError, match="there has no 'action'"):
            list(qualities(dataset))


class TestShaking:
    def test_a_steady_hand_does_not_shake(self):
        assert shake(np.linspace(0, 1, 50)[:, None], fps=30) == pytest.approx(0)

    def test_trembling_is_the_share_of_the_way_that_leads_nowhere(self):
        # 0, 2, 1, 3, 2, 4, ...: of every three steps there and back, one is left.
        path = np.cumsum(np.where(np.arange(61) % 2, 2.0, -1.0))[:, None]
        assert shake(path, fps=30) == pytest.approx(1 - 0.5 / 1.5, abs=0.03)

    def test_too_short_an_episode_shows_none(self):
        assert shake(np.array([[0.0], [1.0], [0.0]]), fps=30) == 0

    @given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.integers(5, 60))
    def test_it_is_a_share(self, path, fps):
        assert 0 <= shake(np.array(path)[:, None], fps) <= 1

    def test_travel_is_the_mean_over_joints(self):
        assert travel(np.array([[0, 0], [1, 0], [0, 4.0]])) == 3


class TestNotes:
    def test_many_pauses_are_told_with_what_to_do(self):
        (note,) = quality_notes(_dataset(np.arange(10), [0, 3, 3, 3, 3, 9]))
        assert note == (
            "In 3 of 16 frames (18.8%) the command stays as it was, in 1 pause; most in episode 1 (50%). "
            "A policy copies that: etude train --drop_pauses leaves such frames out."
        )

    def test_few_are_not(self):
        assert list(quality_notes(_dataset(np.arange(100), [0, 3, 3, 9]))) == []

    def test_without_actions_nothing_is_told(self):
        dataset = _dataset([0, 1])
        dataset.specs = {}
        assert list(quality_notes(dataset)) == []
