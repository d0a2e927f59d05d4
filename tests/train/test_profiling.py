from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from etude.core.errors import ConfigError
from etude.train import profiling
from etude.train.loop import train
from etude.train.profiling import PARTS, Profile


def test_the_summary_adds_up_and_the_trace_has_every_part(config, monkeypatch):
    found = []
    summary = profiling.summary
    monkeypatch.setattr(profiling, "summary", lambda *values: found.append(summary(*values)) or found[-1])
    told = []
    train(replace(config, steps=8, save_freq=100), watchers=[Profile(4, told.append)])
    (result,) = found
    assert result.num_updates == 4
    assert [part.name for part in result.parts] == [*PARTS, "the rest"]
    assert sum(part.wall_ms for part in result.parts) == pytest.approx(result.wall_ms)
    assert 0 <= result.parts[-1].wall_ms < 0.5 * result.wall_ms
    for part in result.parts:
        assert 0 <= part.operators_ms <= part.wall_ms
    busy = {
        part.name: part.operators_ms / part.wall_ms for part in result.parts if part.name in ("forward", "backward")
    }
    assert min(busy.values()) > 0.2, "what a network does is done in operators"
    assert result.operators[0][2] >= result.operators[-1][2] > 0
    assert sum(own for _, _, own in result.operators) < result.wall_ms

    text = (config.output_dir / "profile.txt").read_text().rstrip()
    assert told[0].startswith(text)
    assert len(text.splitlines()) < 25
    shares = [float(share) for share in re.findall(r"(-?[\d.]+) %", text)]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    trace = json.loads((config.output_dir / "profile.json").read_text())["traceEvents"]
    labels = [event["name"] for event in trace if event.get("cat") == "user_annotation"]
    each = dict.fromkeys(PARTS, 4) | {"meet": 2 * 4}  # for gradients, then for weights
    assert {name: labels.count(name) for name in PARTS} == each


def test_a_run_that_ends_sooner_is_summed_up_as_far_as_it_went(config):
    train(replace(config, steps=4, holdout_episodes=0), watchers=[Profile(20, print)])
    assert "1 update, " in (config.output_dir / "profile.txt").read_text()


def test_too_few_updates_are_refused(config):
    with pytest.raises(ConfigError, match="more than 3 updates, which warm up; 2 are left"):
        train(replace(config, steps=2), watchers=[Profile(20, print)])
    with pytest.raises(ConfigError, match="at least 1"):
        Profile(0, print)
