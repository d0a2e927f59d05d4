import numpy as np
import pytest

from etude.envs.env import Step
from etude.rollout.loop import Outcome
from etude.rollout.metrics import MetricsSink, jerk, spectral_arc

HZ = 50.0


def way(function, seconds=2.0, hz=HZ):
    times = np.arange(0, seconds, 1 / hz)
    return [np.array([function(time), 1.0]) for time in times]


def test_the_jerk_of_a_cubic_is_constant():
    # x = 2 t^3 has a third derivative of 12; the second joint stands still, so the mean square is 144 / 2.
    assert jerk(way(lambda t: 2 * t**3), HZ) == pytest.approx(np.sqrt(72), rel=1e-6)


@pytest.mark.parametrize("function", [lambda t: 3.0, lambda t: t, lambda t: t * t])
def test_a_steady_push_has_no_jerk(function):
    assert jerk(way(function), HZ) == pytest.approx(0, abs=1e-6)


def test_short_ways_and_still_ones_have_no_smoothness():
    assert jerk(way(lambda t: t)[:3], HZ) is None
    assert spectral_arc(way(lambda t: t)[:3], HZ) is None
    assert spectral_arc(way(lambda _: 0.0), HZ) is None


def smooth(t):
    s = t / 2
    return 10 * s**3 - 15 * s**4 + 6 * s**5  # the way of least jerk


def test_spectral_arc_length_as_its_authors_compute_it():
    positions = way(smooth, seconds=2.0)
    speed = np.linalg.norm(np.diff(np.array(positions), axis=0), axis=1) * HZ
    assert spectral_arc(positions, HZ) == pytest.approx(_sparc(speed, HZ), abs=1e-9)


def _sparc(movement, fs, padlevel=4, fc=10.0, amp_th=0.05):
    """The published procedure, step by step, over the whole spectrum."""
    nfft = int(pow(2, np.ceil(np.log2(len(movement))) + padlevel))
    f = np.arange(nfft) * fs / nfft
    amplitude = abs(np.fft.fft(movement, nfft))
    amplitude = amplitude / max(amplitude)
    f_sel, amplitude_sel = f[f <= fc], amplitude[f <= fc]
    inx = np.flatnonzero(amplitude_sel >= amp_th)
    f_sel, amplitude_sel = f_sel[inx[0] : inx[-1] + 1], amplitude_sel[inx[0] : inx[-1] + 1]
    return -sum(np.sqrt((np.diff(f_sel) / (f_sel[-1] - f_sel[0])) ** 2 + np.diff(amplitude_sel) ** 2))


def test_a_trembling_way_is_less_smooth():
    calm = way(smooth)
    trembling = way(lambda t: smooth(t) + 0.02 * np.sin(2 * np.pi * 5 * t))
    assert spectral_arc(trembling, HZ) < spectral_arc(calm, HZ) < -1
    assert jerk(trembling, HZ) > 3 * jerk(calm, HZ)


def step(state, action, reward=0.0, clipped=()):
    frame = {"observation.state": np.float32([state])}
    return Step(frame=frame, action=np.float32([action]), reward=reward, clipped=clipped)


def test_a_rollout_is_summed_up():
    sink = MetricsSink(10.0)
    sink.begin(7)
    sink.tick({"observation.state": np.float32([0])}, step(1, 1, 0.5))
    sink.tick({"observation.state": np.float32([1])}, step(2, 5, 0.25, clipped=("too fast",)))
    result = sink.result(Outcome(success=True, ticks=2, late_ticks=0, duration_s=0.2), (0.1, 0.3))
    assert (result.seed, result.success, result.ticks, result.time_to_success_s) == (7, True, 2, 0.2)
    assert (result.max_reward, result.sum_reward, result.clipped_ticks) == (0.5, 0.75, 1)
    sink.begin(8)
    empty = sink.result(Outcome(success=False, ticks=0, late_ticks=0, duration_s=0.0))
    assert (empty.max_reward, empty.clipped_ticks, empty.time_to_success_s, empty.state_jerk) == (0, 0, None, None)


def test_what_is_seen_of_a_state_is_every_tick_and_the_end():
    sink = MetricsSink(1.0)
    for now in range(3):
        sink.tick({"observation.state": np.float32([now**3])}, step((now + 1) ** 3, 0))
    # 0, 1, 8, 27: the third difference of a cube is 6.
    assert sink.result(Outcome(success=False, ticks=3, late_ticks=0, duration_s=3)).state_jerk == pytest.approx(6)


def test_latency_does_not_make_two_results_differ():
    sink, outcome = MetricsSink(10.0), Outcome(success=False, ticks=0, late_ticks=0, duration_s=0.0)
    assert sink.result(outcome, (0.1,)) == sink.result(outcome, (0.2,))
