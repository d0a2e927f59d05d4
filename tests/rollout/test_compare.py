import json

import pytest

from etude.core.errors import ConfigError, UserError
from etude.rollout.compare import compare, compare_all
from etude.rollout.evaluate import Score
from etude.rollout.metrics import Result
from etude.rollout.report import Report, differences, load, require_alike


def result(seed, success, reward=0.0):
    return Result(
        seed=seed,
        success=success,
        ticks=10,
        time_to_success_s=1.0 if success else None,
        max_reward=reward,
        sum_reward=reward,
        action_jerk=2.0,
        state_jerk=None,
        spectral_arc=None,
        clipped_ticks=0,
        latencies_s=(0.1,),
    )


def report(successes, first_seed=0, **environment):
    results = [result(first_seed + number, bool(success)) for number, success in enumerate(successes)]
    return Report(
        environment={"type": "plane", "task": {"size": 3}} | environment,
        policy={"path": "p"},
        machine={"device": "cpu"},
        score=Score(results=tuple(results)),
    )


def against(first, second):
    return compare(("A", "B"), first, second)


def test_the_same_scenes_are_compared_one_by_one():
    # Of 20 scenes both succeed in 6, only B in 10, only A in 1: 2 (1 + 11) / 2^11.
    found = against(report([1] * 7 + [0] * 13), report([1] * 6 + [0] + [1] * 10 + [0] * 3))
    assert found.is_paired
    assert found.p == pytest.approx(24 / 2048)
    assert (found.success.first, found.success.second) == (0.35, 0.8)
    assert found.is_real
    assert found.verdict.startswith("The difference is real: B succeeds more often; B has +45 points [")
    assert "in the same 20 scenes, p = 0.012 (McNemar's exact test)" in found.verdict


def test_different_scenes_are_compared_as_wholes():
    found = against(report([1] * 48 + [0] * 32), report([1] * 56 + [0] * 14, first_seed=1000))
    assert not found.is_paired
    assert found.p == pytest.approx(0.012521129749209154)  # what SciPy's fisher_exact says
    assert (found.success.low, found.success.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # Newcombe (1998)
    assert "Fisher's exact test" in found.verdict


def test_a_worse_one_is_called_so():
    found = against(report([1] * 20), report([0] * 20))
    assert found.verdict.startswith("The difference is real: A succeeds more often; B has -100 points")
    assert "p = less than 0.001" in found.verdict


def test_what_is_not_shown_says_how_many_more_would():
    found = against(report([1, 1, 0, 0, 0, 0, 0, 0, 1, 0]), report([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]))
    assert found.p == 1.0
    assert not found.is_real
    # 3 of 10 differ, by 1 of 10: ((1.95996 sqrt(0.3) + 0.84162 sqrt(0.29)) / 0.1)^2 = 233.1.
    assert found.num_more == 234 - 10
    assert found.verdict.endswith(
        "If it is really that large, about 224 more scenes for both would show it (80 % power)."
    )


def test_no_difference_at_all_promises_nothing():
    found = against(report([1, 0]), report([0, 1]))
    assert found.num_more is None
    assert found.verdict.endswith("More rollouts would only narrow the interval.")


def test_scenes_that_only_one_ran_in_are_left_out():
    found = against(report([1] * 10), report([1] * 4))
    assert (found.n, found.num_left_out) == ((4, 4), 6)


def test_several_are_compared_with_the_first_and_pay_for_it():
    few, many = report([1] * 7 + [0] * 13), report([1] * 6 + [0] + [1] * 10 + [0] * 3)
    found = compare_all({"A": few, "B": many, "C": few})
    assert [(one.first, one.second) for one in found] == [("A", "B"), ("A", "C")]
    assert [one.p for one in found] == pytest.approx([2 * 24 / 2048, 1.0])


def test_measures_are_compared_where_both_have_them():
    found = against(report([1] * 9 + [0]), report([0] + [1] * 9))
    assert found.metrics["time_to_success_s"].n == 8
    assert found.metrics["action_jerk"].difference == 0
    assert "state_jerk" not in found.metrics
    assert "time_to_success_s" not in against(report([1, 0]), report([1, 0])).metrics


def test_a_constant_gain_is_shown():
    first, second = report([0] * 6), report([0] * 6)
    gained = tuple(result(one.seed, False, reward=0.5) for one in second.score.results)
    found = against(first, Report(**vars(second) | {"score": Score(results=gained)}))
    metric = found.metrics["max_reward"]
    assert (metric.difference, metric.low, metric.high, metric.is_shown) == (0.5, 0.5, 0.5, True)


def test_other_environments_are_refused_by_what_differs():
    require_alike({"A": report([1]), "B": report([0])})
    with pytest.raises(UserError, match=r"A and C did not run in the same environment: task.size is 3 and 4\."):
        require_alike({"A": report([1]), "B": report([0]), "C": report([0], task={"size": 4})})
    with pytest.raises(UserError, match="hz is None and 10"):
        require_alike({"A": report([1]), "B": report([1], hz=10)})


def test_settings_are_compared_flat():
    assert differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": 4}) == {"a.c": (2, 3), "d": (None, 4)}


def test_a_report_survives_storing(tmp_path):
    stored = report([1, 0, 1])
    file = stored.save(tmp_path)
    assert load(tmp_path) == load(file) == stored
    assert json.loads(file.read_text())["summary"]["n"] == 3


def test_what_is_no_evaluation_is_refused(tmp_path):
    with pytest.raises(UserError, match="is not an evaluation"):
        load(tmp_path)
    (tmp_path / "eval.json").write_text("{}")
    with pytest.raises(UserError, match="it has no 'rollouts'"):
        load(tmp_path)
    (tmp_path / "eval.json").write_text('{"version": 1, "rollouts": [{"seed": "one"}]}')
    with pytest.raises(ConfigError, match=r"rollouts\[0\]"):
        load(tmp_path)


def test_an_evaluation_without_rollouts_is_refused():
    with pytest.raises(UserError, match="B has no rollouts"):
        against(report([1]), report([]))
