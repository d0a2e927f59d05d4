"""How the words of `etude train` become a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etude.cli.parse import encode, parse
from etude.cli.train import COMMAND, expand
from etude.core.errors import ConfigError, NotFound, UserError
from etude.core.files import write_json
from etude.policies import policies
from etude.train.budget import Budget
from etude.train.options import Scheduler


def read(*words):
    return parse(COMMAND, expand(words), prog="etude train")


def test_one_dataset_or_several():
    assert read("--dataset.root=a").dataset.roots == (Path("a"),)
    several = read("--dataset.root=a", "--steps=3", "--dataset.root", "b", "--dataset.weights=1", "--dataset.weights=3")
    assert several.dataset.roots == (Path("a"), Path("b"))
    assert several.dataset.weights == (1.0, 3.0)
    assert several.steps == 3


def test_a_name_is_enough():
    assert read("--dataset.repo_id=me/blocks").dataset.roots == (Path("me/blocks"),)
    with pytest.raises(UserError, match=r"Give --dataset\.root"):
        _ = read().dataset.roots


def test_groups_take_lerobots_words():
    command = read("--dataset.root=a", "--scheduler.type=linear", "--scheduler.num_warmup_steps=7", "--ema.decay=0")
    assert command.scheduler == Scheduler(type="linear", num_warmup_steps=7)
    assert command.ema.decay == 0


def test_a_run_is_resumed_as_it_was_configured(tmp_path):
    words = ("--dataset.root=a", "--dataset.root=b", "--policy.type=diffusion", "--policy.horizon=32", "--batch_size=5")
    command = replace(read(*words), output_dir=tmp_path)
    write_json(tmp_path / "config.json", {"command": "train", "config": encode(command)})
    resumed = read("--resume", f"--output_dir={tmp_path}", "--steps=9000")
    assert resumed == replace(command, resume=True, steps=9000)
    assert read("--resume=true", "--output_dir", str(tmp_path)).policy == command.policy
    assert read("--dataset.root=c", f"--output_dir={tmp_path}").batch_size == 64, "only when it is resumed"


def test_going_on_where_there_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no run to go on with"):
        read("--resume", f"--output_dir={tmp_path}")


def test_runs_of_one_dataset_that_were_stored_as_a_path_are_read(tmp_path):
    stored = encode(read("--dataset.root=a"))
    stored["dataset"]["root"] = "a"
    write_json(tmp_path / "config.json", {"command": "train", "config": stored})
    assert read(f"--config={tmp_path}").dataset.roots == (Path("a"),)


def test_a_checkpoint_is_begun_from_with_its_own_values(tmp_path, monkeypatch):
    own = replace(policies.config("diffusion").tiny(), n_action_steps=1)
    asked = []
    monkeypatch.setattr("etude.policies.checkpoint.read_config", lambda path: asked.append(path) or own)
    command = read("--dataset.root=a", "--policy.path=trained", "--policy.optimizer_lr=0.5")
    assert asked == ["trained"]
    assert command.policy == replace(own, optimizer_lr=0.5)
    assert command.policy_path == Path("trained")


def test_a_map_of_names_must_be_one():
    from etude.cli.train import _renames

    assert _renames('{"observation.images.phone": "observation.images.front"}') == {
        "observation.images.phone": "observation.images.front"
    }
    assert _renames("") == {}
    for wrong in ("front", '["front"]', '{"front": 1}'):
        with pytest.raises(ConfigError, match="--rename_map should be such as"):
            _renames(wrong)


def test_a_mistyped_preset_is_told():
    with pytest.raises(NotFound, match="Did you mean 'small'"):
        read("--dataset.root=a", "--policy.preset=smal")


def test_the_help_marks_no_place_to_act_unless_one_is_chosen(etude):
    for words, marked in ([], ", pusht, "), (["--env.type=aloha"], "[aloha]"):
        _, out, _ = etude("train", *words, "--help")
        line = next(line for line in out.splitlines() if line.startswith("--env.type="))
        assert marked in line


def test_a_run_lasts_as_many_updates_or_as_many_minutes_as_asked_for(tmp_path):
    from etude.cli.train import _config

    def budget(*words):
        return _config(read("--dataset.root=a", f"--output_dir={tmp_path}", "--holdout_episodes=0", *words)).budget

    assert budget() == Budget(steps=3000)
    assert budget("--minutes=2.5") == Budget(minutes=2.5)
    assert budget("--minutes=2.5", "--steps=7") == Budget(steps=7, minutes=2.5)


def test_the_bar_goes_by_seconds_where_a_clock_ends_the_run(capsys):
    from etude.cli.console import progress
    from etude.cli.train_report import Bar

    values = {"loss": 0.5, "samples_per_s": 320.0, "spent_s": 12.34, "eta_s": 107.66}
    with progress("Training", 120) as line:
        Bar(line, is_timed=True).step(60, values)
    assert "Training 12/120 s, update 60, loss 0.5000, 320 samples/s, 108 s left" in capsys.readouterr().err
