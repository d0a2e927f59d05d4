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
from etude.data.pauses import pause_rows, pauses


def _found(commands, **options):
    """List the frames of pauses; `commands` are those of one joint, or of several."""
    actions = np.array(commands, np.float64)
    return np.flatnonzero(pauses(actions if actions.ndim == 2 else actions[:, None], **options)).tolist()


class TestPausesOfAnEpisode:
    def test_frames_that_repeat_a_command_are_a_pause(self):
        assert _found([0, 1, 2, 2, 2, 2, 3, 4], least_ticks=3) == [3, 4, 5]

    def test_fewer_repetitions_than_asked_for_are_none(self):
        assert _found([0, 1, 2, 2, 2, 3, 4], least_ticks=3) == []

    def test_one_repetition_may_be_enough(self):
        assert _found([0, 0, 1, 2, 2, 2], least_ticks=1) == [1, 4, 5]

    def test_a_pause_may_begin_and_end_the_episode(self):
        assert _found([5, 5, 5, 5, 6, 7, 7, 7], least_ticks=2) == [1, 2, 3, 6, 7]

    def test_two_pauses_in_a_row_keep_the_command_between_them(self):
        assert _found([1, 1, 1, 2, 2, 2], least_ticks=2) == [1, 2, 4, 5]

    def test_fingers_that_move_are_no_pause(self):
        arm_still_fingers_close = [[1, 9], [1, 8], [1, 7], [1, 7], [1, 7]]
        assert _found(arm_still_fingers_close, least_ticks=2) == [3, 4]

    def test_a_flickering_encoder_stands_still(self):
        assert _found([0, 5, 5.1, 5, 5.1, 6], least_ticks=3, tolerance=0.11) == [2, 3, 4]

    def test_slow_motion_is_no_pause_however_small_its_steps(self):
        assert _found(np.arange(20) * 0.1, least_ticks=3, tolerance=0.11) == []

    def test_each_joint_has_its_own_tolerance(self):
        commands = [[0, 0], [1, 0.1], [0, 0.2], [1, 0.3]]
        assert _found(commands, least_ticks=1, tolerance=np.array([1.0, 0.15])) == [1, 2, 3]
        assert _found(commands, least_ticks=1, tolerance=np.array([0.5, 0.15])) == []

    def test_what_is_no_number_is_no_pause(self):
        assert _found([np.nan] * 5, least_ticks=1) == []

    @pytest.mark.parametrize("length", [0, 1, 3])
    def test_an_episode_shorter_than_a_pause_has_none(self, length):
        assert _found(np.zeros(length), least_ticks=3) == []

    def test_a_pause_of_no_ticks_is_refused(self):
        with pytest.raises(ConfigError, match="least_ticks should be at least 1"):
            pauses(np.zeros((4, 1)), least_ticks=0)

    @given(st.lists(st.integers(0, 1), min_size=1, max_size=30), st.integers(1, 5))
    def test_it_is_every_run_of_repetitions_that_is_long_enough(self, commands, least_ticks):
        repeats = [number > 0 and commands[number] == commands[number - 1] for number in range(len(commands))]
        wanted, run = [], []
        for number, is_repeated in enumerate([*repeats, False]):
            run = [*run, number] if is_repeated else wanted.extend(run if len(run) >= least_ticks else []) or []
        assert _found(commands, least_ticks=least_ticks) == wanted


def _dataset(commands, lengths, fps=30):
    actions = np.array(commands, np.float32).reshape(-1, 1)
    return SimpleNamespace(
        root="there",
        fps=fps,
        specs={"action": Spec(shape=(1,))},
        episodes=Episodes.in_a_row(lengths, lambda _: ("task",)),
        stats={"action": Stats.of(actions)},
        take=lambda key, rows: actions[rows],
    )


class TestPausesOfADataset:
    def test_no_pause_goes_on_into_the_next_episode(self):
        dataset = _dataset([0, 7, 7, 7, 7, 7, 7, 9], lengths=[4, 4])
        assert np.flatnonzero(pause_rows(dataset)).tolist() == []

    @pytest.mark.parametrize(("fps", "found"), [(30, [2, 3, 4]), (10, [2, 3, 4]), (50, [])])
    def test_a_pause_takes_a_tenth_of_a_second(self, fps, found):
        dataset = _dataset([0, 7, 7, 7, 7, 9], lengths=[6], fps=fps)
        assert np.flatnonzero(pause_rows(dataset)).tolist() == found

    def test_the_range_of_the_dataset_tells_what_still_is(self):
        flicker = [0, 50, 50.09, 50, 50.09, 60]
        assert np.flatnonzero(pause_rows(_dataset([*flicker, 100], lengths=[7]))).tolist() == [2, 3, 4]
        assert np.flatnonzero(pause_rows(_dataset(flicker, lengths=[6]))).tolist() == []

    def test_a_dataset_without_actions_is_refused(self):
        dataset = _dataset([0], lengths=[1])
        dataset.specs = {"observation.state": Spec(shape=(1,))}
        with pytest.raises(ConfigError, match=r"there has no 'action'.*it has observation\.state"):
            pause_rows(dataset)
