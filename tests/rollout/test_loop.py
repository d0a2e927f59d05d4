import numpy as np
import pytest

from etude.envs.env import Env
from etude.rollout.agents import ReplayAgent, UntilStopped
from etude.rollout.loop import rollout
from etude.rollout.sinks import StateSink
from etude.rollout.ticks import Pacer


class Diary(StateSink):
    """Keeps everything it is told."""

    def __init__(self):
        super().__init__()
        self.told, self.applied = [], []

    def begin(self, seed):
        super().begin(seed)
        self.told.append(("begin", seed))

    def tick(self, frame, step):
        super().tick(frame, step)
        self.applied.append(float(step.action[0]))

    def end(self, success):
        self.told.append(("end", success))

    def abort(self, *exception):
        self.told.append(("abort", exception[0]))


def forever(value=0.5):
    return ReplayAgent(np.full((1000, 1), value, np.float32))


def test_the_task_ends_the_episode(counter):
    env = counter(goal=5)
    assert isinstance(env, Env)
    outcome = rollout(env, forever(), seed=3)
    assert (outcome.success, outcome.ticks, env.seed) == (True, 5, 3)


def test_an_agent_with_nothing_to_do_ends_it(counter):
    outcome = rollout(counter(goal=5), ReplayAgent(np.zeros((2, 1), np.float32)))
    assert (outcome.success, outcome.ticks) == (False, 2)


def test_the_limit_ends_it(counter):
    assert rollout(counter(goal=50), forever(), max_ticks=7).ticks == 7


def test_sinks_see_the_frame_before_and_the_action_really_applied(counter):
    diary = Diary()
    rollout(counter(goal=3), forever(value=9.0), [diary], seed=4)
    assert [state.item() for state in diary.states] == [0, 1, 2]
    assert diary.applied == [1, 1, 1]
    assert diary.told == [("begin", 4), ("end", True)]


def test_ticks_keep_the_rate_on_an_injected_clock(counter):
    env = counter(goal=30, hz=10.0)
    outcome = rollout(env, forever())
    assert outcome.duration_s == pytest.approx(3.0)
    assert outcome.late_ticks == 0


def test_without_a_rate_no_time_passes(counter):
    env = counter(goal=30)
    assert rollout(env, forever(), pacer=Pacer(env.clock, 0)).duration_s == 0


def test_late_ticks_are_counted_and_not_caught_up(counter):
    outcome = rollout(counter(goal=10, hz=10.0, work_s=0.25), forever())
    assert outcome.late_ticks == 10
    assert outcome.duration_s == pytest.approx(2.5)


def test_a_pacer_takes_up_a_new_rhythm_after_a_late_tick(counter):
    clock = counter().clock
    pacer = Pacer(clock, 10)
    clock.sleep_until(0.15)
    pacer.wait()
    pacer.wait()
    assert clock.now() == pytest.approx(0.25)
    assert pacer.ticks.late == 1


def test_a_failure_is_told_to_every_sink_and_goes_on_its_way(counter):
    class Broken:
        def reset(self, seed):
            pass

        def act(self, frame):
            raise ZeroDivisionError

    diaries = [Diary(), Diary()]
    with pytest.raises(ZeroDivisionError):
        rollout(counter(), Broken(), diaries)
    assert [diary.told[-1] for diary in diaries] == [("abort", ZeroDivisionError)] * 2


def test_stopping_ends_the_episode_in_good_order(counter):
    asked = []
    agent = UntilStopped(forever(), lambda: len(asked) == 3 or asked.append(1))
    diary = Diary()
    assert rollout(counter(goal=50), agent, [diary]).ticks == 3
    assert diary.told[-1] == ("end", False)
