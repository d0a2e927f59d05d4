import json
import shlex
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from etude.policies import checkpoint

GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v3"


@pytest.fixture(autouse=True)
def _few_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def words(tmp_path):
    return [
        "tune", f"--dataset.root={GOLDEN}", "--policy.preset=tiny", "--steps=2", "--batch_size=2", "--save_freq=1",
        "--device=cpu", "--bf16=off", "--cache_gb=0", f"--output_dir={tmp_path / 'search'}",
        "--space.policy.optimizer_lr=log:1e-5:1e-2", "--space.policy.n_heads", "choice:1,2", "--trials=1",
    ]  # fmt: skip


def test_trials_are_trained_and_the_best_command_trains_again(etude, words, tmp_path):
    code, out, err = etude(*words, "--holdout_episodes=1")
    assert code == 0, err
    assert "Best of 1 trials: number 0, validation loss" in err
    folder = tmp_path / "search"
    with sqlite3.connect(folder / "study.db") as study:
        assert study.execute("SELECT state FROM trials").fetchall() == [("COMPLETE",)]
        assert len(study.execute("SELECT * FROM trial_intermediate_values").fetchall()) == 2
    command = shlex.split(out)
    assert command[:3] == ["etude", "train", f"--config={folder / 'train.json'}"]
    chosen = dict(word.split("=") for word in command[2:])
    trained = checkpoint.load(folder / "trials" / "0000" / "checkpoints" / "last").config
    assert trained.optimizer_lr == float(chosen["--policy.optimizer_lr"])
    assert trained.n_heads == int(chosen["--policy.n_heads"])
    code, _, err = etude(*command[1:-1], f"--output_dir={tmp_path / 'run'}", "--steps=1")
    assert code == 0, err
    assert checkpoint.load(tmp_path / "run" / "checkpoints" / "last").config == trained

    code, _, err = etude(*words, "--holdout_episodes=1")
    assert code == 2
    assert "already holds a search. Add --resume" in err
    code, out, err = etude("tune", f"--output_dir={folder}", "--resume")
    assert code == 0, err
    assert shlex.split(out) == command, "all trials were made before"
    assert json.loads((folder / "config.json").read_text())["command"] == "tune"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "add --holdout_episodes=1"),
        (["--objective=success_rate"], "add --env.type=NAME"),
        (["--holdout_episodes=1", "--space.policy.optimiser_lr=log:1:2"], "optimiser_lr"),
        (["--holdout_episodes=1", "--space.seed=normal:1:2"], "--space.seed should be log:LOW:HIGH"),
        (["--holdout_episodes=1", "--space.seed"], "--space.seed needs values"),
    ],
)
def test_searches_that_cannot_be_are_refused_before_they_start(etude, words, options, sentence, tmp_path):
    code, out, err = etude(*words, *options)
    assert code == 2
    assert sentence in out + err
    assert not (tmp_path / "search" / "trials").exists()


@pytest.mark.slow
def test_trials_run_on_ray(etude, words, tmp_path):
    pytest.importorskip("ray")
    code, out, err = etude(*words, "--holdout_episodes=1", "--ray=local", "--trials=2", "--num_workers=2")
    assert code == 0, err
    assert "Best of 2 trials" in err
    assert out.startswith("etude train --config=")
    assert (tmp_path / "search" / "trials" / "0001" / "checkpoints" / "last").exists()
